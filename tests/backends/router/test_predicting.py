"""Predictions order engines as they were measured, and know what fits."""

from __future__ import annotations

import pytest

from backends.engines.roster import engines
from backends.program import Op, Program
from backends.router.features import features_of
from backends.router.predicting import predict


def layers(qubits: int, depth: int) -> Program:
    gates = []
    for _ in range(depth):
        gates += [Op("ry", (qubit,), (0.3,)) for qubit in range(qubits)]
        gates += [Op("cx", (qubit, qubit + 1)) for qubit in range(qubits - 1)]
    ends = tuple(Op("measure", (qubit,), (), (qubit,)) for qubit in range(qubits))
    return Program(qubits, qubits, (*gates, *ends))


def test_deep_and_narrow_is_dense_shallow_and_wide_is_a_line_of_tensors() -> None:
    deep, wide = features_of(layers(16, 40)), features_of(layers(30, 2))
    assert predict("aer.statevector", deep, 1024).seconds < predict("aer.matrix_product_state", deep, 1024).seconds
    assert predict("aer.matrix_product_state", wide, 1024).seconds < predict("aer.statevector", wide, 1024).seconds


def test_memory_doubles_with_each_qubit() -> None:
    small, large = (predict("aer.statevector", features_of(layers(n, 1)), 1).memory_bytes for n in (20, 21))
    assert 1.8 < large / small < 2.0


def test_more_shots_and_gates_never_take_less() -> None:
    some, more = features_of(layers(10, 2)), features_of(layers(10, 4))
    for engine in ("aer.statevector", "aer.matrix_product_state", "sparse", "prismq.statevector", "stim", "qulacs"):
        assert predict(engine, some, 10).seconds <= predict(engine, some, 1_000).seconds
        assert predict(engine, some, 10).seconds <= predict(engine, more, 10).seconds


def test_what_nobody_has_measured_is_not_predicted() -> None:
    names = {engine.name for engine in engines()}
    assert "ddsim" in names
    with pytest.raises(KeyError):
        predict("ddsim", features_of(layers(2, 1)), 1)
