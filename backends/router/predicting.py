"""How long an engine would take and how much memory it would need, from a program's features.

Formulas say what a run takes by the count of its steps; a correction learned from measurements (`fitted.json`, made by
`make train-router`) says by how much such programs have missed the formula. Two kinds of engines: of the *sure* ones
(dense states, tableaus) that tells the time well. Of the *counted* ones (sparse states, matrix product states, decision
diagrams) features only bound the entanglement, often far above it; these engines count their work and stop where they
are told to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import orjson

from backends.engines.on_prismq import RANK_TURNS_MAX
from backends.router.features import Features

_MIB = 1 << 20
COUNTED = ("sparse", "frame", "mps", "ddsim", "prismq.mps")
"""Engines that keep to `Budget.seconds` by counting their work."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """Seconds of one thread, at least, as expected and at most, and bytes at the peak in the worst case.

    Nobody has seen a sure engine take more than its most; that of a counted one follows from bounds.
    """

    least_s: float
    seconds: float
    most_s: float
    memory_bytes: int


_SURELY_SMALL = 14
"""The bound, as a logarithm, up to which sparse states of an engine are trusted that neither counts nor stops."""
_CUT_AT = 8
"""The logarithm of the largest bond that PRISM-Q is asked for."""
_MISSED_MAX = 6.0
"""Beyond a million the correction says nothing."""

Model = Callable[[Features, int], Predicted]


def predict(engine: str, features: Features, shots: int) -> Predicted:
    """What a run of `shots` shots takes. Raises KeyError for an engine that nobody has measured."""
    analytic = _MODELS[engine](features, shots)
    weights = learned().get(engine)
    if weights is None:
        return analytic
    if not math.isfinite(analytic.seconds):
        return analytic
    missed = sum(weight * number for weight, number in zip(weights, numbers_of(features), strict=True))
    seconds = analytic.seconds * 10.0 ** max(-_MISSED_MAX, min(missed, _MISSED_MAX))
    return replace(analytic, seconds=min(max(seconds, analytic.least_s), analytic.most_s))


def formula(engine: str, features: Features, shots: int) -> Predicted:
    """The same without what was learned."""
    return _MODELS[engine](features, shots)


def numbers_of(features: Features) -> tuple[float, ...]:
    """What the fitted model sees: sizes as logarithms, shares as they are."""
    traits = features.traits
    gates = max(1, traits.gates)
    return (
        1.0,
        math.log2(1 + traits.busy),
        math.log2(1 + traits.gates),
        math.log2(1 + features.entangling),
        min(features.bond, 24) / 8,
        min(features.bond, 24) ** 2 / 64,
        min(features.branching, 40) / 8,
        math.log2(1 + features.non_clifford),
        features.generic / gates,
        features.monomial / gates,
        features.entangling / gates,
        min(features.bond, 24) * features.generic / gates / 8,
        min(features.branching, 40) * features.generic / gates / 8,
        math.log2(1 + features.entangling / max(1, traits.busy)),
        math.log2(1 + features.carried),
        0.0 if traits.terminal else 1.0,
        0.0 if traits.terminal else math.log2(1 + features.looking),
    )


@cache
def learned() -> Mapping[str, tuple[float, ...]]:
    """For each engine that was measured the weights of `numbers_of` in the logarithm of the correction."""
    told = orjson.loads(files("backends.router").joinpath("fitted.json").read_bytes())
    return {name: tuple(weights) for name, weights in told["weights"].items()}


def _dense(base_s: float, amplitude_s: float, shot_s: float, arrays: int, random_s: float) -> Model:
    def model(features: Features, shots: int) -> Predicted:
        traits = features.traits
        state = 2.0**traits.busy
        gates_s = traits.gates * (2e-6 + amplitude_s * state)
        if traits.terminal:
            seconds = base_s + gates_s + state * 4e-9 + shots * shot_s
        else:
            seconds = base_s + shots * (random_s + gates_s)
        return Predicted(seconds / 20, seconds, 5 * seconds, int(16 * arrays * state) + _MIB)

    return model


def _stim(features: Features, shots: int) -> Predicted:
    gates = features.traits.gates
    seconds = 4e-4 + 2e-6 * gates + shots * (gates + 20 * features.looking) * 1e-9
    return Predicted(seconds / 3, seconds, 3 * seconds, 64 * _MIB)


def _tableau(base_s: float, shot_s: float) -> Model:
    def model(features: Features, shots: int) -> Predicted:
        traits = features.traits
        runs = 1 if traits.terminal else shots
        each = traits.gates * (1e-6 + 2e-9 * traits.busy) * runs
        seconds = base_s + each + shots * traits.busy**2 * shot_s
        return Predicted(seconds / 4, seconds, 4 * seconds, 64 * _MIB)

    return model


def _aer_mps(features: Features, shots: int) -> Predicted:
    """Aer's matrix product states, for random events before the end: our own take none."""
    traits = features.traits
    bond = 2.0 ** min(0.85 * features.bond, 20)  # bounds are rarely reached in full
    run = features.entangling * (6e-5 + 3e-8 * bond**3) + traits.gates * 1e-5
    drawing = shots * traits.busy * (1e-6 + 6e-9 * bond**2)
    seconds = 2e-3 + (run + drawing if traits.terminal else shots * run)
    return Predicted(seconds / 30, seconds, 3 * seconds, int(64 * traits.busy * bond**2) + _MIB)


