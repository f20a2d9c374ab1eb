"""Takes angles that are a hair beside a Clifford gate for that gate, where this makes the whole program Clifford.

Texts carry angles with seven digits. Turning by δ too much moves every probability by at most δ, so the sum of what was
moved bounds the distance between the distributions.
"""

from __future__ import annotations

import math

from backends.gates import CLIFFORD, TURNING, clifford_steps
from backends.program import LOOKING, Op, Program

DISTANCE_MAX = 1e-5
"""What no number of shots that anybody pays for can see: a million shots see 10⁻³."""
_QUARTER = math.pi / 2


def snapped(program: Program) -> tuple[Program, float]:
    """The program with its angles on Clifford gates, and a bound on the total variation distance; unchanged, with 0,
    where that is not possible or not needed.
    """
    moved = 0.0
    operations: list[Op] = []
    for op in program.operations:
        if op.name in CLIFFORD or op.name in LOOKING:
            operations.append(op)
            continue
        if op.name not in TURNING:
            return program, 0.0
        if clifford_steps(op.name, op.params) is not None:
            operations.append(op)
            continue
        angles = tuple(round(param.real / _QUARTER) * _QUARTER for param in op.params)
        moved += sum(abs(param.real - angle) for param, angle in zip(op.params, angles, strict=True))
        if moved > DISTANCE_MAX or clifford_steps(op.name, angles) is None:
            return program, 0.0
        operations.append(op._replace(params=angles))
    if not moved:
        return program, 0.0
    return Program(program.qubits, program.clbits, tuple(operations)), moved
