"""Puts what was drawn for qubits into the classical bits that hear of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backends.program import Op, Program, busy, readout
from backends.registers import Bits


class Ending:
    """The end of a program that one final state tells: its gates, and which busy qubits are asked for.

    `lines` gives each busy qubit its place in the engine; `asked` the places whose outcomes are wanted, in the order
    in which `place` takes them as columns.
    """

    __slots__ = ("_columns", "asked", "clbits", "gates", "lines")

    def __init__(self, program: Program, outcome: Mapping[int, int]) -> None:
        qubits = busy(program.operations)
        self.clbits = program.clbits
        self.lines = {qubit: line for line, qubit in enumerate(qubits)}
        self.gates = tuple(op for op in program.operations if op.name not in ("measure", "reset"))
        heard = {bit: self.lines[qubit] for bit, qubit in outcome.items() if qubit in self.lines}
        self.asked = tuple(sorted(set(heard.values())))
        columns = {line: column for column, line in enumerate(self.asked)}
        self._columns = {bit: columns[line] for bit, line in heard.items()}

    def local(self) -> tuple[Op, ...]:
        """The gates with busy qubits counted from 0."""
        lines = self.lines
        if all(qubit == line for qubit, line in lines.items()):
            return self.gates
        return tuple(op._replace(qubits=tuple([lines[qubit] for qubit in op.qubits])) for op in self.gates)

    def place(self, drawn: NDArray[np.bool_] | Bits) -> Bits:
        """Outcomes of the asked lines, shape (shots, asked), as classical bits."""
        bits = np.zeros((len(drawn), self.clbits), dtype=np.uint8)
        if self._columns:
            bits[:, list(self._columns)] = drawn[:, list(self._columns.values())]
        return bits

    def place_indices(self, indices: NDArray[np.int64]) -> Bits:
        """Outcomes as basis states of all lines, line 0 lowest."""
        bits = np.zeros((len(indices), self.clbits), dtype=np.uint8)
        for bit, column in self._columns.items():
            bits[:, bit] = (indices >> self.asked[column]) & 1
        return bits


def ending_of(program: Program) -> Ending | None:
    """The program's ending; None where outcomes are random before the end."""
    outcome = readout(program)
    return None if outcome is None else Ending(program, outcome)
