"""Predictions order engines as they were measured, and know what fits."""

from __future__ import annotations

import math

import pytest

from backends.engines.roster import engines
from backends.program import Op, Program
from backends.router import predicting
from backends.router.features import features_of
from backends.router.predicting import formula, numbers_of, predict


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
        assert formula(engine, some, 10).seconds <= formula(engine, some, 1_000).seconds
        assert formula(engine, some, 10).seconds <= formula(engine, more, 10).seconds


def test_what_nobody_has_measured_is_not_predicted() -> None:
    with pytest.raises(KeyError):
        predict("nobody's", features_of(layers(2, 1)), 1)


@pytest.mark.parametrize("engine", [engine.name for engine in engines()])
def test_what_is_expected_lies_between_least_and_most(engine: str) -> None:
    for program in (layers(3, 1), layers(14, 6), layers(60, 2)):
        found = predict(engine, features_of(program), 1024)
        assert found.least_s <= found.seconds <= found.most_s


def test_a_correction_moves_what_is_expected_and_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    features = features_of(layers(14, 6))
    plain = formula("aer.statevector", features, 1024)
    tenfold = (1.0, *[0.0] * (len(numbers_of(features)) - 1))
    monkeypatch.setattr(predicting, "learned", lambda: {"aer.statevector": tenfold})
    assert predict("aer.statevector", features, 1024).seconds == pytest.approx(min(10 * plain.seconds, plain.most_s))
    monkeypatch.setattr(predicting, "learned", dict)
    assert predict("aer.statevector", features, 1024) == plain


def test_every_engine_that_was_fitted_is_one_with_a_formula() -> None:
    features = features_of(layers(3, 1))
    assert predicting.learned()
    for engine, weights in predicting.learned().items():
        assert len(weights) == len(numbers_of(features))
        assert formula(engine, features, 1).memory_bytes > 0


def test_a_sparse_state_is_promised_only_where_it_stays_small() -> None:
    assert formula("prismq.sparse", features_of(layers(10, 1)), 10).most_s < 1
    assert math.isinf(formula("prismq.sparse", features_of(layers(16, 1)), 10).seconds)
