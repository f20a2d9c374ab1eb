"""How long an engine would take and how much memory it would need, from a program's features.

Formulas with constants fitted once to one machine (`benchmarks/README.md`); each prediction carries how far off it may
be. A decision diagram's size nobody can foretell: it is only ever tried, never trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backends.router.features import Features

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Predicted:
    """Seconds of one thread, the factor by which they may be exceeded, and bytes at the peak."""

    seconds: float
    spread: float
    memory_bytes: int


Model = Callable[[Features, int], Predicted]


def predict(engine: str, features: Features, shots: int) -> Predicted:
    """What a run of `shots` shots takes. Raises KeyError for an engine that nobody has measured."""
    return _MODELS[engine](features, shots)


def _dense(base_s: float, amplitude_s: float, shot_s: float, arrays: int, random_s: float) -> Model:
    def model(features: Features, shots: int) -> Predicted:
        traits = features.traits
        state = 2.0**traits.busy
        gates_s = traits.gates * (2e-6 + amplitude_s * state)
        if traits.terminal:
            seconds = base_s + gates_s + state * 4e-9 + shots * shot_s
        else:
            seconds = base_s + shots * (random_s + gates_s)
        return Predicted(seconds, 3, int(16 * arrays * state) + _MIB)

    return model


def _sparse(features: Features, shots: int) -> Predicted:
    terms = 2.0 ** min(features.branching, 40)
    seconds = 3e-4 + features.traits.gates * (2e-5 + 4e-8 * terms) + shots * 1e-7
    return Predicted(seconds, 4, int(160 * terms))


def _stim(features: Features, shots: int) -> Predicted:
    gates = features.traits.gates
    return Predicted(4e-4 + 2e-6 * gates + shots * (gates + 20 * features.looking) * 1e-9, 3, 64 * _MIB)


def _tableau(base_s: float, shot_s: float) -> Model:
    def model(features: Features, shots: int) -> Predicted:
        traits = features.traits
        runs = 1 if traits.terminal else shots
        each = traits.gates * (1e-6 + 2e-9 * traits.busy) * runs
        return Predicted(base_s + each + shots * traits.busy**2 * shot_s, 4, 64 * _MIB)

    return model


def _mps(base_s: float, most: int) -> Model:
    def model(features: Features, shots: int) -> Predicted:
        traits = features.traits
        # Bounds on bonds are rarely reached in full.
        bond = 2.0 ** min(0.85 * features.bond, most)
        run = features.entangling * (6e-5 + 3e-8 * bond**3) + traits.gates * 1e-5
        drawing = shots * traits.busy * (1e-6 + 6e-9 * bond**2)
        seconds = base_s + (run + drawing if traits.terminal else shots * run)
        return Predicted(seconds, 30, int(64 * traits.busy * bond**2) + _MIB)

    return model


_MODELS: Mapping[str, Model] = {
    "aer.statevector": _dense(1.2e-3, 8e-10, 2e-7, 2, 3e-5),
    "aer.matrix_product_state": _mps(2e-3, 20),
    "aer.stabilizer": _tableau(1.5e-3, 3e-9),
    "sparse": _sparse,
    "stim": _stim,
    "prismq.statevector": _dense(1.5e-4, 9e-10, 1e-7, 3, 2e-5),
    "prismq.clifford": _tableau(1.5e-4, 1e-9),
    "qulacs": _dense(2.5e-4, 9e-10, 2e-7, 2, 1),
}
