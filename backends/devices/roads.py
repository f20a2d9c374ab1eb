"""What the ways of simulating noise share: a scheduled circuit over few qubits, and how an answer came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from backends.devices.noise import NoiseModel
from backends.devices.scheduling import IDLE, Schedule
from backends.program import LOOKING, Op, Program, readout
from backends.registers import Bits


@dataclass(frozen=True, slots=True)
class How:
    """By which method, on which engine, and what the answer is off by on purpose (empty: by nothing)."""

    method: str
    engine: str
    version: str
    bias: str = ""
    fidelity: float = 1.0
    """Of tensor methods: a lower bound of each trajectory's."""
    note: str = ""

    def about(self) -> dict[str, Any]:
        """For the metadata of a result."""
        shown = {"method": self.method, "engine": self.engine, "engine_version": self.version}
        shown |= {"bias": self.bias or "none but rounding"}
        if self.fidelity < 1:
            shown |= {"fidelity_at_least": f"{self.fidelity:.6f}"}
        return shown | ({"note": self.note} if self.note else {})


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Outcomes as zeros and ones, shape (shots, clbits)."""

    bits: Bits
    how: How


@dataclass(frozen=True, eq=False)
class Noisy:
    """A scheduled circuit and the noise of its device."""

    schedule: Schedule
    clbits: int
    noise: NoiseModel

    @cached_property
    def lines(self) -> dict[int, int]:
        """The place of each qubit that a gate acts on, or whose outcome steers one: no other needs to be simulated."""
        steering = {
            op.qubits[0] for op in self.schedule.operations if op.name == "measure" and op.clbits[0] in self.steering
        }
        return {qubit: line for line, qubit in enumerate(sorted(steering | set(self.schedule.touched)))}

    @cached_property
    def program(self) -> Program:
        """The operations over the touched qubits counted from 0, without waits; measurements and resets of qubits that
        nothing happens to are left out."""
        operations = [self.local(op) for op in self.schedule.operations if op.name != IDLE and self.concerns(op)]
        return Program(max(1, len(self.lines)), self.clbits, tuple(operations))

    @cached_property
    def outcome(self) -> dict[int, int] | None:
        """For each classical bit the qubit it hears of; None where outcomes are random before the end."""
        operations = tuple(op for op in self.schedule.operations if op.name != IDLE)
        width = 1 + max((qubit for op in operations for qubit in op.qubits), default=0)
        return readout(Program(width, self.clbits, operations))

    @cached_property
    def steering(self) -> frozenset[int]:
        """The classical bits that conditions ask for."""
        return frozenset(bit for op in self.schedule.operations for clause in op.condition for bit in clause.bits)

    @cached_property
    def heard(self) -> dict[int, int]:
        """For each classical bit the qubit that is measured into it last."""
        return {op.clbits[0]: op.qubits[0] for op in self.schedule.operations if op.name == "measure"}

    def concerns(self, op: Op) -> bool:
        """Whether an operation acts on a qubit that is simulated."""
        return all(qubit in self.lines for qubit in op.qubits)

    def local(self, op: Op) -> Op:
        """The operation with its qubits' places."""
        return op._replace(qubits=tuple([self.lines[qubit] for qubit in op.qubits]))

    def misread(self, bits: Bits, rng: np.random.Generator, *, but: Iterable[int] = ()) -> None:
        """Flip outcomes as the readout of their qubits does, all but those of some bits; in place."""
        left_out = set(but)
        for bit, qubit in self.heard.items():
            if bit in left_out:
                continue
            up, down = self.noise.flips(qubit)
            column = bits[:, bit]
            column ^= (rng.random(len(bits)) < np.where(column, down, up)).astype(np.uint8)


def is_gate(op: Op) -> bool:
    """Whether an operation changes a state by itself."""
    return op.name != IDLE and op.name not in LOOKING
