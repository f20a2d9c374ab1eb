"""Pauli twirling: random Paulis around two-qubit gates that change nothing but what their errors add up to."""

from __future__ import annotations

from qiskit.circuit import QuantumCircuit, pauli_twirl_2q_gates
from qiskit.transpiler import Target

from backends.mitigation.decoupling import Unfit

TWIRLED = ("cx", "cz", "ecr", "iswap")
"""Two-qubit gates with Paulis on both sides; others have none that Qiskit knows."""


def twirled(circuit: QuantumCircuit, target: Target, copies: int, seed: int) -> list[QuantumCircuit]:
    """So many random copies, each over the target's gates."""
    present = set(circuit.count_ops())
    if not present & set(TWIRLED):
        raise Unfit(f"the circuit has none of the gates that can be twirled: {', '.join(TWIRLED)}")
    made: list[QuantumCircuit] = pauli_twirl_2q_gates(circuit, seed=seed, num_twirls=copies, target=target)
    return made
