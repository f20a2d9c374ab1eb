"""Repeated gates: how many, where, and nothing changed."""

from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Operator

from backends.mitigation.decoupling import Unfit
from backends.mitigation.folding import folded


def four() -> QuantumCircuit:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cz(0, 1)
    circuit.barrier()
    circuit.rzz(0.3, 1, 2)
    circuit.iswap(0, 2)
    circuit.cx(1, 0)
    return circuit


@pytest.mark.parametrize(
    ("factor", "gates", "came_to"),
    [(1, 4, 1.0), (1.5, 6, 1.5), (2, 8, 2.0), (3, 12, 3.0), (4.5, 18, 4.5), (5, 20, 5.0), (1.2, 4, 1.0), (1.3, 6, 1.5)],
)
def test_gates_grow_by_the_factor(factor: float, gates: int, came_to: float) -> None:
    made, found = folded(four(), factor)
    assert (made.num_nonlocal_gates(), found) == (gates, came_to)
    assert Operator(made).equiv(Operator(four()))
    assert made.count_ops()["h"] == 1


def test_what_cannot_be_repeated() -> None:
    with pytest.raises(Unfit, match="no two-qubit gates"):
        folded(QuantumCircuit(2), 3)
    branching = QuantumCircuit(2, 1)
    branching.measure(0, 0)
    with branching.if_test((0, 1)):
        branching.cx(0, 1)
    with pytest.raises(Unfit, match="branches"):
        folded(branching, 3)
