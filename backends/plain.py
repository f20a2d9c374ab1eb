"""Circuits of standard gates, measurements, resets and barriers alone, which most are: counted and written in one pass.

What `structure_of` and `template_of` say of any circuit, in a third of their time; where they would refuse or look into
definitions, it is left to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qiskit.circuit import CircuitInstruction, ParameterExpression, QuantumCircuit

from backends.binding import Place, plan
from backends.gates import CLIFFORD, TURNING, is_clifford, is_genuine
from backends.program import Op, Program
from backends.programming import KEPT, RENAMED, Template
from backends.structure import Structure


class _Beyond(Exception):  # noqa: N818 - an expected no, caught here
    """Something stands in the circuit that is not for this pass."""


def plain(circuit: QuantumCircuit) -> tuple[Structure, Template] | None:
    """Counts and program; None for circuits with anything else in them. About 2 µs an operation."""
    if circuit.num_vars or circuit.num_stretches:
        return None
    try:
        pass_ = _Pass(circuit)
    except _Beyond:
        return None
    program = Program(circuit.num_qubits, circuit.num_clbits, tuple(pass_.operations))
    return pass_.structure(), Template(program, plan(pass_.found, tuple(circuit.parameters)))


class _Pass:
    """What one pass finds. Levels are how deep the operations on a qubit or bit have grown."""

    __slots__ = (
        "bit_levels", "bits", "clifford", "counts", "found", "levels", "measured", "mid_circuit", "operations",
        "touched",
    )  # fmt: skip

    def __init__(self, circuit: QuantumCircuit) -> None:
        self.operations: list[Op] = []
        self.found: list[tuple[Place, ParameterExpression]] = []
        self.bits = {bit: slot for slot, bit in enumerate(circuit.clbits)}
        self.levels, self.bit_levels = [0] * circuit.num_qubits, [0] * circuit.num_clbits
        self.touched: set[int] = set()
        self.measured: set[int] = set()
        self.counts = [0, 0, 0, 0]
        self.clifford, self.mid_circuit = True, False
        self._walk(circuit)

    def structure(self) -> Structure:
        """The counts, in the words of those who count any circuit."""
        _, alone, pairs, _ = self.counts
        return Structure(
            operations=sum(self.counts),
            gates_1q=alone,
            gates_2q=pairs,
            depth=max(*self.levels, *self.bit_levels, 0, 0),
            clifford=self.clifford,
            measured=bool(self.measured),
            mid_circuit=self.mid_circuit,
            active=len(self.touched | self.measured) if self.mid_circuit else len(self.touched),
        )

    def _walk(self, circuit: QuantumCircuit) -> None:
        places = {bit: place for place, bit in enumerate(circuit.qubits)}
        levels, measured, counts, touch = self.levels, self.measured, self.counts, self.touched.update
        for instruction in circuit.data:
            name = instruction.name
            where = tuple([places[bit] for bit in instruction.qubits])
            if not instruction.is_standard_gate():
                self._other(instruction, name, where)
                continue
            if measured and not measured.isdisjoint(where):
                self.mid_circuit = True
            touch(where)
            params = instruction.params
            if self.clifford and name not in CLIFFORD:
                self.clifford = bool(params) and name in TURNING and is_clifford(name, params)
            self._write(name, where, params)
            if len(where) == 1:
                counts[1] += 1
                levels[where[0]] += 1
                continue
            counts[min(len(where), 3)] += 1
            level = 1 + max([levels[place] for place in where])
            for place in where:
                levels[place] = level

    def _write(self, name: str, where: tuple[int, ...], params: Sequence[Any]) -> None:
        if name in KEPT:
            self.operations.append(Op(name, where, self._numbers(params) if params else ()))
        elif name in RENAMED:
            name, params = RENAMED[name](*params)
            self.operations.append(Op(name, where, self._numbers(params)))
        elif name != "id":
            raise _Beyond

    def _other(self, instruction: CircuitInstruction, name: str, where: tuple[int, ...]) -> None:
        """A measurement, a reset, or what does nothing."""
        if not is_genuine(instruction) or name not in ("measure", "reset", "barrier", "delay"):
            raise _Beyond
        if name in ("barrier", "delay"):
            return
        (place,) = where
        heard = tuple([self.bits[bit] for bit in instruction.clbits])
        level = 1 + max(self.levels[place], *(self.bit_levels[slot] for slot in heard), 0)
        self.levels[place] = level
        for slot in heard:
            self.bit_levels[slot] = level
        self.counts[0] += 1
        if name == "measure":
            self.measured.add(place)
        elif place in self.touched or place in self.measured:
            self.mid_circuit = True
        self.operations.append(Op(name, where, (), heard))

    def _numbers(self, params: Sequence[Any]) -> tuple[float, ...]:
        """The angles of the operation that comes next, 0 where a parameter is open."""
        numbers = []
        for at, param in enumerate(params):
            if type(param) is float:
                number = param
            elif isinstance(param, ParameterExpression) and param.parameters:
                self.found.append(((len(self.operations), at), param))
                number = 0.0
            else:
                number = float(param)
            if not math.isfinite(number):
                raise _Beyond
            numbers.append(number)
        return tuple(numbers)