def _sparse(features: Features, shots: int) -> Predicted:
    traits = features.traits
    terms = 2.0 ** min(features.branching, 62)
    steps, each_s = traits.gates + features.looking, 3e-5
    if not traits.terminal:
        # Shots that have seen the same stay together.
        terms *= min(shots, 2.0 ** min(features.looking, 60))
        each_s = 6e-5
    least_s = 3e-4 + steps * each_s + shots * 1e-7
    most_s = least_s + (steps * 5e-8 + (traits.gates - features.monomial) * 2e-7) * terms
    return Predicted(least_s, min(most_s, 3 * least_s), most_s, int(min(160 * terms, 2**60)))


def _frame(features: Features, shots: int) -> Predicted:
    """Each turn may make one more qubit active, and passes over all amplitudes."""
    traits = features.traits
    size = 2.0 ** min(features.turns, traits.busy)
    base_s = 3e-4 + traits.gates * 3e-6 + features.turns * (3e-5 + 8e-7 * traits.busy) + traits.busy**2 * 5e-7
    least_s = base_s + traits.busy * shots * 1e-8 + traits.busy**2 * shots * 2e-10
    most_s = least_s + (features.turns + traits.busy) * size * 3e-8
    return Predicted(least_s, most_s, most_s, int(min(80 * size, 2**60)) + _MIB)


def _prismq_sparse(features: Features, shots: int) -> Predicted:
    """Only where the bound says that it stays small: it neither counts nor stops."""
    traits = features.traits
    terms = 2.0**features.branching
    if features.branching > _SURELY_SMALL or not traits.terminal:
        return Predicted(math.inf, math.inf, math.inf, 1 << 60)
    most_s = 2e-4 + traits.gates * (1e-6 + 1e-7 * terms) + shots * 2e-6
    return Predicted(1e-4, 1e-4 + traits.gates * (1e-6 + 2e-8 * terms), most_s, int(200 * terms) + _MIB)


def _prismq_rank(features: Features, shots: int) -> Predicted:
    """Only with few T gates: it neither counts nor stops."""
    traits, turns = features.traits, features.turns
    if turns > RANK_TURNS_MAX:
        return Predicted(math.inf, math.inf, math.inf, 1 << 60)
    seconds = 2e-4 + traits.gates * 1.5e-6 + 2.0**turns * 1e-9 + shots * traits.busy**2 * 1e-11
    return Predicted(seconds / 4, seconds, 20 * seconds, 64 * _MIB)


def _mps(features: Features, shots: int) -> Predicted:
    traits = features.traits
    bond = 2.0 ** min(features.bond, 30)
    updates = max(1, features.entangling)
    least_s = 3e-4 + updates * 8e-5 + traits.gates * 3e-6 + traits.busy * 3e-5
    most_s = least_s + 3 * updates * 2e-8 * bond**3 + traits.busy * shots * 4e-9 * bond**2
    memory = int(min(64 * traits.busy * bond**2, 2**60)) + _MIB
    return Predicted(least_s, min(most_s, 3 * least_s), most_s, memory)


def _prismq_mps(features: Features, shots: int) -> Predicted:
    traits = features.traits
    if not traits.terminal:
        return Predicted(math.inf, math.inf, math.inf, 1 << 60)
    steps, drawn = 2 * features.carried + traits.gates / 8, traits.busy * shots
    least_s = 2e-4 + steps * 1.8e-5 + drawn * 2.5e-7
    if features.bond > _CUT_AT:
        return Predicted(least_s, 2 * least_s, math.inf, 1 << 60)
    bond = 2.0**features.bond
    most_s = least_s + steps * 2.5e-8 * bond**3 + drawn * 5e-10 * bond**2
    return Predicted(least_s, min(2 * least_s, most_s), most_s, int(64 * traits.busy * bond**2) + _MIB)


def _diagram(features: Features, shots: int) -> Predicted:
    least_s = 4e-3 + features.traits.gates * 3e-5 + features.traits.busy * shots * 2e-8
    return Predicted(least_s, 3 * least_s, math.inf, 1 << 60)


_MODELS: Mapping[str, Model] = {
    "aer.statevector": _dense(1.2e-3, 8e-10, 2e-7, 2, 3e-5),
    "aer.matrix_product_state": _aer_mps,
    "aer.stabilizer": _tableau(1.5e-3, 3e-9),
    "stim": _stim,
    "prismq.statevector": _dense(1.5e-4, 9e-10, 1e-7, 3, 2e-5),
    "prismq.clifford": _tableau(1.5e-4, 1e-9),
    "prismq.sparse": _prismq_sparse,
    "prismq.rank": _prismq_rank,
    "prismq.mps": _prismq_mps,
    "qulacs": _dense(2.5e-4, 9e-10, 2e-7, 2, 1),
    "sparse": _sparse,
    "frame": _frame,
    "mps": _mps,
    "ddsim": _diagram,
}
