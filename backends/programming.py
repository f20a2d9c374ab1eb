"""From Qiskit's circuits to programs: gates by their definitions, control flow as conditions, parameters as places.

About 2 µs an operation. What has a definition is followed into it; what is left has a name of `program.GATES` or is
renamed to one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from qiskit.circuit import (
    CASE_DEFAULT,
    BoxOp,
    CircuitInstruction,
    ControlFlowOp,
    ForLoopOp,
    IfElseOp,
    Operation,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    SwitchCaseOp,
)

from backends.binding import Binding, Place, plan
from backends.conditions import Computed, clauses_of, opposite, switch_of
from backends.flatten import DEPTH_MAX, JUMPS, body_of, has_amplitudes
from backends.gates import is_genuine
from backends.parameters import Values
from backends.program import GATES, LOOKING, WIDE, Clause, Op, Program, Unflat
from backends.rejected import Rejected

KEPT = frozenset(GATES)
_SILENT = frozenset({"barrier", "delay", "id", "global_phase"})
_QUARTER = math.pi / 2
_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0, "ps": 1e-3}

_Renamed = tuple[str, tuple[Any, ...]]
RENAMED: dict[str, Callable[..., _Renamed]] = {
    "u1": lambda turn: ("p", (turn,)),
    "u2": lambda phi, lam: ("u", (_QUARTER, phi, lam)),
    "u3": lambda theta, phi, lam: ("u", (theta, phi, lam)),
    "r": lambda theta, phi: ("u", (theta, phi - _QUARTER, _QUARTER - phi)),
    "cu1": lambda turn: ("cp", (turn,)),
    "cu3": lambda theta, phi, lam: ("cu", (theta, phi, lam, 0.0)),
    "cs": lambda: ("cp", (_QUARTER,)),
    "csdg": lambda: ("cp", (-_QUARTER,)),
    "mcphase": lambda turn: ("mcp", (turn,)),
}
BASIS = (KEPT | _SILENT | set(RENAMED) | (WIDE - {"mcp"}) | {"pauli", "measure", "reset"}) - {"global_phase"}
"""What is taken as it stands."""


class _Unflat(Exception):  # noqa: N818 - the state, caught here
    """Carries the reason out of the recursion."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A program whose places of open parameters hold 0, and how to fill them."""

    program: Program
    binding: Binding

    def programs(self, values: Values) -> Iterator[Program]:
        """One program for every parameter set; `values` has shape (sets, parameters)."""
        if not self.binding.places:
            yield from repeat(self.program, len(values))
            return
        filled = self.binding.fill(values)
        operations = list(self.program.operations)
        for index in range(len(values)):
            for (position, place), numbers in filled:
                op = operations[position]
                params = (*op.params[:place], numbers[index], *op.params[place + 1 :])
                operations[position] = Op(op.name, op.qubits, params, op.clbits, op.condition)
            yield Program(self.program.qubits, self.program.clbits, tuple(operations))


def program_of(circuit: QuantumCircuit) -> Program | Unflat:
    """The program of a circuit without open parameters."""
    template = template_of(circuit)
    return template if isinstance(template, Unflat) else template.program


def template_of(
    circuit: QuantumCircuit, *, dt_ns: float | None = None, parameters: Sequence[Parameter] | None = None
) -> Template | Unflat:
    """The program of a circuit with its places for parameters. Refuses what `flatten` refuses.

    With `dt_ns`, the step of a device's clock (0 where it is unknown), what takes time and does nothing is kept:
    "delay" with its nanoseconds, and "barrier". `parameters`: those that values are given for, where the circuit was
    compiled and has lost some of them; by default its own.
    """
    writer = _Writer(dt_ns)
    qubits = {bit: index for index, bit in enumerate(circuit.qubits)}
    clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
    try:
        writer.block(circuit, qubits, clbits, (), {})
    except (_Unflat, Computed) as reason:
        return Unflat(str(reason))
    program = Program(circuit.num_qubits, circuit.num_clbits, tuple(writer.operations))
    return Template(program, plan(writer.found, tuple(circuit.parameters if parameters is None else parameters)))


