"""Imports OpenQASM 3: the plain part by itself, the rest with Qiskit's importer, made to count before it builds.

The importer evaluates sizes, broadcasts and loops while it walks the program, so the counting sits at the same places:
each override charges what is about to be built and refuses before it is.
"""

# ruff: noqa: N802 - the methods of a visitor are named after the nodes it visits
from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from typing import Any, NoReturn

import openqasm3
from openqasm3 import ast
from openqasm3.parser import QASM3ParsingError
from qiskit.circuit import Gate, QuantumCircuit
from qiskit_qasm3_import.converter import ConvertVisitor

from backends.limits import Limits
from backends.qasm3_plain import read_plain
from backends.qasm_scan import check_hardware_qubits, check_nesting, check_signs, check_size
from backends.rejected import Rejected

# Controlling a gate rewrites its body; a generous bound on the operations each control adds to each of its operations.
_CONTROL_FACTOR = 8


def import_qasm3(text: str, limits: Limits) -> QuantumCircuit:
    """The circuit an OpenQASM 3 program describes. Linear in the text: about 1 µs a byte where the program is plain
    (see `qasm3_plain`), 16 µs where the importer is needed.

    Refuses with circuit_too_large or control_flow_too_deep what would multiply out; the parser's and the importer's own
    errors pass through to the caller.
    """
    check_size(text, limits.qasm3_bytes, "OpenQASM 3")
    check_nesting(text, limits.expression_depth)
    check_signs(text, limits.expression_depth)
    check_hardware_qubits(text, limits)
    plain = read_plain(text, limits)
    return import_by_tree(text, limits) if plain is None else plain


def import_by_tree(text: str, limits: Limits) -> QuantumCircuit:
    """The same by the importer alone, for programs of any kind. The text must have passed the checks above."""
    return BoundedImporter(limits).convert(_parse(text)).circuit


def _parse(text: str) -> ast.Program:
    """The program as a tree; a syntax error says where, which the parser itself only prints."""
    printed = io.StringIO()
    try:
        with redirect_stderr(printed):
            return openqasm3.parse(text)
    except QASM3ParsingError as error:
        said = " ".join((str(error) or printed.getvalue() or _place(error)).split())
        raise Rejected("circuit_invalid", f"OpenQASM 3: {said[:300]}", {"format": "openqasm3"}) from error


def _place(error: QASM3ParsingError) -> str:
    """Line and column of the token at which the parser gave up; it says no word of its own."""
    cause = error.__cause__
    token = getattr(cause.args[0], "offendingToken", None) if cause is not None and cause.args else None
    if token is None:
        return "syntax error"
    return f"syntax error at line {token.line}, column {token.column}: {token.text!r} is not expected here"


