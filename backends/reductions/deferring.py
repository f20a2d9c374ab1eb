"""Puts measurements off to the end: what outcomes decide on the way becomes controlled by the qubits that hold them.

The principle of deferred measurement (M. A. Nielsen, I. L. Chuang, Quantum Computation and Quantum Information, 4.4),
at the cost of a fresh qubit for every one that goes on after it was measured or reset. One run then tells all outcomes,
and every engine can do it, not only those that start again for each shot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from backends.matrices import matrix_of
from backends.program import Clause, Op, Program
from backends.reductions.kinds import DIAGONAL, controls_of

_QUBITS_MAX = 200
_CONTROLS_MAX = 6
_WIDTH_MAX = 4
"""Of a unitary made for a gate that has no controlled form."""
_TURNS: Mapping[str, float] = {
    "z": math.pi,
    "s": math.pi / 2,
    "sdg": -math.pi / 2,
    "t": math.pi / 4,
    "tdg": -math.pi / 4,
}
"""Phases as turns of "p"."""
_CONTROLLED: Mapping[str, str] = {"y": "cy", "h": "ch", "sx": "csx", "rx": "crx", "ry": "cry", "swap": "cswap"}


def deferred(program: Program) -> Program | None:
    """The program with all measurements at its end; None where a condition has no controlled gate or it grows too wide.

    Outcomes have the very same distribution.
    """
    return _Deferral(program).run()


class _TooMuchError(Exception):
    """No controlled gate, or too many qubits."""


class _Deferral:
    """`wires` tells on which qubit of the new program each qubit now lives, `holders` which tells a classical bit."""

    __slots__ = ("_holders", "_looked_at", "_out", "_program", "_qubits", "_touched", "_wires")

    def __init__(self, program: Program) -> None:
        self._program = program
        self._wires = list(range(program.qubits))
        self._qubits = program.qubits
        self._touched: set[int] = set()
        # Qubits whose basis states an outcome depends on: from then on only their phases may change.
        self._looked_at: set[int] = set()
        self._holders: dict[int, int] = {}
        self._out: list[Op] = []

    def run(self) -> Program | None:
        try:
            for op in self._program.operations:
                self._step(op)
        except _TooMuchError:
            return None
        self._out += [Op("measure", (wire,), (), (bit,)) for bit, wire in sorted(self._holders.items())]
        return Program(self._qubits, self._program.clbits, tuple(self._out))

    def _step(self, op: Op) -> None:
        patterns = self._patterns(op.condition)
        if patterns is not None and not patterns[1]:
            return
        match op.name:
            case "measure":
                self._measure(op, patterns)
            case "reset" | "initialize":
                self._reset(op, patterns)
            case _:
                self._gate(op, patterns)

    def _patterns(self, clauses: Sequence[Clause]) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]] | None:
        """Qubits that decide and the values on which something happens; None where it happens always."""
        if not clauses:
            return None
        deciding = sorted({self._holders[bit] for one in clauses for bit in one.bits if bit in self._holders})
        if len(deciding) > _CONTROLS_MAX:
            raise _TooMuchError
        found = []
        for values in product((0, 1), repeat=len(deciding)):
            known = dict(zip(deciding, values, strict=True))
            if all(self._holds(one, known) for one in clauses):
                found.append(values)
        for place in reversed(range(len(deciding))):
            # A qubit whose value changes nothing decides nothing.
            rest = {values[:place] + values[place + 1 :] for values in found}
            if 2 * len(rest) == len(found):
                del deciding[place]
                found = sorted(rest)
        return (tuple(deciding), tuple(found)) if deciding or not found else None

    def _holds(self, clause: Clause, known: Mapping[int, int]) -> bool:
        number = sum(known[self._holders[bit]] << at for at, bit in enumerate(clause.bits) if bit in self._holders)
        return (number in clause.values) == clause.inside

    def _fresh(self) -> int:
        if self._qubits == _QUBITS_MAX:
            raise _TooMuchError
        self._qubits += 1
        return self._qubits - 1

    def _measure(self, op: Op, patterns: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]] | None) -> None:
        wire, bit = self._wires[op.qubits[0]], op.clbits[0]
        if patterns is None:
            self._holders[bit] = wire
            self._looked_at.add(wire)
            return
        # The new value is the outcome where it is measured, and what it was elsewhere.
        told, before = self._fresh(), self._holders.get(bit)
        self._touched.add(told)
        if before is not None:
            self._out.append(Op("cx", (before, told)))
            self._copied(before, told, patterns)
        self._copied(wire, told, patterns)
        self._holders[bit] = told
        self._looked_at.add(told)

    def _reset(self, op: Op, patterns: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]] | None) -> None:
        if patterns is not None:
            if op.name == "initialize":
                raise _TooMuchError
            (qubit,) = op.qubits
            wire, fresh = self._movable(self._wires[qubit]), self._fresh()
            self._wires[qubit] = wire
            self._touched |= {wire, fresh}
            # Moving may have handed on what decides.
            patterns = self._patterns(op.condition)
            assert patterns is not None
            self._controlled(Op("swap", (wire, fresh)), patterns)
            return
        for qubit in op.qubits:
            if self._wires[qubit] in self._touched or self._wires[qubit] in self._looked_at:
                self._wires[qubit] = self._fresh()
        if op.name == "initialize":
            wires = tuple(self._wires[qubit] for qubit in op.qubits)
            self._touched.update(wires)
            self._out.append(Op("initialize", wires, op.params))

    def _gate(self, op: Op, patterns: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]] | None) -> None:
        if patterns is None and op.name == "swap":
            one, other = op.qubits
            self._wires[one], self._wires[other] = self._wires[other], self._wires[one]
            return
        if patterns is not None and op.name == "x":
            wire = self._wires[op.qubits[0]]
            if patterns == ((wire,), ((1,),)):
                # Turned over where it was found to be 1: it is 0 now.
                self._wires[op.qubits[0]] = self._fresh()
                return
        deciding = patterns[0] if patterns else ()
        still = len(op.qubits) if op.name in DIAGONAL else controls_of(op.name, len(op.qubits))
        for place, qubit in enumerate(op.qubits):
            wire = self._wires[qubit]
            if (place >= still and wire in self._looked_at) or wire in deciding:
                self._wires[qubit] = self._movable(wire)
        if patterns is not None:
            # Moving may have handed on what decides.
            patterns = self._patterns(op.condition)
            assert patterns is not None
        moved = op._replace(qubits=tuple([self._wires[qubit] for qubit in op.qubits]), condition=())
        self._touched.update(moved.qubits)
        if patterns is None:
            self._out.append(moved)
        else:
            self._controlled(moved, patterns)

    def _movable(self, wire: int) -> int:
        """The wire itself, after a fresh qubit has taken over what outcomes depend on."""
        if wire not in self._looked_at:
            return wire
        keeper = self._fresh()
        self._out.append(Op("cx", (wire, keeper)))
        self._touched.add(keeper)
        self._looked_at.remove(wire)
        self._looked_at.add(keeper)
        for bit, holder in self._holders.items():
            if holder == wire:
                self._holders[bit] = keeper
        return wire

    def _copied(self, source: int, told: int, patterns: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]) -> None:
        """Adds the source to another qubit on each of the patterns, which may ask for the source itself."""
        deciding, found = patterns
        if source not in deciding:
            self._controlled(Op("cx", (source, told)), patterns)
            return
        place = deciding.index(source)
        self._controlled(Op("x", (told,)), (deciding, tuple(values for values in found if values[place])))

    def _controlled(self, op: Op, patterns: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]) -> None:
        """The gate on each of the patterns; no two of them hold at once."""
        deciding, found = patterns
        self._touched.update(deciding)
        for values in found:
            if (made := _with_controls(op, deciding)) is None:
                self._out.append(_as_unitary(op, deciding, found))
                return
            flips = [Op("x", (qubit,)) for qubit, value in zip(deciding, values, strict=True) if not value]
            self._out += [*flips, made, *flips]


def _with_controls(op: Op, controls: Sequence[int]) -> Op | None:
    """The gate under more controls, up to a phase of these, which outcomes do not tell."""
    qubits = (*controls, *op.qubits)
    match op.name:
        case "x" | "cx" | "ccx" | "mcx":
            return Op({2: "cx", 3: "ccx"}.get(len(qubits), "mcx"), qubits)
        case "z" | "cz" | "ccz" | "s" | "sdg" | "t" | "tdg" | "p" | "rz" | "cp" | "mcp":
            turn = _TURNS.get(op.name.lstrip("c"), math.pi) if not op.params else op.params[0]
            if turn == math.pi and len(qubits) < 4:
                return Op({2: "cz", 3: "ccz"}[len(qubits)], qubits)
            return Op("cp" if len(qubits) == 2 else "mcp", qubits, (turn,))
        case "u" if len(controls) == 1:
            return Op("cu", qubits, (*op.params, 0.0))
        case name if len(controls) == 1 and name in _CONTROLLED:
            return Op(_CONTROLLED[name], qubits, op.params)
    return None


def _as_unitary(op: Op, controls: Sequence[int], found: Sequence[tuple[int, ...]]) -> Op:
    width = len(op.qubits) + len(controls)
    if width > _WIDTH_MAX:
        raise _TooMuchError
    matrix, inner = np.eye(1 << width, dtype=complex), matrix_of(op)
    size = len(inner)
    for at in _places(found):
        matrix[at * size : (at + 1) * size, at * size : (at + 1) * size] = inner
    return Op("unitary", (*op.qubits, *controls), tuple(matrix.ravel().tolist()))


def _places(found: Sequence[tuple[int, ...]]) -> Iterator[int]:
    for values in found:
        yield sum(value << place for place, value in enumerate(values))
