"""Mitigated values and samples of one compiled circuit, by whichever of the methods asked for help on its twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from backends import seeds
from backends.compiling.calibrated import Calibrated
from backends.mitigation import readout
from backends.mitigation.cost import Cost
from backends.mitigation.decoupling import Unfit
from backends.mitigation.measuring import Term
from backends.mitigation.options import MitigationOptions
from backends.mitigation.readout import Counts, ReadoutError
from backends.mitigation.trying import NOTHING_DONE, Recipe, Runner, Trial, search
from backends.mitigation.twins import twin_of
from backends.rejected import Rejected

_TWIN_SEED = 1_000_003


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """Values and standard errors of terms, what was done for them, and what it took."""

    values: NDArray[np.float64]
    stds: NDArray[np.float64]
    report: Mapping[str, Any]
    cost: Cost
    recipe: Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """The circuits among which a sampler's shots are divided, and how to correct what they give."""

    circuits: tuple[QuantumCircuit, ...]
    report: Mapping[str, Any]
    cost: Cost
    errors: tuple[ReadoutError, ...] | None = None
    """By classical bit, where readout is corrected."""
    recipe: Recipe = NOTHING_DONE

    def quasi_distribution(self, counts: Counts) -> dict[str, float] | None:
        """The corrected distribution; None where readout is not corrected."""
        return None if self.errors is None else readout.quasi_distribution(counts, self.errors)


def estimate(
    circuit: QuantumCircuit,
    terms: Sequence[Term],
    calibrated: Calibrated,
    options: MitigationOptions,
    run: Runner,
    shots: int,
    seed: int,
    known: Recipe | None = None,
) -> Estimated:
    """Values of Pauli products in the final state of a bound, compiled circuit that measures nothing.

    `shots` for each measurement basis, and each factor of noise. `known` is the recipe of another binding of the same
    circuit: then no twin is run. Equal inputs and an equal runner give equal values.
    """
    trial = Trial(calibrated, run, terms, shots, seed)
    recipe, report = _recipe(trial, circuit, options) if known is None else (known, {})
    factors = recipe.zne.factors if recipe.zne else (1.0,)
    values, stds = trial.values(trial.counts(circuit, recipe, factors), recipe)
    return Estimated(values, stds, _told(report, trial), trial.spent, recipe)


def sampling(
    circuit: QuantumCircuit,
    calibrated: Calibrated,
    options: MitigationOptions,
    run: Runner,
    shots: int,
    seed: int,
    known: Recipe | None = None,
) -> Sampling:
    """How to sample a bound, compiled circuit: nothing of the result itself is run here, only the twin.

    Refuses `zne_mitigation` with option_invalid: samples cannot be extrapolated, values can.
    """
    if options.zne:
        detail = "resilience.zne_mitigation extrapolates expectation values; ask the estimator for it, not the sampler"
        raise Rejected("option_invalid", detail, {"option": "resilience.zne_mitigation"})
    outcome = _outcome(circuit)
    terms: list[Term] = [((qubit, "Z"),) for qubit in sorted(set(outcome.values()))]
    terms += [(*first, *second) for first, second in pairwise(terms)]
    trial = Trial(calibrated, run, terms, shots, seed)
    bare = circuit.remove_final_measurements(inplace=False) if terms else circuit
    recipe, report = _recipe(trial, bare, options) if known is None else (known, {})
    copies = trial.dressed(circuit, recipe, seeds.of_pub(seed, 0))
    errors = None
    if recipe.errors is not None:
        perfect = ReadoutError(0.0, 0.0)
        errors = tuple(
            recipe.errors[outcome[place]] if place in outcome else perfect for place in range(circuit.num_clbits)
        )
        report["readout"] = readout.METHOD_M3
    return Sampling(tuple(copies), _told(report, trial), trial.spent, errors, recipe)


def _recipe(trial: Trial, circuit: QuantumCircuit, options: MitigationOptions) -> tuple[Recipe, dict[str, Any]]:
    """What to apply, and the beginning of the report."""
    if not options:
        return Recipe(), {}
    try:
        if not any(trial.terms):
            raise Unfit("nothing is measured")
        twin = twin_of(circuit, trial.terms, seeds.of_pub(trial.seed, _TWIN_SEED))
    except Unfit as reason:
        told = f"{reason}; what cannot be tried is not applied"
        asked = {
            "dynamical_decoupling": options.decoupling,
            "twirling": options.twirls,
            "measure_mitigation": options.readout,
            "zne": options.zne,
        }
        return Recipe(), {
            "methods": [{"method": name, "applied": False, "why": told} for name, wanted in asked.items() if wanted]
        }
    recipe, seen = search(trial, twin, options)
    return recipe, {"methods": seen, "twin": twin.to_json()}


def _told(report: dict[str, Any], trial: Trial) -> dict[str, Any]:
    if not report:
        return report
    if trial.notes:
        report["notes"] = dict(trial.notes)
    report["ran"] = {"circuits": trial.spent.circuits, "shots": trial.spent.shots}
    return report


def _outcome(circuit: QuantumCircuit) -> dict[int, int]:
    """Which qubit each classical bit is measured from last."""
    number = {bit: place for place, bit in enumerate(circuit.qubits)}
    slot = {bit: place for place, bit in enumerate(circuit.clbits)}
    return {slot[each.clbits[0]]: number[each.qubits[0]] for each in circuit.data if each.name == "measure"}
