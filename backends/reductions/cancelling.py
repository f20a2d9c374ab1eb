"""Takes away gates that undo their neighbour, and adds up neighbouring turns about one axis.

Two gates are neighbours when nothing stands between them on any of their qubits. A circuit followed by its inverse
falls together from the middle outwards.
"""

from __future__ import annotations

import math

from backends.program import Op, Program
from backends.reductions.kinds import SYMMETRIC

_OWN_INVERSE = frozenset({"x", "y", "z", "h", "cx", "cy", "cz", "ch", "swap", "ecr", "ccx", "ccz", "cswap", "mcx"})
_INVERSE = {"s": "sdg", "sdg": "s", "t": "tdg", "tdg": "t", "sx": "sxdg", "sxdg": "sx"}
_FULL, _TWICE = 2 * math.pi, 4 * math.pi
_PERIODS = {
    **dict.fromkeys(("rx", "ry", "rz", "p", "cp", "rxx", "ryy", "rzz", "rzx", "mcp"), _FULL),
    # A controlled turn by a full circle is a phase of its control.
    **dict.fromkeys(("crx", "cry", "crz"), _TWICE),
}
_ZERO = 1e-14


def cancelled(program: Program) -> Program:
    """The same program without neighbours that undo each other, up to a global phase."""
    out: list[Op | None] = []
    above: list[list[int]] = [[] for _ in range(program.qubits)]
    for op in program.operations:
        place = _neighbour(op, out, above)
        merged = _merged(out[place], op) if place is not None else op
        if place is not None and merged is not op:
            out[place] = merged
            if merged is None:
                for qubit in op.qubits:
                    above[qubit].pop()
            continue
        for qubit in op.qubits:
            above[qubit].append(len(out))
        out.append(op)
    left = tuple([op for op in out if op is not None])
    return program if len(left) == len(program.operations) else Program(program.qubits, program.clbits, left)


def _neighbour(op: Op, out: list[Op | None], above: list[list[int]]) -> int | None:
    """Where the operation stands that this one may meet, if there is one on the very same qubits."""
    if op.condition:
        return None
    places = {stack[-1] if (stack := above[qubit]) else -1 for qubit in op.qubits}
    if len(places) > 1:
        return None
    (place,) = places
    found = out[place] if place >= 0 else None
    if found is None or found.condition or len(found.qubits) != len(op.qubits):
        return None
    return place


def _merged(before: Op | None, op: Op) -> Op | None:
    """What two neighbours make together: None if nothing is left, `op` itself if they do not merge."""
    assert before is not None
    if before.qubits != op.qubits and not (
        op.name == before.name and op.name in SYMMETRIC and set(before.qubits) == set(op.qubits)
    ):
        return op
    if op.name == before.name:
        if op.name in _OWN_INVERSE:
            return None
        period = _PERIODS.get(op.name)
        if period is not None:
            angle = math.remainder(float(before.params[0].real) + float(op.params[0].real), period)
            return None if abs(angle) < _ZERO else Op(op.name, op.qubits, (angle,))
        if op.name == "u" and _undoes(before, op):
            return None
        return op
    return None if _INVERSE.get(op.name) == before.name else op


def _undoes(before: Op, op: Op) -> bool:
    """U(θ, φ, λ) is undone by U(-θ, -λ, -φ)."""
    (theta, phi, lam), (other, other_phi, other_lam) = before.params, op.params
    sums = (theta + other, phi + other_lam, lam + other_phi)
    return all(abs(total) < _ZERO for total in sums)
