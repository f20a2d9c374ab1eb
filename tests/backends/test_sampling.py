"""Sampling: the right distributions, in the right bits of the right registers, by every road through the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import ClassicalRegister, Parameter, ParameterVector, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr
from qiskit.circuit.random import random_circuit
from qiskit.primitives import BitArray, StatevectorSampler
from qiskit.quantum_info import Statevector, random_clifford

from backends import sampling

ALL = ("aer", "aer-statevector", "aer-mps", "aer-stabilizer")
UNIVERSAL = ALL[:3]


def counts(bits: BitArray) -> dict[str, int]:
    found: dict[str, int] = bits.get_counts()
    return dict(sorted(found.items()))


def distance(found: dict[str, int], expected: dict[str, float]) -> float:
    """Half the sum of differences of the two distributions."""
    shots = sum(found.values())
    return sum(abs(found.get(key, 0) / shots - expected.get(key, 0.0)) for key in found.keys() | expected.keys()) / 2


@given(st.integers(0, 10**6), st.sampled_from(UNIVERSAL))
@settings(max_examples=25)
def test_random_circuits_follow_their_state(desk: Any, seed: int, backend: str) -> None:
    circuit = random_circuit(4, 4, max_operands=4, seed=seed)
    expected = Statevector(circuit).probabilities_dict()
    circuit.measure_all()
    (found,) = desk.samples(desk.sampler(circuit, {"shots": 4000}, seed=seed), backend)
    assert distance(counts(found["meas"]), expected) < 0.08


@given(st.integers(0, 10**6))
@settings(max_examples=15)
def test_clifford_circuits_on_the_tableau_follow_their_state(desk: Any, seed: int) -> None:
    circuit = random_clifford(4, seed=seed).to_circuit()
    circuit.rz(math.pi / 2, 0)
    circuit.ry(-math.pi / 2, 1)
    expected = Statevector(circuit).probabilities_dict()
    circuit.measure_all()
    (found,) = desk.samples(desk.sampler(circuit, {"shots": 4000}, seed=seed), "aer-stabilizer")
    assert distance(counts(found["meas"]), expected) < 0.08


@given(st.permutations(range(5)), st.integers(0, 31))
@settings(max_examples=30)
def test_bits_land_where_qiskit_puts_them(desk: Any, order: list[int], flips: int) -> None:
    """Basis states have one outcome; two registers take the qubits in any order, one bit hears of none."""
    circuit = QuantumCircuit(QuantumRegister(5), ClassicalRegister(2, "low"), ClassicalRegister(4, "high"))
    for qubit in range(5):
        if flips >> qubit & 1:
            circuit.x(qubit)
    for bit, qubit in zip((0, 1, 2, 3, 5), order, strict=True):
        circuit.measure(qubit, bit)
    reference = StatevectorSampler().run([circuit], shots=3).result()[0].data
    for backend in ALL:
        (found,) = desk.samples(desk.sampler(circuit, {"shots": 3}), backend)
        assert {name: counts(bits) for name, bits in found.items()} == {
            name: counts(getattr(reference, name)) for name in ("low", "high")
        }


def test_registers_that_nobody_measures_are_zeros(desk: Any) -> None:
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(3, "quiet"), ClassicalRegister(1, "loud"))
    circuit.x(0)
    circuit.measure(0, 3)
    for backend in ALL:
        (found,) = desk.samples(desk.sampler(circuit, {"shots": 5}), backend)
        assert (counts(found["quiet"]), counts(found["loud"])) == ({"000": 5}, {"1": 5})


def test_shapes_are_those_of_the_parameter_sets(desk: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(1, 10)
    circuit.rx(angle, 0)
    circuit.measure(0, 9)
    values = np.array([[[0.0], [math.pi]], [[math.pi], [0.0]], [[0.0], [0.0]]])
    for backend in UNIVERSAL:
        (found,) = desk.samples(desk.sampler(circuit, {"parameter_values": values, "shots": 7}), backend)
        bits = found["c"]
        assert (bits.shape, bits.num_shots, bits.num_bits, bits.array.shape) == ((3, 2), 7, 10, (3, 2, 7, 2))
        assert [[counts(bits[row, column]) for column in range(2)] for row in range(3)] == [
            [{"0000000000": 7}, {"1000000000": 7}],
            [{"1000000000": 7}, {"0000000000": 7}],
            [{"0000000000": 7}, {"0000000000": 7}],
        ]


def test_no_parameter_sets_give_no_shots_and_never_reach_the_engine(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    monkeypatch.setattr(sampling.engine, "execute", None)
    for backend in UNIVERSAL:
        work = desk.sampler(circuit, {"parameter_values": {"npy": desk.npy(np.empty((0, 1)))}, "shots": 7})
        (found,) = desk.samples(work, backend)
        assert found["meas"].array.shape == (0, 7, 1)


def test_a_circuit_that_does_nothing_gives_zeros_without_an_engine(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = QuantumCircuit(100)
    circuit.measure_all()
    monkeypatch.setattr(sampling.engine, "execute", None)
    for backend in ALL:
        (found,) = desk.samples(desk.sampler(circuit, {"shots": 3}), backend)
        assert counts(found["meas"]) == {"0" * 100: 3}


def test_wide_circuits_with_few_busy_qubits(desk: Any) -> None:
    """As a device of 127 qubits gets them."""
    circuit = QuantumCircuit(127, 3)
    circuit.h(100)
    circuit.cx(100, 5)
    circuit.t(5)
    circuit.measure([5, 60, 100], [0, 1, 2])
    for backend in UNIVERSAL:
        (found,) = desk.samples(desk.sampler(circuit, {"shots": 2000}), backend)
        assert distance(counts(found["c"]), {"000": 0.5, "101": 0.5}) < 0.05


def test_more_parameter_sets_than_fit_at_once(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    angles = ParameterVector("angle", 3)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.rx(angles[qubit] * math.pi, qubit)
    circuit.measure_all()
    values = np.array([[number >> qubit & 1 for qubit in range(3)] for number in range(8)], dtype=float)
    work = desk.sampler(circuit, {"parameter_values": values, "shots": 4})
    for name, bound in (("_STATES_AT_ONCE", 3), ("_STATES_BYTES", 300), ("_WORDS_AT_ONCE", 9)):
        monkeypatch.setattr(sampling, name, bound)
        for backend in UNIVERSAL:
            (found,) = desk.samples(work, backend)
            assert [counts(found["meas"][index]) for index in range(8)] == [
                {format(index, "03b"): 4} for index in range(8)
            ]


def test_each_method_has_its_road(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense states are drawn from here, the others where they live."""
    monkeypatch.setattr(sampling, "_from_engine", None)
    desk.samples(desk.sampler(desk.bell()), "aer-statevector")
    monkeypatch.undo()
    monkeypatch.setattr(sampling, "_from_states", None)
    for backend in ("aer-mps", "aer-stabilizer"):
        desk.samples(desk.sampler(desk.bell()), backend)


