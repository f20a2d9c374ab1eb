"""Runs of circuits under a recipe of mitigation, and the search for the recipe that helps on the twin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from backends import seeds
from backends.compiling.calibrated import Calibrated
from backends.compiling.members import passes_for
from backends.mitigation import readout
from backends.mitigation.cost import CALIBRATION_SHOTS, NOTHING, Cost
from backends.mitigation.decoupling import Unfit, decoupled
from backends.mitigation.extrapolating import extrapolated
from backends.mitigation.folding import folded
from backends.mitigation.measuring import Basis, Term, bases_of, measured, value_of
from backends.mitigation.options import MitigationOptions, Zne
from backends.mitigation.options import Sequence as Pulses
from backends.mitigation.readout import Counts, ReadoutError
from backends.mitigation.twins import Twin
from backends.mitigation.twirling import twirled

Runner = Callable[[Sequence[QuantumCircuit], int], Sequence[Counts]]
"""Runs circuits over the target's gates, each so many shots; counts of bit strings, classical bit 0 last."""
Values = NDArray[np.float64]
ByFactor = dict[float, list[Counts]]
"""By the factor that noise was amplified by: counts of each basis."""
_WORSE = "it made the twin worse"
_NO_GAIN = "what it gained on the twin is within the scatter of the shots"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is applied."""

    decoupling: Pulses | None = None
    twirls: int = 0
    errors: Mapping[int, ReadoutError] | None = None
    zne: Zne | None = None


NOTHING_DONE = Recipe()


@dataclass(slots=True)
class Trial:
    """One piece of work: how to run it, and what that has cost so far."""

    calibrated: Calibrated
    run: Runner
    terms: Sequence[Term]
    shots: int
    seed: int
    spent: Cost = NOTHING
    bases: Sequence[Basis] = ()
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bases = bases_of(self.terms)

    def counts(self, circuit: QuantumCircuit, recipe: Recipe, factors: Sequence[float]) -> ByFactor:
        """Run a circuit in every basis with noise amplified by each factor; keyed by the factors it came to."""
        found: ByFactor = {}
        for number, factor in enumerate(factors):
            amplified, came_to = folded(circuit, factor) if factor != 1 else (circuit, 1.0)
            if came_to in found:
                continue
            found[came_to] = []
            for place, basis in enumerate(self.bases):
                native = self.native(measured(amplified, basis))
                copies = self.dressed(native, recipe, seeds.of_pub(self.seed, 97 * number + place))
                found[came_to].append(self.together(copies))
        return found

    def native(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """Over the target's own gates, its qubits where they are; nothing is optimised, or folding would be undone."""
        made: QuantumCircuit = passes_for(self.calibrated, 0, 0, tuple(range(circuit.num_qubits))).run(circuit)
        return made

    def dressed(self, circuit: QuantumCircuit, recipe: Recipe, seed: int) -> list[QuantumCircuit]:
        """The copies to run: twirled, then decoupled."""
        target = self.calibrated.target
        copies = twirled(circuit, target, recipe.twirls, seed) if recipe.twirls else [circuit]
        if recipe.decoupling is not None:
            copies = [decoupled(copy, target, recipe.decoupling) for copy in copies]
        return copies

    def together(self, copies: Sequence[QuantumCircuit]) -> Counts:
        """The counts of all copies, among which the shots are divided."""
        each = -(-self.shots // len(copies))
        self.spent += Cost(len(copies), len(copies) * each)
        total: Counter[str] = Counter()
        for counts in self.run(copies, each):
            total.update(counts)
        return total

    def calibrate(self, qubits: Sequence[int]) -> dict[int, ReadoutError]:
        """Measure readout errors; two circuits."""
        circuits = [
            self.native(circuit) for circuit in readout.calibration_circuits(self.calibrated.qubits, list(qubits))
        ]
        self.spent += Cost(len(circuits), len(circuits) * CALIBRATION_SHOTS)
        zeros, ones = self.run(circuits, CALIBRATION_SHOTS)
        return readout.errors_of(zeros, ones, qubits)

    def values(self, counts: ByFactor, recipe: Recipe) -> tuple[Values, Values]:
        """Values and standard errors of all terms, extrapolated where the recipe says so."""
        values, stds = np.ones(len(self.terms)), np.zeros(len(self.terms))
        for place, basis in enumerate(self.bases):
            for index in basis.terms:
                points = {
                    factor: value_of(self.terms[index], basis, found[place], recipe.errors)
                    for factor, found in counts.items()
                }
                if recipe.zne is None:
                    values[index], stds[index] = points[1.0]
                    continue
                one, other = zip(*points.values(), strict=True)
                value, std, note = extrapolated(list(points), one, other, recipe.zne.extrapolator)
                values[index], stds[index] = value, std
                if note:
                    self.notes["zne"] = note
        return values, stds


def search(trial: Trial, twin: Twin, options: MitigationOptions) -> tuple[Recipe, list[dict[str, Any]]]:
    """Which of the methods asked for make the twin's values better, one after the other, and what was seen."""
    recipe = Recipe()
    counts = trial.counts(twin.circuit, recipe, [1.0])
    error, _ = _distance(trial, twin, counts, recipe)
    seen: list[dict[str, Any]] = []

    def judge(name: str, proposed: Recipe, found: ByFactor, **more: Any) -> None:
        nonlocal recipe, counts, error
        after, scatter = _distance(trial, twin, found, proposed)
        helps = error - after > scatter
        row: dict[str, Any] = {"method": name, "applied": helps, "twin_error_before": error, "twin_error_after": after}
        row["twin_scatter"] = scatter
        if helps:
            recipe, counts, error = proposed, found, after
        else:
            row["why"] = f"{_WORSE if after > error else _NO_GAIN}, not applied"
        seen.append(row | more)

    def attempt(name: str, proposed: Recipe, run: Callable[[Recipe], ByFactor], **more: Any) -> None:
        try:
            judge(name, proposed, run(proposed), **more)
        except Unfit as reason:
            seen.append({"method": name, "applied": False, "why": f"{reason}, not applied"} | more)

    if options.decoupling:
        proposed = replace(recipe, decoupling=options.decoupling)
        attempt(
            "dynamical_decoupling",
            proposed,
            lambda it: trial.counts(twin.circuit, it, [1.0]),
            sequence_type=options.decoupling,
        )
    if options.twirls:
        proposed = replace(recipe, twirls=options.twirls)
        attempt(
            "twirling",
            proposed,
            lambda it: trial.counts(twin.circuit, it, [1.0]),
            num_randomizations=options.twirls,
        )
    if options.readout:
        try:
            errors = trial.calibrate(sorted({qubit for basis in trial.bases for qubit in basis.qubits}))
            judge("measure_mitigation", replace(recipe, errors=errors), counts, by=readout.METHOD)
        except Unfit as reason:
            seen.append({"method": "measure_mitigation", "applied": False, "why": f"{reason}, not applied"})
    if options.zne:
        proposed = replace(recipe, zne=options.zne)
        plain = counts
        factors = options.zne.factors[1:]
        attempt(
            "zne",
            proposed,
            lambda it: plain | trial.counts(twin.circuit, it, factors),
            noise_factors=list(options.zne.factors),
            extrapolator=options.zne.extrapolator,
        )
    return recipe, seen


def _distance(trial: Trial, twin: Twin, counts: ByFactor, recipe: Recipe) -> tuple[float, float]:
    """Root mean square of what the values are off by, and about how far shots alone may move it."""
    values, stds = trial.values(counts, recipe)
    scatter = float(np.sqrt(np.mean(stds**2) / len(stds)))
    return float(np.sqrt(np.mean((values - twin.values) ** 2))), scatter
