"""Which of a program's equivalent forms to run: as it was written, or with its measurements put off to the end.

Putting off saves the restart for each shot and costs qubits; the predictions decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from backends.engines.port import Budget, Engine
from backends.engines.traits import traits_of
from backends.gates import CLIFFORD
from backends.program import LOOKING, Program, readout
from backends.reductions import Part, Reduced, reduce
from backends.reductions.deferring import deferred
from backends.router.at_once import at_once
from backends.router.features import features_of
from backends.router.predicting import COUNTED
from backends.router.routing import suitable

_WORTH_IT_S = 1e-3
"""What is done in less needs no second form."""


def simplest(program: Program, shots: int, engines: Mapping[str, Engine], budget: Budget) -> Reduced:
    """The reduced form that is expected to take least."""
    return forms(program, shots, engines, budget)[0]


def forms(program: Program, shots: int, engines: Mapping[str, Engine], budget: Budget) -> tuple[Reduced, ...]:
    """The reduced forms that are worth a try, the one that is expected to take least first. Where reducing would take
    longer than running, only the program as it is.
    """
    if at_once(traits_of(program), engines):
        return (Reduced(program.clbits, (Part(program, tuple(range(program.clbits))),), {}),)
    reduced = reduce(program)
    if all(_plain(part.program) for part in reduced.parts):
        return (reduced,)
    as_written_s = expected_s(reduced, shots, engines, budget)
    if as_written_s < _WORTH_IT_S or (later := deferred(program)) is None:
        return (reduced,)
    other = reduce(later)
    other = replace(other, steps=("measurements put off to the end", *other.steps))
    if expected_s(other, shots, engines, budget) >= as_written_s:
        return reduced, other
    return other, reduced


def expected_s(reduced: Reduced, shots: int, engines: Mapping[str, Engine], budget: Budget) -> float:
    """Seconds for all parts, each by the engine that is expected to be the quickest; infinite if one fits nowhere."""
    total_s = 0.0
    for part in reduced.parts:
        fitting = [
            one.predicted.seconds
            for one in suitable(features_of(part.program), shots, engines)
            if one.engine.name in COUNTED or one.predicted.memory_bytes <= budget.memory_bytes
        ]
        total_s += min(fitting, default=math.inf)
    return total_s


def _plain(program: Program) -> bool:
    """One final state tells all, or tableaus do."""
    return readout(program) is not None or all(op.name in CLIFFORD or op.name in LOOKING for op in program.operations)
