"""The figures of `make bench-router`, from rows that have been judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

UNSOLVED_S = 120.0
FLOOR_S = 0.005
WORST_FROM_S = 0.020
ON_TOP = 1.1


@dataclass(frozen=True, slots=True)
class Told:
    """What one contestant made of one circuit: solved or not, and the CPU seconds it took to end either way.

    `converted_s` of them went into Qiskit's transpiler.
    """

    solved: bool
    seconds: float
    converted_s: float = 0.0

    @property
    def par2_s(self) -> float:
        """Unsolved counts as twice the limit."""
        return self.seconds if self.solved else UNSOLVED_S


@dataclass(frozen=True, slots=True)
class Case:
    """One circuit: Aer's own choice, the honest baseline, the router, and every engine by itself."""

    name: str
    family: str
    automatic: Told
    honest: Told
    router: Told
    engines: Mapping[str, Told]

    @property
    def hindsight(self) -> Told:
        """The quickest that solved it, the router and the baseline among them."""
        solved = [each for each in (*self.engines.values(), self.router, self.honest) if each.solved]
        return min(solved, key=lambda each: each.seconds, default=Told(False, UNSOLVED_S))

    @property
    def quickest(self) -> str:
        """The name of the engine that hindsight takes, of those that are forced; empty where none solved it."""
        solved = {name: each.seconds for name, each in self.engines.items() if each.solved}
        return min(solved, key=lambda name: solved[name], default="")

    @property
    def lost_s(self) -> float:
        """How much sooner hindsight was; an unsolved circuit counts as in PAR2, one that nobody solved as nothing."""
        return self.router.par2_s - self.hindsight.par2_s


@dataclass(frozen=True, slots=True)
class Figures:
    """Ratios are of times: above 1 the router is quicker, but `worst_ratio`, which is the router's by Aer's."""

    circuits: int
    geomean: float
    geomean_floor5ms: float
    geomean_untranspiled: float
    par2: float
    par2_honest: float
    solved: int
    solvable: int
    worst_ratio: float
    worst_ms: float
    worst: str
    hindsight_geomean: float
    hindsight_par2: float
    hindsight_par2_honest: float
    automatic_solved: int
    honest_solved: int

    def line(self) -> str:
        """The line itself."""
        return (
            f"figures: circuits={self.circuits} geomean={self.geomean:.2f} "
            f"geomean_floor5ms={self.geomean_floor5ms:.2f} geomean_untranspiled={self.geomean_untranspiled:.2f} "
            f"par2={self.par2:.1f} par2_honest={self.par2_honest:.1f} solved={self.solved} solvable={self.solvable} "
            f"worst_ratio={self.worst_ratio:.2f} worst_ms={self.worst_ms:.0f} worst={self.worst} "
            f"hindsight_geomean={self.hindsight_geomean:.2f} hindsight_par2={self.hindsight_par2:.1f} "
            f"hindsight_par2_honest={self.hindsight_par2_honest:.1f} "
            f"automatic_solved={self.automatic_solved} honest_solved={self.honest_solved}"
        )


def figures_of(cases: Iterable[Case]) -> Figures:
    """All figures of these circuits.

    `worst_ratio` is the router's time by Aer's where the router took 20 ms or more, `worst_ms` the most by which it
    exceeded 1.1 × Aer's there. `geomean_untranspiled` leaves the transpiler out of Aer's times.
    """
    listed = list(cases)
    both = [case for case in listed if case.automatic.solved and case.router.solved]
    slow = [case for case in both if case.router.seconds > WORST_FROM_S]
    # Where Aer has an answer and the router has none, it is as late as an unsolved circuit counts.
    slow += [case for case in listed if case.automatic.solved and not case.router.solved]
    ratios = {case.name: case.router.par2_s / case.automatic.seconds for case in slow}
    worst = max(ratios, key=lambda name: ratios[name], default="none")
    best = [case for case in listed if case.automatic.solved]
    return Figures(
        circuits=len(listed),
        geomean=_geomean(case.automatic.seconds / case.router.seconds for case in both),
        geomean_floor5ms=_geomean(
            (case.automatic.seconds + FLOOR_S) / (case.router.seconds + FLOOR_S) for case in both
        ),
        geomean_untranspiled=_geomean(
            max(1e-4, case.automatic.seconds - case.automatic.converted_s) / case.router.seconds for case in both
        ),
        par2=_geomean(case.automatic.par2_s / case.router.par2_s for case in listed),
        par2_honest=_geomean(case.honest.par2_s / case.router.par2_s for case in listed),
        solved=sum(case.router.solved for case in listed),
        solvable=sum(case.hindsight.solved for case in listed),
        worst_ratio=ratios.get(worst, 0.0),
        worst_ms=max((1e3 * (case.router.par2_s - ON_TOP * case.automatic.seconds) for case in slow), default=0.0),
        worst=worst,
        hindsight_geomean=_geomean(case.automatic.seconds / case.hindsight.seconds for case in best),
        hindsight_par2=_geomean(case.automatic.par2_s / case.hindsight.par2_s for case in listed),
        hindsight_par2_honest=_geomean(case.honest.par2_s / case.hindsight.par2_s for case in listed),
        automatic_solved=sum(case.automatic.solved for case in listed),
        honest_solved=sum(case.honest.solved for case in listed),
    )


def family_table(cases: Sequence[Case]) -> str:
    """The figures of each family, a line each."""
    head = f"{'family':28}{'circuits':>8}{'geomean':>9}{'5 ms':>7}{'par2':>9}{'honest':>8}{'solved':>7}{'of':>4}"
    lines = [f"{head}{'worst':>7}{'hindsight':>10}"]
    for family in dict.fromkeys(case.family for case in cases):
        one = figures_of(case for case in cases if case.family == family)
        lines.append(
            f"{family:28}{one.circuits:8}{one.geomean:9.2f}{one.geomean_floor5ms:7.2f}{one.par2:9.1f}"
            f"{one.par2_honest:8.1f}{one.solved:7}{one.solvable:4}{one.worst_ratio:7.2f}{one.hindsight_geomean:10.2f}"
        )
    return "\n".join(lines)


def _geomean(ratios: Iterable[float]) -> float:
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else 0.0