class BoundedImporter(ConvertVisitor):  # type: ignore[misc]
    """The importer with a budget of qubits, bits, operations, loop iterations and depth."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._qubits = 0
        self._clbits = 0
        self._weights: dict[str, int] = {}
        self._depths: dict[str, int] = {}
        self._operations = 0
        self._effort = 0
        self._gate_depth = 0
        self._pending = 1
        self._defined = False
        self._blocks = 0
        self._iterations = 1

    def visit_QubitDeclaration(self, node: ast.QubitDeclaration, context: Any) -> Any:
        """Count the qubits first."""
        self._qubits += 1 if node.size is None else self._resolve_constant_int(node.size, context)
        if self._qubits > self._limits.qubits:
            _too_large("qubits", self._qubits, self._limits.qubits, "declare fewer")
        return super().visit_QubitDeclaration(node, context)

    def visit_ClassicalDeclaration(self, node: ast.ClassicalDeclaration, context: Any) -> Any:
        """Count the bits first."""
        if isinstance(node.type, ast.BitType):
            self._clbits += 1 if node.type.size is None else self._resolve_constant_int(node.type.size, context)
            if self._clbits > self._limits.clbits:
                _too_large("clbits", self._clbits, self._limits.clbits, "declare fewer")
        return super().visit_ClassicalDeclaration(node, context)

    def visit_QuantumGateDefinition(self, node: ast.QuantumGateDefinition, context: Any) -> Any:
        """Weigh the body by itself, and remember the weight for every later use of the gate."""
        outside, self._operations, self._gate_depth = self._operations, 0, 1
        result = super().visit_QuantumGateDefinition(node, context)
        self._weights[node.name.name] = max(1, self._operations)
        self._depths[node.name.name] = self._gate_depth
        self._operations = outside
        return result

    def visit_QuantumGate(self, node: ast.QuantumGate, context: Any) -> Any:
        """Charge the gate's weight before its body is copied; modifiers and broadcasts multiply it."""
        name = node.name.name
        self._gate_depth = max(self._gate_depth, 1 + self._depths.get(name, 0))
        if self._gate_depth > self._limits.definition_depth:
            detail = f"gate definitions are nested more than {self._limits.definition_depth} deep; flatten them"
            raise Rejected("circuit_too_large", detail, {"definition_depth_max": self._limits.definition_depth})
        self._pending = self._weights.get(name, 1)
        self._defined = name in self._weights
        self._spend(self._pending if self._defined else 0)
        return super().visit_QuantumGate(node, context)

    def visit_QuantumPhase(self, node: ast.QuantumPhase, context: Any) -> Any:
        """A phase weighs one operation."""
        self._pending, self._defined = 1, False
        return super().visit_QuantumPhase(node, context)

    def _apply_gate_modifier(self, modifier: ast.QuantumGateModifier, gate: Gate, context: Any) -> Gate:
        """Bound what a modifier makes of a gate."""
        if modifier.modifier is ast.GateModifierName.pow:
            bound = self._limits.unitary_qubits
            if gate.num_qubits > bound:
                _too_large("qubits", gate.num_qubits, bound, "a power is computed as a matrix; repeat the gate instead")
            self._spend(4**gate.num_qubits)
        if modifier.modifier in (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl):
            controls = 1 if modifier.argument is None else self._resolve_constant_int(modifier.argument, context)
            if gate.num_qubits + controls > self._limits.qubits:
                _too_large("qubits", gate.num_qubits + controls, self._limits.qubits, "use fewer controls")
            self._pending *= _CONTROL_FACTOR * max(1, controls) if self._defined else 1
        self._spend(self._pending)
        return super()._apply_gate_modifier(modifier, gate, context)

    def _broadcast_gate(self, arguments: Sequence[Any], node: ast.QASMNode) -> Iterator[tuple[Any, ...]]:
        """Charge every copy before the first is made."""
        self._charge(self._pending * max((_length(argument) for argument in arguments), default=1))
        broadcast: Iterator[tuple[Any, ...]] = super()._broadcast_gate(arguments, node)
        return broadcast

    def visit_QuantumMeasurementStatement(self, node: ast.QuantumMeasurementStatement, context: Any) -> Any:
        """A register measures bit by bit."""
        self._charge(_length(self._resolve_qarg(node.measure.qubit, context)))
        return super().visit_QuantumMeasurementStatement(node, context)

    def visit_QuantumReset(self, node: ast.QuantumReset, context: Any) -> Any:
        """A register resets bit by bit."""
        self._charge(_length(self._resolve_qarg(node.qubits, context)))
        return super().visit_QuantumReset(node, context)

    def visit_DelayInstruction(self, node: ast.DelayInstruction, context: Any) -> Any:
        """A register waits bit by bit."""
        self._charge(sum(_length(self._resolve_qarg(qarg, context)) for qarg in node.qubits) or self._qubits)
        return super().visit_DelayInstruction(node, context)

    def visit_BranchingStatement(self, node: ast.BranchingStatement, context: Any) -> Any:
        """One block deeper."""
        return self._deeper(super().visit_BranchingStatement, node, context)

    def visit_WhileLoop(self, node: ast.WhileLoop, context: Any) -> Any:
        """One block deeper."""
        return self._deeper(super().visit_WhileLoop, node, context)

    def visit_Box(self, node: ast.Box, context: Any) -> Any:
        """One block deeper."""
        return self._deeper(super().visit_Box, node, context)

    def visit_ForInLoop(self, node: ast.ForInLoop, context: Any) -> Any:
        """One block deeper, and every operation inside as often as the loop runs."""
        indices, _ = self._resolve_generic(node.set_declaration, context, strict=True)
        outside = self._iterations
        if isinstance(indices, slice) and isinstance(indices.start, int) and isinstance(indices.stop, int):
            span = abs(indices.stop - indices.start)
            self._iterations *= max(1, -(-span // abs(indices.step or 1)))
        elif isinstance(indices, tuple):
            self._iterations *= max(1, len(indices))
        if self._iterations > self._limits.loop_product:
            _too_large("iterations", self._iterations, self._limits.loop_product, "use fewer iterations")
        result = self._deeper(super().visit_ForInLoop, node, context)
        self._iterations = outside
        return result

    def _deeper(self, visit: Any, node: ast.QASMNode, context: Any) -> Any:
        self._blocks += 1
        if self._blocks > self._limits.control_flow_depth:
            detail = (
                f"blocks of control flow are nested more than {self._limits.control_flow_depth} deep; nest them less"
            )
            raise Rejected("control_flow_too_deep", detail, {"depth_max": self._limits.control_flow_depth})
        result = visit(node, context)
        self._blocks -= 1
        return result

    def _charge(self, operations: int) -> None:
        """Count operations of the circuit, or of the gate whose definition is being read."""
        self._operations += operations * self._iterations
        if self._operations > self._limits.operations:
            _too_large("operations", self._operations, self._limits.operations, "use fewer or split the circuit")

    def _spend(self, operations: int) -> None:
        """Count the importer's own work of copying definitions, whether or not the copies are ever used."""
        self._effort += operations
        if self._effort > self._limits.qasm3_copies:
            advice = "definitions are multiplied out; flatten them or send QPY"
            _too_large("copied_operations", self._effort, self._limits.qasm3_copies, advice)


def _length(bits: Any) -> int:
    """How many bits an argument stands for; a single bit has no length."""
    return len(bits) if hasattr(bits, "__len__") else 1


def _too_large(name: str, found: int, bound: int, advice: str) -> NoReturn:
    shown = min(found, 10**18)
    detail = f"the circuit has {shown} {name}, at most {bound} are taken; {advice}"
    raise Rejected("circuit_too_large", detail, {name: shown, f"{name}_max": bound})
