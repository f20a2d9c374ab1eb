"""What is Aer's own: methods, and the bound on what matrix product states drop. (Its answers: conformance.)"""

from __future__ import annotations

import pytest

from backends.engines.on_aer import OnAer, methods
from backends.engines.port import Budget
from backends.engines.traits import traits_of
from backends.program import Op, Program


def chain(qubits: int) -> Program:
    gates = [Op("ry", (qubit,), (0.4,)) for qubit in range(qubits)]
    gates += [Op("rzz", (qubit, qubit + 1), (0.3,)) for qubit in range(qubits - 1)]
    return Program(qubits, 1, (*gates, Op("measure", (0,), (), (0,))))


def test_each_method_is_an_engine() -> None:
    assert [engine.name for engine in methods()] == [
        "aer.statevector",
        "aer.matrix_product_state",
        "aer.stabilizer",
    ]


def test_truncation_is_bounded_and_told() -> None:
    how = OnAer("matrix_product_state").sample(chain(30), 10, 1, Budget()).how
    assert 0.9998 < how.fidelity < 1
    assert "singular values dropped" in how.note


def test_a_state_that_is_too_wide() -> None:
    assert "fits into no memory" in (OnAer("statevector").obstacle(traits_of(chain(41))) or "")
    with pytest.raises(MemoryError, match="a dense state of 26 qubits needs"):
        OnAer("statevector").sample(chain(26), 1, 1, Budget(memory_bytes=1 << 28))
