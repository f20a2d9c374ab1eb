"""Reads the plain part of OpenQASM 3 by itself, ten times as fast as the importer: registers, gates, measurements.

Whatever is not surely plain is left to the importer: no answer here is no judgement. What is read is the same circuit
that the importer makes; a property test compares both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qiskit.circuit import CircuitError, ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import UGate
from qiskit_qasm3_import.converter import _STDGATES

from backends.limits import Limits

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_HEAD = re.compile(r'\s*OPENQASM\s+3(?:\.[01])?\s*;\s*include\s*"stdgates\.inc"\s*;', re.ASCII)
_NAME = r"[a-z]\w*"
_REGISTER = re.compile(rf"(qubit|bit)\s*\[\s*(\d{{1,6}})\s*\]\s*({_NAME})", re.ASCII)
_INPUT = re.compile(r"input\s+(?:float|angle)(?:\s*\[\s*64\s*\])?\s+([A-Za-z_Α-Ωα-ω][0-9A-Za-z_Α-Ωα-ω]*)")
_MEASURE = re.compile(r"([^=\s][^=]*)=\s*measure\s+(.+)", re.DOTALL)
_CALL = re.compile(r"([A-Za-z]\w*)\s*(?:\(([^()]*)\)\s*|\s)(.+)", re.ASCII | re.DOTALL)
_OPERAND = re.compile(rf"({_NAME})\s*(?:\[\s*(\d{{1,6}})\s*\])?", re.ASCII)
_WHOLE = r"\d{1,15}"
_REAL = r"(?:\d{1,40}\.\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,3})?|\d{1,40}[eE][+-]?\d{1,3}"
_NUMBER = re.compile(rf"(-?)\s*(?:({_REAL})|({_WHOLE}))", re.ASCII)
_TURN = re.compile(rf"(-?)\s*(?:({_REAL}|{_WHOLE})\s*\*\s*)?pi(?:\s*/\s*({_REAL}|{_WHOLE}))?", re.ASCII)
_GATES: dict[str, tuple[Callable[..., Any], int, int]] = {**_STDGATES, "U": (UGate, 3, 1)}
"""By name: what the importer makes of it, its angles, its qubits."""
_TAKEN = frozenset(_GATES) | {
    "OPENQASM", "include", "defcalgrammar", "def", "cal", "defcal", "gate", "extern", "box", "let", "break",
    "continue", "if", "else", "end", "return", "for", "while", "in", "switch", "case", "default", "nop", "pragma",
    "input", "output", "const", "readonly", "mutable", "qreg", "qubit", "creg", "bool", "bit", "int", "uint", "float",
    "angle", "complex", "array", "void", "duration", "stretch", "gphase", "inv", "pow", "ctrl", "negctrl", "dim",
    "durationof", "delay", "reset", "measure", "barrier", "true", "false", "pi", "tau", "euler", "sizeof", "im", "U",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log", "sqrt", "floor", "ceiling", "mod", "popcount",
    "rotl", "rotr", "real", "imag", "π", "τ", "ℇ",
}  # fmt: skip
"""Names that cannot be a register's or an input's, or that only the importer judges."""


def read_plain(text: str, limits: Limits) -> QuantumCircuit | None:
    """The circuit of a program that has nothing but sized registers, float inputs, standard gates with plain angles on
    single qubits or one register, measurements, resets and barriers; None for any other, within the limits or not."""
    plain = _COMMENT.sub(" ", text)
    head = _HEAD.match(plain)
    if head is None:
        return None
    statements = plain[head.end() :].split(";")
    if statements.pop().strip() or len(statements) > limits.operations:
        return None
    reading = _Reading(limits)
    try:
        if all(reading.take(statement.strip()) for statement in statements):
            return reading.finished()
    except (CircuitError, ValueError):
        pass
    return None


@dataclass(slots=True)
class _Reading:
    """The circuit so far; every method that takes something says whether it was plain."""

    limits: Limits
    circuit: QuantumCircuit = field(default_factory=QuantumCircuit)
    qubits: dict[str, QuantumRegister] = field(default_factory=dict)
    bits: dict[str, ClassicalRegister] = field(default_factory=dict)
    inputs: dict[str, Parameter] = field(default_factory=dict)
    operations: int = 0

    def take(self, statement: str) -> bool:
        """One statement without its semicolon."""
        call = _CALL.fullmatch(statement)
        if call is not None and call[1] in _GATES:
            return self._gate(*call.groups())
        measured = _MEASURE.fullmatch(statement)
        if measured is not None:
            return self._measure(measured[1], measured[2])
        if call is not None and call[2] is None and call[1] in ("barrier", "reset"):
            return self._barrier(call[3]) if call[1] == "barrier" else self._reset(call[3])
        return self._declare(statement)

    def finished(self) -> QuantumCircuit | None:
        """The circuit; None where an input is not used (the importer keeps such ones by a trick of its own)."""
        return self.circuit if len(self.inputs) == self.circuit.num_parameters else None

    def _declare(self, statement: str) -> bool:
        declared = _REGISTER.fullmatch(statement)
        name = declared[3] if declared else None
        given = None if declared else _INPUT.fullmatch(statement)
        name = given[1] if given else name
        if name is None or name in _TAKEN or name in self.qubits or name in self.bits or name in self.inputs:
            return False
        if declared is None:
            self.inputs[name] = Parameter(name)
            return True
        quantum, size = declared[1] == "qubit", int(declared[2])
        taken = self.circuit.num_qubits if quantum else self.circuit.num_clbits
        if taken + size > (self.limits.qubits if quantum else self.limits.clbits):
            return False
        register = QuantumRegister(size, name) if quantum else ClassicalRegister(size, name)
        self.circuit.add_register(register)
        (self.qubits if quantum else self.bits)[name] = register
        return True

    def _gate(self, name: str, angles: str | None, operands: str) -> bool:
        build, angle_count, qubit_count = _GATES[name]
        values = [] if angles is None else [self._angle(each.strip()) for each in angles.split(",")]
        if len(values) != angle_count or None in values:
            return False
        targets = [_resolved(each, self.qubits) for each in operands.split(",")]
        if len(targets) != qubit_count or None in targets:
            return False
        (first, *_) = targets
        if isinstance(first, QuantumRegister):
            return qubit_count == 1 and self._broadcast(lambda: build(*values), first)
        if any(isinstance(each, QuantumRegister) for each in targets):
            return False
        self.circuit.append(build(*values), targets, [])
        return self._count(1)

    def _broadcast(self, build: Callable[[], Any], register: QuantumRegister) -> bool:
        if not self._count(len(register)):
            return False
        for qubit in register:
            self.circuit.append(build(), [qubit], [])
        return True

    def _measure(self, target: str, source: str) -> bool:
        bits, qubits = _resolved(target, self.bits), _resolved(source, self.qubits)
        if bits is None or qubits is None:
            return False
        wide = isinstance(bits, ClassicalRegister)
        if wide != isinstance(qubits, QuantumRegister) or (wide and len(bits) != len(qubits)):
            return False
        if not self._count(len(bits) if wide else 1):
            return False
        self.circuit.measure(qubits, bits)
        return True

    def _barrier(self, operands: str) -> bool:
        targets = [_resolved(each, self.qubits) for each in operands.split(",")]
        if None in targets:
            return False
        self.circuit.barrier(*targets)
        return True

    def _reset(self, operand: str) -> bool:
        target = _resolved(operand, self.qubits)
        if target is None or not self._count(len(target) if isinstance(target, QuantumRegister) else 1):
            return False
        self.circuit.reset(target)
        return True

    def _angle(self, written: str) -> Any:
        """A number, a fraction of π, or an input; None for any other expression."""
        number = _NUMBER.fullmatch(written)
        if number is not None:
            sign, real, whole = number.groups()
            value = float(real) if real is not None else int(whole)
            return -value if sign else value
        turn = _TURN.fullmatch(written)
        if turn is None:
            return self.inputs.get(written)
        sign, times, over = turn.groups()
        value = math.pi if times is None else float(times) * math.pi
        value = value if over is None else value / float(over)
        return -value if sign else value

    def _count(self, operations: int) -> bool:
        self.operations += operations
        return self.operations <= self.limits.operations


def _resolved(written: str, registers: dict[str, Any]) -> Any:
    """A register, or one of its bits; None for anything else."""
    operand = _OPERAND.fullmatch(written.strip())
    register = None if operand is None else registers.get(operand[1])
    if operand is None or register is None or operand[2] is None:
        return register
    place = int(operand[2])
    return register[place] if place < len(register) else None
