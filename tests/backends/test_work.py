"""The work document: what is read from it, in what order it is checked, and what it is refused for."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from qiskit.circuit import ParameterVector, QuantumCircuit

from backends.work import EstimatorPub, SamplerPub


def ansatz(qubits: int = 2) -> QuantumCircuit:
    angles = ParameterVector("angle", qubits)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(angles[qubit], qubit)
    return circuit


def measured(qubits: int = 2) -> QuantumCircuit:
    circuit = ansatz(qubits)
    circuit.measure_all()
    return circuit


def test_sampler_pubs(desk: Any) -> None:
    work = desk.decode(
        desk.sampler([measured(), desk.bell()], {"parameter_values": [[1, 2], [3, 4]]}, {"circuit": 1}, seed=5)
    )
    first, second = work.pubs
    assert isinstance(first, SamplerPub)
    assert (first.shape, first.shots, first.values.tolist()) == ((2,), 64, [[1, 2], [3, 4]])
    assert (second.shape, second.values.shape) == ((), (0,))
    assert (work.primitive, work.seed, len(work.circuits)) == ("sampler", 5, 2)
    assert second.circuit is work.circuits[1]


def test_estimator_pubs_broadcast(desk: Any) -> None:
    """Observables (3, 1) against parameter sets (4,) make (3, 4)."""
    pub = {"parameter_values": np.zeros((4, 2)), "observables": [["ZZ"], ["XX"], [{"IZ": 0.5}]], "precision": 0.1}
    (found,) = desk.decode(desk.estimator(ansatz(), pub)).pubs
    assert isinstance(found, EstimatorPub)
    assert (found.shape, found.precision, found.values.shape) == ((3, 4), 0.1, (4, 2))
    assert found.observables.labels == ("ZZ", "XX", "IZ")


def test_circuits_of_files_count_one_after_another(desk: Any) -> None:
    sources = [desk.source(desk.bell(), desk.bell()), desk.source(measured())]
    work = desk.decode(desk.sampler(sources, {"circuit": 2, "parameter_values": [0.1, 0.2]}))
    assert len(work.circuits) == 3
    assert work.pubs[0].circuit.circuit.num_parameters == 2


def test_no_pubs_is_work_too(desk: Any) -> None:
    document = orjson.dumps({"v": 1, "primitive": "sampler", "circuits": [], "pubs": []})
    work = desk.decode(document)
    assert (work.pubs, work.circuits, work.seed) == ((), (), None)


def test_empty_parameter_arrays_keep_their_shape(desk: Any) -> None:
    empty = {"npy": desk.npy(np.empty((0, 2)))}
    (pub,) = desk.decode(desk.estimator(ansatz(), {"parameter_values": empty, "observables": [["ZZ"], ["XX"]]})).pubs
    assert (pub.values.shape, pub.shape) == ((0, 2), (2, 0))


@pytest.mark.parametrize(
    ("shots", "code"),
    [
        (0, "shots_out_of_range"),
        (-1, "shots_out_of_range"),
        (10**9, "shots_out_of_range"),
        (True, "shots_out_of_range"),
        (1.0, "shots_out_of_range"),
        (None, "shots_out_of_range"),
        ("9", "shots_out_of_range"),
    ],
)
def test_shots(desk: Any, shots: Any, code: str) -> None:
    refusal = desk.refusal(desk.decode, desk.sampler(desk.bell(), {"shots": shots}))
    assert refusal.code == code
    assert refusal.fields["shots_max"] == 1_000_000


def test_the_largest_number_of_shots_is_taken(desk: Any) -> None:
    assert desk.decode(desk.sampler(desk.bell(), {"shots": 1_000_000})).pubs[0].shots == 1_000_000


@pytest.mark.parametrize("precision", [-0.1, 1e-4, "0.1", True, None])
def test_precision(desk: Any, precision: Any) -> None:
    refusal = desk.refusal(
        desk.decode, desk.estimator(ansatz(1), {"precision": precision, "observables": "Z", "parameter_values": [1.0]})
    )
    assert refusal.code == "precision_out_of_range"


@pytest.mark.parametrize("precision", [0, 0.0, 1e-3, 0.5, 2])
def test_good_precisions(desk: Any, precision: float) -> None:
    pub = {"precision": precision, "observables": "Z", "parameter_values": [1.0]}
    assert desk.decode(desk.estimator(ansatz(1), pub)).pubs[0].precision == precision


@pytest.mark.parametrize(
    ("pub", "code"),
    [
        ({"parameter_values": [0.1]}, "parameters_shape"),
        ({}, "parameters_unbound"),
        ({"parameter_values": [[0.1, 0.2, 0.3]]}, "parameters_shape"),
        ({"parameter_values": [0.1, 0.2], "circuit": 1}, "circuit_invalid"),
        ({"parameter_values": [0.1, 0.2], "circuit": -1}, "circuit_invalid"),
        ({"parameter_values": [0.1, 0.2], "circuit": True}, "circuit_invalid"),
        ({"parameter_values": [0.1, 0.2], "circuit": None}, "circuit_invalid"),
    ],
)
def test_sampler_refusals(desk: Any, pub: dict[str, Any], code: str) -> None:
    assert desk.refusal(desk.decode, desk.sampler(measured(), pub)).code == code


@pytest.mark.parametrize(
    ("pub", "code"),
    [
        ({}, "observable_invalid"),
        ({"observables": "ZZZ"}, "observable_width"),
        ({"observables": {"ZZ": [0, 1]}}, "observable_invalid"),
        ({"observables": ["ZZ"] * 3, "parameter_values": np.zeros((4, 2))}, "parameters_shape"),
    ],
)
def test_estimator_refusals(desk: Any, pub: dict[str, Any], code: str) -> None:
    assert desk.refusal(desk.decode, desk.estimator(ansatz(), {"parameter_values": [1.0, 2.0], **pub})).code == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "circuit_invalid"),
        (b"[]", "circuit_invalid"),
        (b"{}", "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":[}', "circuit_invalid"),
        (b'{"v":2,"primitive":"sampler","circuits":[],"pubs":[]}', "payload_unsupported"),
        (b'{"v":1,"primitive":"dreamer","circuits":[],"pubs":[]}', "payload_unsupported"),
        (b'{"v":1,"primitive":"sampler","circuits":{},"pubs":[]}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":["x"],"pubs":[]}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[{"format":"qpy"}],"pubs":[]}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":{}}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":[5]}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":[],"seed":-1}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":[],"seed":1.5}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":[],"seed":true}', "circuit_invalid"),
        (b'{"v":1,"primitive":"sampler","circuits":[],"pubs":[],"seed":9223372036854775808}', "circuit_invalid"),
    ],
)
def test_documents_that_are_none(desk: Any, document: bytes, code: str) -> None:
    assert desk.refusal(desk.decode, document).code == code


def test_totals_over_the_work_are_bounded(desk: Any) -> None:
    """No PUB is too large, but together they are."""
    pubs = [{"parameter_values": [[0.1, 0.2]] * 3}] * 4
    work = desk.sampler(measured(), *pubs)
    desk.decode(work, parameter_numbers=24, executions=12, pubs=4)
    for name, bound in (("parameter_numbers", 23), ("executions", 11), ("pubs", 3)):
        assert desk.refusal(desk.decode, work, **{name: bound}).code == "circuit_too_large"
    estimating = desk.estimator(ansatz(), *[{"parameter_values": [0.1, 0.2], "observables": ["ZZ", "XX"]}] * 3)
    desk.decode(estimating, observable_terms=6)
    assert desk.refusal(desk.decode, estimating, observable_terms=5).code == "circuit_too_large"
    assert desk.refusal(desk.decode, desk.sampler([desk.bell(), desk.bell()]), circuits=1).code == "circuit_too_large"


def test_a_document_beyond_its_bytes_is_not_even_parsed(desk: Any) -> None:
    refusal = desk.refusal(desk.decode, b"x" * 101, body_bytes=50)
    assert (refusal.code, refusal.fields) == ("circuit_too_large", {"bytes": 101, "bytes_max": 100})


def test_a_circuit_that_is_sent_again_is_not_read_again(desk: Any) -> None:
    """A loop sends the same circuit each time; only its numbers are new."""
    circuit = measured(5)
    works = [desk.sampler(circuit, {"parameter_values": np.random.rand(5)}) for _ in range(3)]
    first, *others = [desk.decode(work).circuits[0] for work in works]
    assert all(other is first for other in others)