class _Writer:
    """The operations so far, and where parameters go among them."""

    __slots__ = ("depth", "dt_ns", "found", "operations")

    def __init__(self, dt_ns: float | None) -> None:
        self.depth = 0
        self.dt_ns = dt_ns
        self.operations: list[Op] = []
        self.found: list[tuple[Place, ParameterExpression]] = []

    def block(
        self,
        block: QuantumCircuit,
        qubits: Mapping[Any, int],
        clbits: Mapping[Any, int],
        condition: tuple[Clause, ...],
        loops: Mapping[Any, float],
    ) -> None:
        """Append a circuit or block, its bits standing for these."""
        append = self.operations.append
        for instruction in block.data:
            name = instruction.name
            where = tuple([qubits[bit] for bit in instruction.qubits])
            if instruction.is_standard_gate():
                if name in KEPT:
                    params = instruction.params
                    append(Op(name, where, self.numbers(params, loops) if params else (), (), condition))
                elif name in BASIS:
                    self.other(name, where, instruction.params, condition, loops)
                elif name != "global_phase":
                    self.defined(instruction.operation, where, (), condition, loops)
                continue
            self.special(instruction, where, clbits, condition, loops)

    def special(
        self,
        instruction: CircuitInstruction,
        where: tuple[int, ...],
        clbits: Mapping[Any, int],
        condition: tuple[Clause, ...],
        loops: Mapping[Any, float],
    ) -> None:
        """Anything but a standard gate."""
        name, operation = instruction.name, instruction.operation
        heard = tuple([clbits[bit] for bit in instruction.clbits])
        if name in BASIS and is_genuine(instruction) and (name != "initialize" or has_amplitudes(operation)):
            if name in LOOKING:
                self.operations.append(Op(name, where, (), heard, condition))
            elif name not in _SILENT:
                self.other(name, where, operation.params, condition, loops)
            elif self.dt_ns is not None:
                self.waiting(name, operation, where, self.dt_ns)
        elif isinstance(operation, ControlFlowOp):
            self.control_flow(operation, where, heard, clbits, condition, loops)
        elif isinstance(operation, JUMPS):
            raise _Unflat(f'the operation "{name}" belongs to no flat program')
        elif where:
            self.defined(operation, where, heard, condition, loops)

    def defined(
        self,
        operation: Operation,
        where: tuple[int, ...],
        heard: tuple[int, ...],
        condition: tuple[Clause, ...],
        loops: Mapping[Any, float],
    ) -> None:
        """A gate that means what it is made of."""
        if self.depth >= DEPTH_MAX:
            detail = f'the gate "{operation.name}" is defined by itself or too deep; flatten it'
            raise Rejected("circuit_too_large", detail, {})
        body = body_of(operation)
        self.depth += 1
        self.block(
            body,
            dict(zip(body.qubits, where, strict=True)),
            dict(zip(body.clbits, heard, strict=True)),
            condition,
            loops,
        )
        self.depth -= 1

    def other(
        self,
        name: str,
        where: tuple[int, ...],
        params: Sequence[Any],
        condition: tuple[Clause, ...],
        loops: Mapping[Any, float],
    ) -> None:
        """A gate that is renamed, or one of any width."""
        if name == "id":
            return
        if name in RENAMED:
            name, params = RENAMED[name](*params)
            self.operations.append(Op(name, where, self.numbers(params, loops), (), condition))
        elif name == "mcx":
            narrow = {1: "x", 2: "cx", 3: "ccx"}.get(len(where), name)
            self.operations.append(Op(narrow, where, (), (), condition))
        elif name == "pauli":
            for qubit, letter in zip(where, reversed(params[0]), strict=True):
                if letter != "I":
                    self.operations.append(Op(letter.lower(), (qubit,), (), (), condition))
        elif name == "unitary" and len(where) == 1:
            self.operations.append(Op("u", where, _euler(np.asarray(params[0])), (), condition))
        elif name in ("unitary", "diagonal", "initialize"):
            entries = np.asarray(params[0] if name == "unitary" else params, dtype=complex)
            self.operations.append(Op(name, where, tuple(entries.ravel().tolist()), (), condition))
        else:
            raise _Unflat(f'the operation "{name}" belongs to no flat program')

    def waiting(self, name: str, operation: Any, where: tuple[int, ...], dt_ns: float) -> None:
        """A barrier, or a delay in nanoseconds."""
        if name == "barrier":
            self.operations.append(Op(name, where))
            return
        step_ns = _NS.get(operation.unit, dt_ns if operation.unit == "dt" else 0.0)
        if isinstance(operation.duration, ParameterExpression) or not step_ns:
            raise _Unflat(f"a delay of {operation.duration} {operation.unit} has no length in nanoseconds here")
        self.operations.append(Op(name, where, (float(operation.duration) * step_ns,)))

    def numbers(self, params: Sequence[Any], loops: Mapping[Any, float]) -> tuple[float, ...]:
        """The angles of the operation that comes next, 0 where a parameter is open."""
        numbers = []
        for place, param in enumerate(params):
            given = param
            if isinstance(given, ParameterExpression):
                if loops:
                    known = {name: number for name, number in loops.items() if name in given.parameters}
                    given = given.bind(known) if known else given
                if given.parameters:
                    self.found.append(((len(self.operations), place), given))
                    given = 0.0
            numbers.append(float(given))
        return tuple(numbers)

    def control_flow(
        self,
        operation: ControlFlowOp,
        where: tuple[int, ...],
        heard: tuple[int, ...],
        clbits: Mapping[Any, int],
        condition: tuple[Clause, ...],
        loops: Mapping[Any, float],
    ) -> None:
        """Branches become conditions; loops over known numbers are unrolled."""

        def write(block: QuantumCircuit, tests: tuple[Clause, ...], loops: Mapping[Any, float]) -> None:
            inner_qubits = dict(zip(block.qubits, where, strict=True))
            inner_clbits = dict(zip(block.clbits, heard, strict=True))
            self.block(block, inner_qubits, inner_clbits, (*condition, *tests), loops)

        match operation:
            case BoxOp():
                write(operation.blocks[0], (), loops)
            case ForLoopOp():
                indices, parameter, body = operation.params
                for index in indices:
                    write(body, (), loops if parameter is None else {**loops, parameter: index})
            case IfElseOp():
                start = len(self.operations)
                tests = clauses_of(operation.condition, clbits)
                write(operation.blocks[0], tests, loops)
                if len(operation.blocks) > 1:
                    write(operation.blocks[1], opposite(tests), loops)
                self.check(start, tests)
            case SwitchCaseOp():
                start = len(self.operations)
                bits, leading = switch_of(operation.target, clbits)
                named: list[int] = []
                for labels, block in operation.cases_specifier():
                    values = tuple(int(label) for label in labels if label is not CASE_DEFAULT)
                    default = len(values) < len(labels)
                    if leading is not None:
                        values = tuple(number for value in values for number in leading.get(value, ()))
                    # What no other case names: the default is the last one, where it is allowed.
                    test = Clause(bits, tuple(named), False) if default else Clause(bits, values)
                    named += values
                    write(block, (test,), loops)
                self.check(start, (Clause(bits, ()),))
            case _:
                raise _Unflat(f'"{operation.name}" depends on outcomes in a way that no condition can express')

    def check(self, start: int, tests: tuple[Clause, ...]) -> None:
        """A branch must not change what its own later steps still ask for."""
        asked = {bit for test in tests for bit in test.bits}
        if any(not asked.isdisjoint(op.clbits) for op in self.operations[start:-1]):
            raise _Unflat("a branch measures into the bits that it depends on")


def _euler(matrix: np.ndarray[Any, np.dtype[np.complex128]]) -> tuple[float, float, float]:
    """The angles of U(θ, φ, λ) that make this 2 × 2 unitary up to a phase."""
    (a, b), (c, d) = matrix.tolist()
    theta = 2 * math.atan2(abs(c), abs(a))
    if abs(c) < abs(a):
        phase = math.atan2(a.imag, a.real)
        both = math.atan2(d.imag, d.real) - phase
        phi = math.atan2(c.imag, c.real) - phase if abs(c) > 1e-12 else 0.0
        return theta, phi, both - phi
    phase = math.atan2(c.imag, c.real)
    lam_half = math.atan2(-b.imag, -b.real)
    if abs(a) > 1e-12:
        start = math.atan2(a.imag, a.real)
        return theta, phase - start, lam_half - start
    return theta, 0.0, lam_half - phase
