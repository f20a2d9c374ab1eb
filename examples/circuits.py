"""The circuits of the examples: ordinary ones, as startups send them."""

from __future__ import annotations

from qiskit import QuantumCircuit
from qiskit.circuit.library import QFTGate, real_amplitudes

TELEPORT_QASM2 = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg a[1];
creg b[1];
creg out[1];
ry(0.8) q[0];
h q[1];
cx q[1],q[2];
cx q[0],q[1];
h q[0];
measure q[0] -> a[0];
measure q[1] -> b[0];
if (b==1) x q[2];
if (a==1) z q[2];
measure q[2] -> out[0];
"""

TOSS_QASM3 = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] coin;
h q[0];
h q[1];
coin = measure q;
"""

BAD_QASM = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
hadamard q[0];
measure q -> c;
"""


def bell() -> QuantumCircuit:
    """Two qubits that always agree."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def ghz(qubits: int) -> QuantumCircuit:
    """All zeros or all ones."""
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(1, qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def qft(qubits: int) -> QuantumCircuit:
    """The Fourier transform of a phase gradient: one outcome, always the same."""
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.h(qubit)
        circuit.p(5 * 2 * 3.141592653589793 / 2 ** (qubits - qubit), qubit)
    circuit.append(QFTGate(qubits).inverse(), range(qubits))
    circuit.measure_all()
    return circuit


def ansatz(qubits: int) -> QuantumCircuit:
    """A hardware-efficient trial state with 3 × qubits parameters."""
    return real_amplitudes(qubits, reps=2)


def ising(qubits: int) -> list[str]:
    """Observables of a short Ising chain, one Pauli string each."""
    pairs = ["".join("Z" if k in (j, j + 1) else "I" for k in range(qubits)) for j in range(qubits - 1)]
    return [*pairs, "X" * qubits]
