"""Rewrites a circuit over the gates an engine takes, by definitions alone: no search, no optimisation, no surprises.

Qiskit's transpiler would do the same in sixty times the time, would take a gate's name for its meaning, and would merge
Clifford gates into ones that hide them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from qiskit.circuit import (
    BoxOp,
    BreakLoopOp,
    CircuitInstruction,
    Clbit,
    ContinueLoopOp,
    ControlFlowOp,
    Operation,
    QuantumCircuit,
    Qubit,
    Store,
)
from qiskit.circuit.library import Initialize, QFTGate, get_standard_gate_name_mapping
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.quantum_info import Clifford
from qiskit.synthesis import synth_qft_full
from qiskit.transpiler.passes import HighLevelSynthesis

from backends.gates import TURNING, clifford_steps, definition_of, is_genuine
from backends.rejected import Rejected

DEPTH_MAX = 200
"""Definitions inside each other."""
_STANDARD = get_standard_gate_name_mapping()


def flatten(circuit: QuantumCircuit, basis: Collection[str], *, clifford: bool = False) -> QuantumCircuit:
    """The same circuit over `basis`; the very same object when nothing has to change.

    With `clifford`, turns by quarter circles become Clifford gates. Global phases are dropped: no outcome depends on
    them. Refuses with circuit_invalid a gate that has no definition.
    """
    return _Flattener(frozenset(basis), clifford=clifford).circuit(circuit)


class _Flattener:
    """One rewriting: the basis, and whether turns become Clifford gates."""

    __slots__ = ("basis", "clifford")

    def __init__(self, basis: frozenset[str], *, clifford: bool) -> None:
        self.basis = basis
        self.clifford = clifford

    def circuit(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """Rewrite one circuit or block."""
        if all(self.fits(instruction) for instruction in circuit.data):
            return circuit
        out: QuantumCircuit = circuit.copy_empty_like()
        for instruction in circuit.data:
            if self.fits(instruction):
                out._append(instruction)
            else:
                self.emit(out, instruction.operation, instruction.qubits, instruction.clbits, 0)
        return out

    def fits(self, instruction: CircuitInstruction) -> bool:
        """Whether an instruction can stay as it is."""
        name: str = instruction.name
        if name not in self.basis or not is_genuine(instruction):
            return isinstance(instruction.operation, JUMPS)
        if name == "initialize":
            return has_amplitudes(instruction.operation)
        return not (self.clifford and name in TURNING)

    def emit(
        self, out: QuantumCircuit, operation: Operation, qubits: Sequence[Qubit], clbits: Sequence[Clbit], depth: int
    ) -> None:
        """Append one operation, rewritten as far as it has to be."""
        name = operation.name
        if depth > DEPTH_MAX:
            raise Rejected("circuit_too_large", f'the gate "{name}" is defined by itself or too deep; flatten it', {})
        if isinstance(operation, ControlFlowOp):
            self.emit_control_flow(out, operation, qubits, clbits)
            return
        if self.clifford and name in TURNING and operation is not None:
            steps = clifford_steps(name, operation.params)
            if steps is not None:
                for step, places in steps:
                    self.emit(out, _STANDARD[step], [qubits[place] for place in places], (), depth + 1)
                return
        holder = QuantumCircuit(list(qubits), list(clbits))
        holder._append(operation, qubits, clbits)
        if self.fits(holder.data[0]):
            out._append(operation, qubits, clbits)
            return
        if not qubits:
            return
        body = body_of(operation)
        if any(inner.is_control_flow() for inner in body.data):
            out.compose(self.circuit(body), qubits, clbits, inplace=True, inline_captures=True)
            return
        wires = dict(zip((*body.qubits, *body.clbits), (*qubits, *clbits), strict=True))
        for inner in body.data:
            on, to = [wires[bit] for bit in inner.qubits], [wires[bit] for bit in inner.clbits]
            if self.fits(inner):
                out._append(inner.replace(qubits=on, clbits=to))
            else:
                self.emit(out, inner.operation, on, to, depth + 1)

    def emit_control_flow(
        self, out: QuantumCircuit, operation: ControlFlowOp, qubits: Sequence[Qubit], clbits: Sequence[Clbit]
    ) -> None:
        """Rewrite the blocks; a box is only its content."""
        if isinstance(operation, BoxOp):
            out.compose(self.circuit(operation.blocks[0]), qubits, clbits, inplace=True, inline_captures=True)
            return
        blocks = [self.circuit(block) for block in operation.blocks]
        out._append(operation.replace_blocks(blocks), qubits, clbits)


def body_of(operation: Operation) -> QuantumCircuit:
    """What an operation is made of. Refuses with circuit_invalid where nobody says."""
    if isinstance(operation, Clifford):
        return operation.to_circuit()
    if isinstance(operation, QFTGate):
        # What the synthesis below chooses, too, after a tenth of a millisecond instead of two.
        return synth_qft_full(operation.num_qubits)
    definition = definition_of(operation)
    if definition is not None:
        return definition
    holder = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    holder.append(operation, holder.qubits, holder.clbits)
    synthesised = dag_to_circuit(_synthesis().run(circuit_to_dag(holder)))
    if any(inner.name == operation.name and not inner.is_standard_gate() for inner in synthesised.data):
        detail = f'the gate "{operation.name}" has no definition; define it or use gates from the library'
        raise Rejected("circuit_invalid", detail, {"gate": str(operation.name)[:100]})
    return synthesised


@cache
def _synthesis() -> HighLevelSynthesis:
    """It looks for all plug-ins of the installation when it is made."""
    return HighLevelSynthesis()


def has_amplitudes(operation: Initialize) -> bool:
    """Engines take a whole list of complex amplitudes, not a label or a number."""
    return len(operation.params) > 1 and isinstance(operation.params[0], complex)


JUMPS = (Store, BreakLoopOp, ContinueLoopOp)
