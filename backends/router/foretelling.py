"""What a program is told to take before it runs: the engines that could run it, time and memory.

Routing itself is hopeful: it tries under budgets what might be easy. A promise must not be, so circuits that entangle
thoroughly are taken to entangle as random ones do (docs/decisions/0018).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from backends.engines.port import Budget, Engine
from backends.program import Program
from backends.router.features import Features, features_of
from backends.router.predicting import COUNTED, formula
from backends.router.routing import Candidate, plan, suitable
from backends.router.scrambling import Scrambling, scrambling

_LEAST_BYTES = 64 << 20
"""What an engine that keeps to a budget of memory can always do something with."""
_COUNTLESS_BYTES = 1 << 60
_REACHED = 0.7
"""The part of the bound on a bond, as logarithms, that random circuits need for a fidelity of 0.99."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """Expected seconds of one thread, and the bytes without which no engine can run it; both may be beyond any bound.

    `sure`: whether some engine that fits surely has an answer; else budgeted tries may all end without one. `tries` is
    the order of engines, each with its nominal seconds (infinite where it is run to its end).
    """

    features: Features
    scrambling: Scrambling
    candidates: tuple[Candidate, ...]
    tries: tuple[Candidate, ...]
    seconds: float
    memory_bytes: int
    sure: bool


def foretell(program: Program, shots: int, engines: Mapping[str, Engine], budget: Budget) -> Foretold:
    """Look at a reduced program; about 6 µs an operation."""
    features = features_of(program)
    mixing = scrambling(program)
    candidates = tuple(suitable(features, shots, engines))
    needs = [_needs(one, features, mixing, shots) for one in candidates]
    return Foretold(
        features=features,
        scrambling=mixing,
        candidates=candidates,
        tries=tuple(plan(features, shots, engines, budget)),
        seconds=min((seconds for seconds, memory in needs if memory <= budget.memory_bytes), default=math.inf),
        memory_bytes=min((memory for _, memory in needs), default=_COUNTLESS_BYTES),
        sure=any(one.predicted.memory_bytes <= budget.memory_bytes for one in candidates),
    )


def _needs(one: Candidate, features: Features, mixing: Scrambling, shots: int) -> tuple[float, int]:
    """Expected seconds, and the least memory that gives it a chance."""
    name, predicted = one.engine.name, one.predicted
    if name not in COUNTED:
        return predicted.seconds, predicted.memory_bytes
    if not mixing.thorough:
        return predicted.seconds, min(predicted.memory_bytes, _LEAST_BYTES)
    reached = formula(name, replace(features, bond=math.ceil(_REACHED * features.bond)), shots)
    return reached.most_s, reached.memory_bytes