def test_sets_of_no_parameters(desk: Any) -> None:
    """An array of shape (3, 0) asks for three runs of a circuit that has nothing to bind."""
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    random = circuit.copy()
    random.x(0)
    for backend in ALL:
        for program in (circuit, random):
            work = desk.sampler(program, {"parameter_values": [[], [], []], "shots": 4})
            (found,) = desk.samples(work, backend)
            assert [counts(found["c"][index]) for index in range(3)] == [{"1": 4}] * 3


def test_states_above_the_bound_are_drawn_by_the_engine(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "STATE_QUBITS", 1)
    (found,) = desk.samples(desk.sampler(desk.bell(), {"shots": 2000}), "aer-statevector")
    assert distance(counts(found["meas"]), {"00": 0.5, "11": 0.5}) < 0.05


# What happens in the middle.


def teleport() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3), *(ClassicalRegister(1, name) for name in ("z", "x", "out")))
    circuit.ry(2 * math.asin(math.sqrt(0.2)), 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.measure(1, 1)
    with circuit.if_test((circuit.cregs[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.z(2)
    circuit.measure(2, 2)
    return circuit


@pytest.mark.parametrize("backend", UNIVERSAL)
def test_teleporting(desk: Any, backend: str) -> None:
    (found,) = desk.samples(desk.sampler(teleport(), {"shots": 3000}), backend)
    assert distance(counts(found["out"]), {"0": 0.8, "1": 0.2}) < 0.03
    assert distance(counts(found["x"]), {"0": 0.5, "1": 0.5}) < 0.04


def looping() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    with circuit.for_loop(range(3)):
        circuit.x(0)
    with circuit.for_loop((1, 2)) as index:
        circuit.rx(index * math.pi, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def repeating() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.h(0)
        circuit.measure(0, 0)
    return circuit


def breaking() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "c"))
    with circuit.for_loop(range(4)):
        circuit.x(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.cregs[0], 1)):
            circuit.break_loop()
    circuit.measure(0, 0)
    return circuit


def switching() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "c"))
    circuit.x(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0, 2):
            circuit.id(1)
        with case(1):
            circuit.x(1)
        with case(case.DEFAULT):
            circuit.id(0)
    circuit.measure(1, 1)
    return circuit


