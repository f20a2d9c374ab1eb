"""Every matrix against Qiskit's own."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit.library import MCPhaseGate, MCXGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, random_unitary

from backends.matrices import matrix_of
from backends.program import GATES, Op


@pytest.mark.parametrize("name", sorted(GATES))
def test_a_gate_has_the_matrix_that_qiskit_gives_it(name: str) -> None:
    width, count = GATES[name]
    params = (0.3, -1.1, 2.2, 0.7)[:count]
    gate = get_standard_gate_name_mapping()[name]
    gate = type(gate)(*params) if params else gate
    assert gate.num_qubits == width
    assert np.allclose(matrix_of(Op(name, tuple(range(width)), params)), Operator(gate).data, atol=1e-12)


def test_wide_gates_have_the_matrices_that_qiskit_gives_them() -> None:
    qubits = (0, 1, 2, 3)
    assert np.allclose(matrix_of(Op("mcx", qubits)), Operator(MCXGate(3)).data)
    assert np.allclose(matrix_of(Op("mcp", qubits, (0.4,))), Operator(MCPhaseGate(0.4, 3)).data)
    unitary = random_unitary(8, seed=3).data
    assert np.allclose(matrix_of(Op("unitary", qubits[:3], tuple(unitary.ravel().tolist()))), unitary)
    assert np.allclose(matrix_of(Op("diagonal", (0, 1), (1, 1j, -1, -1j))), np.diag([1, 1j, -1, -1j]))
