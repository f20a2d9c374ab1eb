"""What a circuit amounts to, by multiplicity: definitions and loops are multiplied out in numbers, not in gates.

A definition shared by many gates is counted once and used many times. Library gates whose decomposition would itself
be the expense (arrays of amplitudes, evolutions, permutations) count by a formula of their size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from qiskit.circuit import (
    AnnotatedOperation,
    BreakLoopOp,
    CircuitInstruction,
    ContinueLoopOp,
    ControlFlowOp,
    ForLoopOp,
    Operation,
    QuantumCircuit,
    Store,
)
from qiskit.circuit.annotated_operation import ControlModifier, PowerModifier
from qiskit.circuit.library import (
    DiagonalGate,
    ExactReciprocalGate,
    HamiltonianGate,
    Initialize,
    Isometry,
    MCGupDiag,
    PauliEvolutionGate,
    StatePreparation,
    UCGate,
    UCPauliRotGate,
    UnitaryGate,
)
from qiskit.quantum_info import Clifford

from backends.expressions import check_conditions, check_variables
from backends.gates import CLIFFORD, TURNING, definition_of, is_clifford, is_genuine
from backends.limits import Limits
from backends.rejected import Rejected

_AMPLITUDES = (
    DiagonalGate,
    ExactReciprocalGate,
    Initialize,
    Isometry,
    MCGupDiag,
    StatePreparation,
    UCGate,
    UCPauliRotGate,
)
_MATRICES = (UnitaryGate, HamiltonianGate)
_CONTROL_FACTOR = 8


@dataclass(slots=True)
class Structure:
    """Counts of one circuit or definition. `depth` is in operations, an upper bound where definitions are nested;
    `active` is how many qubits have to be simulated: those that something other than a last measurement happens to.
    """

    operations: int = 0
    gates_1q: int = 0
    gates_2q: int = 0
    depth: int = 0
    clifford: bool = True
    measured: bool = False
    mid_circuit: bool = False
    control_flow: bool = False
    active: int = 0


def structure_of(circuit: QuantumCircuit, limits: Limits) -> Structure:
    """Count a circuit. About 2 µs an instruction; never more than `limits.operations` of them.

    Refuses with circuit_too_large, control_flow_too_deep, or circuit_invalid for a gate that has no meaning.
    """
    return _Counter(limits).circuit(circuit, 0, 0, 1)


class _Counter:
    """One count: remembers each definition it has seen, and keeps it alive so that its identity stays its own."""

    __slots__ = ("limits", "seen", "visits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.seen: dict[int, tuple[QuantumCircuit, Structure]] = {}
        self.visits = 0

    def circuit(self, circuit: QuantumCircuit, definition_depth: int, block_depth: int, loop_product: int) -> Structure:
        """Count one circuit at its place in the nesting."""
        check_variables(circuit)
        total = Structure()
        levels: dict[Any, int] = {}
        touched: set[Any] = set()
        measured: set[Any] = set()
        for instruction in circuit.data:
            name, qubits = instruction.name, instruction.qubits
            if name in ("barrier", "delay") and is_genuine(instruction):
                continue
            if name == "measure" and is_genuine(instruction):
                part = _MEASURE
                measured.update(qubits)
            else:
                if not measured.isdisjoint(qubits):
                    total.mid_circuit = True
                if instruction.is_standard_gate():
                    part = self.standard(instruction, name, len(qubits), total.clifford)
                elif name == "reset" and is_genuine(instruction):
                    part = _RESET
                    total.mid_circuit |= not touched.isdisjoint(qubits)
                else:
                    part = self.other(instruction, definition_depth, block_depth, loop_product)
                    total.mid_circuit |= part.mid_circuit or part.measured
                    total.control_flow |= part.control_flow
            total.measured |= part.measured
            if part is not _MEASURE and part is not _RESET:
                touched.update(qubits)
            self.add(total, part)
            clbits = instruction.clbits
            _lift(levels, (*qubits, *clbits) if clbits else qubits, part.depth)
        total.depth = max(levels.values(), default=0)
        random = total.mid_circuit or total.control_flow
        total.active = len(touched | measured) if random else len(touched)
        return total

    def add(self, total: Structure, part: Structure) -> None:
        """Add a part's counts and bound the sum."""
        self.visits += 1
        total.operations += part.operations
        total.gates_1q += part.gates_1q
        total.gates_2q += part.gates_2q
        total.clifford &= part.clifford
        if total.operations > self.limits.operations or self.visits > 2 * self.limits.operations:
            _too_large("operations", max(total.operations, self.visits // 2), self.limits.operations)

    def standard(self, instruction: CircuitInstruction, name: str, width: int, wonder: bool) -> Structure:
        """One of Qiskit's standard gates. `wonder`: whether it still matters that its angles are a Clifford gate's."""
        params = instruction.params
        if not params:
            return _STANDARD[min(width, 3)][name in CLIFFORD]
        for param in params:
            if isinstance(param, float) and not math.isfinite(param):
                detail = f'a gate "{name}" has an angle that is no finite number; replace it'
                raise Rejected("circuit_invalid", detail, {"gate": name})
        return _STANDARD[min(width, 3)][wonder and name in TURNING and is_clifford(name, params)]

    def other(
        self, instruction: CircuitInstruction, definition_depth: int, block_depth: int, loop_product: int
    ) -> Structure:
        """Anything that is no standard gate: control flow, arrays, modified operations, definitions."""
        operation = instruction.operation
        check_conditions(operation)
        if isinstance(operation, (Store, BreakLoopOp, ContinueLoopOp)):
            return Structure(operations=1, depth=1, control_flow=True)
        if isinstance(operation, ControlFlowOp):
            return self.control_flow(operation, definition_depth, block_depth + 1, loop_product)
        width = len(instruction.qubits)
        if isinstance(operation, _MATRICES):
            if width > self.limits.unitary_qubits:
                _too_large("unitary_qubits", width, self.limits.unitary_qubits)
            return _leaf(1, width, clifford=False)
        if isinstance(operation, _AMPLITUDES):
            if width > self.limits.state_qubits:
                _too_large("state_qubits", width, self.limits.state_qubits)
            return _leaf(2 ** (width + 1), width, clifford=False)
        if isinstance(operation, PauliEvolutionGate):
            return _leaf(self.evolution(operation), width, clifford=False)
        if instruction.name in ("pauli", "mcx", "mcphase") and is_genuine(instruction):
            return _leaf(1, width, clifford=instruction.name == "pauli")
        if isinstance(operation, Clifford):
            return _leaf(width * width, width, clifford=True)
        if isinstance(operation, AnnotatedOperation):
            return self.annotated(operation, width, definition_depth)
        return self.defined(operation, width, definition_depth)

    def control_flow(
        self, operation: ControlFlowOp, definition_depth: int, block_depth: int, loop_product: int
    ) -> Structure:
        """Blocks, all of them added up; a for loop's body as often as it runs."""
        if block_depth > self.limits.control_flow_depth:
            bound = self.limits.control_flow_depth
            detail = f"blocks of control flow are nested more than {bound} deep; nest them less"
            raise Rejected("control_flow_too_deep", detail, {"depth_max": bound})
        iterations = 1
        if isinstance(operation, ForLoopOp):
            indices = operation.params[0]
            iterations = len(indices) if abs(getattr(indices, "stop", 0)) < 2**62 else 2**62
            loop_product *= max(1, iterations)
            if loop_product > self.limits.loop_product:
                _too_large("iterations", loop_product, self.limits.loop_product)
        total = Structure(operations=1, depth=1, control_flow=True)
        for block in operation.blocks:
            part = self.circuit(block, definition_depth, block_depth, loop_product)
            total.operations += part.operations * iterations
            total.gates_1q += part.gates_1q * iterations
            total.gates_2q += part.gates_2q * iterations
            total.depth += part.depth * iterations
            total.clifford &= part.clifford
            total.measured |= part.measured
        return total

    def annotated(self, operation: AnnotatedOperation, width: int, definition_depth: int) -> Structure:
        """An operation with modifiers: a power multiplies, a control rewrites."""
        base = operation.base_op
        count = self.count(base, base.num_qubits, definition_depth + 1)
        for modifier in operation.modifiers:
            if isinstance(modifier, PowerModifier):
                if not abs(modifier.power) <= self.limits.operations:
                    _too_large("power", int(min(abs(modifier.power), 2.0**62)), self.limits.operations)
                count *= max(1, math.ceil(abs(modifier.power)))
            elif isinstance(modifier, ControlModifier):
                count *= _CONTROL_FACTOR * max(1, modifier.num_ctrl_qubits)
        if count > self.limits.operations:
            _too_large("operations", count, self.limits.operations)
        return _leaf(count, width, clifford=False)

    def count(self, operation: Operation, width: int, definition_depth: int) -> int:
        """How many operations one bare operation stands for."""
        if isinstance(operation, AnnotatedOperation):
            return self.annotated(operation, width, definition_depth).operations
        holder = QuantumCircuit(operation.num_qubits, operation.num_clbits)
        holder.append(operation, holder.qubits, holder.clbits)
        return max(1, self.circuit(holder, definition_depth, 0, 1).operations)

    def evolution(self, operation: PauliEvolutionGate) -> int:
        """A Pauli evolution: about two gates for every non-identity letter, for every repetition."""
        reps = int(getattr(operation.synthesis, "reps", 1) or 1)
        order = int(getattr(operation.synthesis, "order", 1) or 1)
        if reps > self.limits.evolution_reps or order > 16:
            _too_large("evolution_reps", reps, self.limits.evolution_reps)
        operators = operation.operator if isinstance(operation.operator, list) else [operation.operator]
        terms = sum(len(operator) for operator in operators)
        stages: int = 1 if order == 1 else 2 * 5 ** max(0, order // 2 - 1)
        rotations = reps * stages * max(1, terms)
        if rotations > self.limits.operations:
            _too_large("operations", rotations, self.limits.operations)
        return min(rotations * 2 * max(1, int(operation.num_qubits)), self.limits.operations)

    def defined(self, operation: Operation, width: int, definition_depth: int) -> Structure:
        """A gate that means its definition."""
        depth = definition_depth + 1
        if depth > self.limits.definition_depth:
            _too_large("definition_depth", depth, self.limits.definition_depth)
        definition = definition_of(operation)
        if definition is None:
            if type(operation).__module__.startswith("qiskit.circuit.library"):
                return _leaf(max(1, width * width), width, clifford=False)
            detail = f'the gate "{operation.name}" has no definition; define it or use gates from the library'
            raise Rejected("circuit_invalid", detail, {"gate": str(operation.name)[:100]})
        remembered = self.seen.get(id(definition))
        if remembered is None:
            remembered = (definition, self.circuit(definition, depth, 0, 1))
            self.seen[id(definition)] = remembered
        return remembered[1]


_MEASURE = Structure(operations=1, depth=1, measured=True)
_RESET = Structure(operations=1, depth=1)
_STANDARD = {
    width: {
        clifford: Structure(1, int(width == 1), int(width == 2), int(width > 0), clifford) for clifford in (False, True)
    }
    for width in range(4)
}


def _leaf(operations: int, width: int, *, clifford: bool) -> Structure:
    """Something counted as a whole."""
    pairs = operations if width == 2 else 0
    return Structure(operations, operations if width == 1 else 0, pairs, operations, clifford)


def _too_large(name: str, found: int, bound: int) -> NoReturn:
    words = {
        "operations": "operations, definitions and loops multiplied out",
        "iterations": "loop iterations",
        "unitary_qubits": "qubits under one dense matrix",
        "state_qubits": "qubits under one list of amplitudes",
        "evolution_reps": "repetitions of a Pauli evolution",
        "definition_depth": "gate definitions inside each other",
        "power": "as the power of a gate",
    }[name]
    detail = f"the circuit has {found} {words}, at most {bound} are taken; use fewer or split it"
    raise Rejected("circuit_too_large", detail, {name: found, f"{name}_max": bound})


def _lift(levels: dict[Any, int], bits: Sequence[Any], depth: int) -> None:
    """Put an operation of this depth on top of what its bits carry: the inner loop of every count."""
    level = 0
    for bit in bits:
        known = levels.get(bit, 0)
        if known > level:
            level = known
    level += depth
    for bit in bits:
        levels[bit] = level
