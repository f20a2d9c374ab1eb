"""Exact values by the backend `ideal` beside Aer's EstimatorV2: TFIM energies, Pauli strings with small light cones.

`make bench-estimator` measures processor seconds on one thread, in warm processes, 60 s and 12 GiB each (LIMIT=…). A
value counts as solved only if it is that of the light cones of its terms in Qiskit's `Statevector`, to 10⁻⁶ a term.
The last line has the figures.
"""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass

from benchmarks.contest.child import Runner
from benchmarks.contest.estimates import AER, IDEAL, entries_of, truth

LIMIT_S = 60.0
UNSOLVED_S = 120.0
TERM_ERROR = 1e-6


@dataclass(frozen=True, slots=True)
class Told:
    """Processor seconds, and whether the value came and is right."""

    seconds: float
    status: str
    off: float = math.inf
    allowed: float = 0.0
    method: str = ""

    @property
    def solved(self) -> bool:
        """It came, and is right."""
        return self.status == "ok" and self.off <= self.allowed

    @property
    def par2_s(self) -> float:
        """Unsolved counts as 120 s."""
        return self.seconds if self.solved else UNSOLVED_S


def figures(pairs: list[tuple[Told, Told]]) -> str:
    """The last line, from (Aer, ideal)."""
    both = [aer.seconds / ideal.seconds for aer, ideal in pairs if aer.solved and ideal.solved]
    par = [aer.par2_s / ideal.par2_s for aer, ideal in pairs]
    wrong = sum(each.status == "ok" and not each.solved for _, each in pairs)
    return (
        f"figures: circuits={len(pairs)} solved={sum(ideal.solved for _, ideal in pairs)} "
        f"aer_solved={sum(aer.solved for aer, _ in pairs)} geomean={geomean(both):.1f} par2={geomean(par):.1f} "
        f"worst={min(both, default=0):.2f} wrong={wrong}"
    )


def geomean(values: list[float]) -> float:
    """0 for none."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else 0.0


def main() -> None:
    """Everything by both, one after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=float(os.environ.get("LIMIT") or LIMIT_S), help="CPU seconds")
    parser.add_argument("--only", default="", help="only names that start so")
    asked = parser.parse_args()
    runners = {name: Runner("", (name,), "benchmarks.contest.estimates") for name in (AER, IDEAL)}
    pairs = []
    print(f"{'CPU ms':24}{'Aer':>12}{'ideal':>12}  by")
    try:
        for entry in entries_of(""):
            if not entry.name.startswith(asked.only):
                continue
            question = entry.make()
            right, terms = truth(question), len(question[1])  # type: ignore[arg-type, index]
            told = {}
            for name, runner in runners.items():
                answer = runner.run(entry, name, asked.limit)
                off = abs(float(answer["bits"][0]) - right) if answer["status"] == "ok" else math.inf
                told[name] = Told(
                    answer["seconds"], answer["status"], off, TERM_ERROR * terms, answer.get("method", "")
                )
            pairs.append((told[AER], told[IDEAL]))
            shown = [f"{1e3 * each.seconds:12.2f}" if each.solved else f"{each.status:>12}" for each in pairs[-1]]
            print(f"{entry.name:24}{''.join(shown)}  {told[IDEAL].method}, off by {told[IDEAL].off:.1e}", flush=True)
    finally:
        for runner in runners.values():
            runner.close()
    print(f"{figures(pairs)} limit_s={asked.limit:g}")


if __name__ == "__main__":
    main()
