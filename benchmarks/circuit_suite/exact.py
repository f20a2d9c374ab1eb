"""The exact distribution of a circuit's classical bits, by means that share nothing with the engines where it can be.

Up to 14 qubits a final state comes from Qiskit's own `Statevector`, beyond them from Aer's. Circuits that are random
before their end are followed along every branch, in NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from backends.matrices import matrix_of
from backends.program import Program, readout
from benchmarks.circuit_suite.judging import Exact

OWN_QUBITS = 14
DENSE_QUBITS = 25
BRANCHED_QUBITS = 12
BRANCHED_BITS = 18
_BRANCHES_MAX = 1 << 12
_NOTHING = 1e-14

State = NDArray[np.complex128]


def exact_of(circuit: QuantumCircuit, program: Program | None) -> Exact | None:
    """The distribution, or None where it is out of reach; `program` is what the circuit was flattened to."""
    if program is None:
        return None
    outcome = readout(program)
    if outcome is None:
        return _branched(program)
    if not outcome or circuit.num_qubits > DENSE_QUBITS:
        return None if outcome else Exact((), np.ones(1))
    state = _state(circuit)
    columns = tuple(sorted(outcome))
    weights = (state.real**2 + state.imag**2).astype(np.float32)
    return Exact(columns, _marginal(weights, [outcome[column] for column in columns]))


def _state(circuit: QuantumCircuit) -> State:
    bare = circuit.remove_final_measurements(inplace=False)
    if bare.num_qubits < circuit.num_qubits or any(each.name == "measure" for each in bare.data):
        bare = circuit.copy_empty_like()
        for instruction in circuit.data:
            if instruction.name not in ("measure", "barrier"):
                bare.append(instruction)
    if bare.num_qubits <= OWN_QUBITS:
        return np.asarray(Statevector(bare))
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)
    ready = transpile(bare, basis_gates=["u", "cx", "cz", "cp", "ccx", "rzz"], optimization_level=0)
    ready.save_statevector()
    return np.asarray(simulator.run(ready).result().get_statevector())


def _marginal(weights: NDArray[np.float32], qubits: list[int]) -> NDArray[np.float32]:
    """Weights of basis states, summed over all but these qubits, the first of them lowest."""
    count = int(np.log2(len(weights)))
    distinct = list(dict.fromkeys(qubits))
    cube = weights.reshape((2,) * count)
    others = tuple(count - 1 - qubit for qubit in range(count) if qubit not in distinct)
    summed = cube.sum(axis=others, dtype=np.float64) if others else cube
    kept = [qubit for qubit in reversed(range(count)) if qubit in distinct]
    ordered = np.transpose(summed, [kept.index(qubit) for qubit in reversed(distinct)]).ravel()
    if len(distinct) == len(qubits):
        return ordered.astype(np.float32)
    spread = np.zeros(1 << len(qubits), dtype=np.float32)
    index = np.arange(len(ordered))
    place = sum(((index >> distinct.index(qubit)) & 1) << column for column, qubit in enumerate(qubits))
    spread[place] = ordered
    return spread


def _branched(program: Program) -> Exact | None:
    """Every branch on its own, up to a number of them."""
    if program.qubits > BRANCHED_QUBITS or program.clbits > BRANCHED_BITS:
        return None
    start = np.zeros(1 << program.qubits, dtype=complex)
    start[0] = 1
    branches: list[tuple[int, State]] = [(0, start)]
    for op in program.operations:
        following: list[tuple[int, State]] = []
        for bits, state in branches:
            holds = all(
                (sum((bits >> bit & 1) << place for place, bit in enumerate(clause.bits)) in clause.values)
                == clause.inside
                for clause in op.condition
            )
            if not holds:
                following.append((bits, state))
            elif op.name in ("measure", "reset"):
                following += _looked(bits, state, op.name, op.qubits[0], op.clbits, program.qubits)
            elif op.name == "initialize":
                return None
            else:
                following.append((bits, applied(state, matrix_of(op), op.qubits, program.qubits)))
        if len(following) > _BRANCHES_MAX:
            return None
        branches = following
    probabilities = np.zeros(1 << program.clbits)
    for bits, state in branches:
        probabilities[bits] += float(np.vdot(state, state).real)
    return Exact(tuple(range(program.clbits)), probabilities)


def _looked(
    bits: int, state: State, name: str, qubit: int, clbits: tuple[int, ...], count: int
) -> list[tuple[int, State]]:
    """Both outcomes of a measurement or a reset, each state with its weight in its norm."""
    found = []
    cube = state.reshape(1 << (count - 1 - qubit), 2, 1 << qubit)
    for outcome in (0, 1):
        seen = np.zeros_like(cube)
        seen[:, outcome if name == "measure" else 0] = cube[:, outcome]
        if float(np.vdot(seen, seen).real) > _NOTHING:
            kept = bits if name == "reset" else bits & ~(1 << clbits[0]) | outcome << clbits[0]
            found.append((kept, seen.ravel()))
    return found


def applied(state: State, matrix: NDArray[np.complex128], qubits: tuple[int, ...], count: int) -> State:
    """A gate on a state; the first qubit is the lowest bit of the matrix' index."""
    width = len(qubits)
    axes = [count - 1 - qubit for qubit in reversed(qubits)]
    cube = np.moveaxis(state.reshape((2,) * count), axes, range(width))
    turned = (matrix @ cube.reshape(1 << width, -1)).reshape(cube.shape)
    return np.ascontiguousarray(np.moveaxis(turned, range(width), axes)).ravel()
