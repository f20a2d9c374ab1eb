"""Terms, bases and values from counts."""

from __future__ import annotations

import math

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit
from qiskit_aer import AerSimulator

from backends.mitigation.measuring import Basis, bases_of, measured, terms_of, value_of
from backends.mitigation.readout import ReadoutError


def test_labels_follow_the_layout() -> None:
    assert terms_of(["XIZ", "III"], [4, 0, 2]) == [((2, "X"), (4, "Z")), ()]


def test_terms_that_agree_share_a_basis() -> None:
    terms = terms_of(["ZZI", "IZZ", "XIX", "IIX", "III", "YII"], range(3))
    bases = bases_of(terms)
    assert [set(basis.terms) for basis in bases] == [{0, 1}, {2, 3}, {5}]
    for basis in bases:
        for index in basis.terms:
            assert set(terms[index]) <= set(basis.letters)


@pytest.mark.parametrize(("letter", "prepare"), [("X", "h"), ("Y", "hs"), ("Z", "")])
@pytest.mark.parametrize("flipped", [False, True])
def test_each_letter_is_measured_by_its_own_turn(letter: str, prepare: str, flipped: bool) -> None:
    circuit = QuantumCircuit(QuantumCircuit(3).qubits, ClassicalRegister(2, "kept"))
    if flipped:
        circuit.x(1)
    for gate in prepare:
        getattr(circuit, gate)(1)
    basis = Basis(((0, "Z"), (1, letter)), (0,))
    made = measured(circuit, basis)
    counts = AerSimulator(seed_simulator=1).run(made, shots=50).result().get_counts()
    assert value_of(((1, letter),), basis, counts, None)[0] == (-1 if flipped else 1)
    assert value_of(((0, "Z"),), basis, counts, None)[0] == 1


def test_values_and_errors_by_hand() -> None:
    basis = Basis(((3, "Z"), (5, "X")), (0,))
    counts = {"00": 60, "01": 20, "10": 15, "11": 5}
    assert value_of(((3, "Z"),), basis, counts, None) == pytest.approx((0.5, math.sqrt(0.75 / 100)))
    value, _ = value_of(((3, "Z"), (5, "X")), basis, counts, None)
    assert value == pytest.approx((60 - 20 - 15 + 5) / 100)


def test_correction_costs_precision() -> None:
    basis = Basis(((3, "Z"),), (0,))
    counts = {"0": 900, "1": 100}
    plain, corrected = (
        value_of(((3, "Z"),), basis, counts, errors) for errors in (None, {3: ReadoutError(0.05, 0.05)})
    )
    assert corrected == pytest.approx((plain[0] / 0.9, plain[1] / 0.9))


def test_a_certain_outcome_still_has_an_error() -> None:
    assert value_of(((0, "Z"),), Basis(((0, "Z"),), (0,)), {"0": 100}, None)[1] > 0
