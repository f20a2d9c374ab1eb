"""Stim: Clifford circuits with everything that may happen between their measurements, at any width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import util
from typing import Any

import numpy as np

from backends.conditions import TABLED_BITS
from backends.engines.lowering import cliffordised
from backends.engines.port import Budget, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.release import release_of
from backends.engines.traits import Traits
from backends.program import Clause, Op, Program, readout
from backends.registers import Bits

_NAMES = {
    "x": "X",
    "y": "Y",
    "z": "Z",
    "h": "H",
    "s": "S",
    "sdg": "S_DAG",
    "sx": "SQRT_X",
    "sxdg": "SQRT_X_DAG",
    "cx": "CX",
    "cy": "CY",
    "cz": "CZ",
    "swap": "SWAP",
    "iswap": "ISWAP",
    "measure": "M",
    "reset": "R",
}
_FED = {"x": "CX", "y": "CY", "z": "CZ"}
"""Gates that an outcome may switch, as gates that it controls."""


@cache
def _library() -> Any:
    import stim

    return stim


class OnStim:
    """Stim's frame sampler, and its tableau for expectation values."""

    name = "stim"
    licence = "Apache-2.0"

    @property
    def version(self) -> str:
        """Stim's."""
        return release_of("stim")

    def available(self) -> bool:
        """Whether it is installed."""
        return util.find_spec("stim") is not None

    def obstacle(self, traits: Traits) -> str | None:
        """Clifford gates only; conditions are judged while converting."""
        return None if traits.clifford else "it runs Clifford gates only"

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """All shots at once; conditions on single outcomes become gates that the record controls."""
        return Sampled(_written(program).sample(shots, program.clbits, seed), self._how("frames"))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """-1, 0 or 1 each."""
        if readout(program) is None:
            raise Unsuited("outcomes are random before the end")
        gates = Program(
            program.qubits, 0, tuple(op for op in program.operations if op.name not in ("measure", "reset"))
        )
        stim = _library()
        simulator = stim.TableauSimulator()
        simulator.set_num_qubits(program.qubits)
        simulator.do(_written(gates).circuit())
        values = []
        for pauli in paulis:
            product = stim.PauliString(program.qubits)
            for qubit, letter in pauli:
                product[qubit] = letter
            values.append(float(simulator.peek_observable_expectation(product)))
        return Expected(tuple(values), 0.0, self._how("tableau"))

    def _how(self, method: str) -> How:
        return How(self.name, self.version, method)


class Writer:
    """A circuit for Stim under way, and where each classical bit's last outcome stands in the record.

    As text: Stim reads a line in under a microsecond, and appending a gate from Python takes it twenty.
    """

    __slots__ = ("_lines", "_measured", "slots")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.slots: dict[int, int] = {}
        self._measured = 0

    def append(self, op: Op, misread: float = 0.0) -> None:
        """Append one operation. Raises Unsuited for what is no Clifford gate, or a condition that frames cannot follow.

        `misread`: how often a measurement's outcome is recorded the wrong way round.
        """
        if op.name == "measure" and not op.condition:
            self.add("M", op.qubits, (misread,) if misread else ())
            self.slots[op.clbits[0]] = self._measured
            self._measured += 1
            return
        for name, qubits, _, _, condition in cliffordised((op,)):
            if condition:
                self._fed(op._replace(name=name, qubits=qubits))
            elif name == "ecr":
                for step, places in (("S", (0,)), ("SQRT_X", (1,)), ("CX", (0, 1)), ("X", (0,))):
                    self.add(step, [qubits[place] for place in places])
            else:
                self.add(_NAMES[name], qubits)

    def add(self, name: str, qubits: Sequence[int], probabilities: Sequence[float] = ()) -> None:
        """Append one of Stim's own instructions."""
        odds = f"({','.join(map(repr, probabilities))})" if probabilities else ""
        self._lines.append(f"{name}{odds} {' '.join(map(str, qubits))}")

    def circuit(self) -> Any:
        """Stim's circuit."""
        return _library().Circuit("\n".join(self._lines))

    def sample(self, shots: int, clbits: int, seed: int) -> Bits:
        """Outcomes by classical bit, shape (shots, clbits); a bit that nothing is measured into is 0."""
        bits = np.zeros((shots, clbits), dtype=np.uint8)
        if self.slots:
            record = self.circuit().compile_sampler(seed=seed).sample(shots)
            bits[:, list(self.slots)] = record[:, list(self.slots.values())]
        return bits

    def _fed(self, op: Op) -> None:
        """A Pauli gate that runs where outcomes have a parity: one controlled gate for each; more is not for frames."""
        wanted = _parity(op.condition)
        if op.name not in _FED or wanted is None:
            raise Unsuited("a condition that is no parity of outcomes, or a conditional gate that is no Pauli gate")
        bits, odd = wanted
        if not odd:
            self.add(_NAMES[op.name], op.qubits)
        for bit in bits:
            if bit in self.slots:
                self._lines.append(f"{_FED[op.name]} rec[{self.slots[bit] - self._measured}] {op.qubits[0]}")


def _written(program: Program) -> Writer:
    writer = Writer()
    for op in program.operations:
        writer.append(op)
    return writer


def _parity(condition: Sequence[Clause]) -> tuple[tuple[int, ...], bool] | None:
    """(bits, odd) of a condition that holds where so many of these bits are 1; None of any other."""
    if len(condition) != 1 or len(condition[0].bits) > TABLED_BITS:
        return None
    bits, values, inside = condition[0]
    held = [(number in values) == inside for number in range(1 << len(bits))]
    mask = sum((held[1 << place] != held[0]) << place for place in range(len(bits)))
    if any(held[number] != (held[0] ^ bool((number & mask).bit_count() & 1)) for number in range(len(held))):
        return None
    return tuple(bit for place, bit in enumerate(bits) if mask >> place & 1), not held[0]