def comparing() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(3, "c"))
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test(expr.logic_and(circuit.clbits[0], expr.less(circuit.cregs[0], 5))):
        circuit.x(1)
    circuit.measure(1, 2)
    return circuit


def storing() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(3, "c"))
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.store(circuit.clbits[1], expr.logic_not(circuit.clbits[2]))
    return circuit


def boxing() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    with circuit.box():
        circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def unusual() -> QuantumCircuit:
    """Gates that the engine lacks, inside a branch."""
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.iswap(0, 1)
        circuit.dcx(0, 1)
        circuit.dcx(1, 0)
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize("backend", UNIVERSAL)
@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (looping, "11"),
        (repeating, "1"),
        (breaking, "1"),
        (switching, "11"),
        (comparing, "101"),
        (storing, "011"),
        (boxing, "10"),
        (unusual, "10"),
    ],
)
def test_branches_with_one_outcome(desk: Any, make: Any, outcome: str, backend: str) -> None:
    (found,) = desk.samples(desk.sampler(make(), {"shots": 30}), backend)
    assert counts(found["c"]) == {outcome: 30}


def test_parameters_inside_branches(desk: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 0)):
        circuit.rx(angle * 2, 0)
    circuit.measure(0, 0)
    work = desk.sampler(circuit, {"parameter_values": [[0.0], [math.pi / 2]], "shots": 20})
    (found,) = desk.samples(work)
    assert [counts(found["c"][index]) for index in range(2)] == [{"0": 20}, {"1": 20}]


@pytest.mark.parametrize("backend", ALL)
def test_measuring_and_resetting_on_the_way(desk: Any, backend: str) -> None:
    circuit = QuantumCircuit(2, 3)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.measure(0, 1)
    circuit.measure(1, 2)
    (found,) = desk.samples(desk.sampler(circuit, {"shots": 2000}), backend)
    assert distance(counts(found["c"]), {"000": 0.5, "101": 0.5}) < 0.05


def test_parameter_sets_of_a_circuit_that_measures_on_the_way(desk: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(1, 2)
    circuit.rx(angle, 0)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    work = desk.sampler(circuit, {"parameter_values": [[0.0], [math.pi], [0.0]], "shots": 10})
    for backend in UNIVERSAL:
        (found,) = desk.samples(work, backend)
        assert [counts(found["c"][index]) for index in range(3)] == [{"10": 10}, {"01": 10}, {"10": 10}]
