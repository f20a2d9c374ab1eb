"""Circuits over HTTP, from the text to the receipt: every format, both primitives, against what Qiskit itself says."""

from __future__ import annotations

import base64
import gzip
import io
import math
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from qiskit import QuantumCircuit, qasm2, qasm3, qpy
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp

BELL_2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'
BELL_3 = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


@pytest.fixture(scope="module")
def http(zone: Any) -> httpx.Client:
    return zone.startup().http  # type: ignore[no-any-return]


def as_qpy(*circuits: QuantumCircuit, squeeze: Any = bytes) -> dict[str, str]:
    written = io.BytesIO()
    qpy.dump(list(circuits), written)
    return {"format": "qpy", "content": base64.b64encode(squeeze(written.getvalue())).decode()}


def run(http: httpx.Client, body: dict[str, Any], form: str = "counts") -> tuple[dict[str, Any], dict[str, Any]]:
    """The ended job and its result."""
    answer = http.post("/v1/jobs?wait=60", json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert job["state"] == "succeeded", job
    result = http.get(f"{job['links']['result']}?format={form}")
    assert result.status_code == 200
    return job, result.json()


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize(
    ("circuit", "register"),
    [
        ({"format": "openqasm2", "content": BELL_2}, "c"),
        ({"format": "openqasm3", "content": BELL_3}, "c"),
        (as_qpy(bell()), "meas"),
        (as_qpy(bell(), squeeze=gzip.compress), "meas"),
        ({"format": "openqasm2", "content": qasm2.dumps(bell())}, "meas"),
        ({"format": "openqasm3", "content": qasm3.dumps(bell())}, "meas"),
    ],
    ids=["qasm2", "qasm3", "qpy", "gzip", "qasm2 of qiskit", "qasm3 of qiskit"],
)
def test_a_bell_pair_in_every_format(http: httpx.Client, circuit: dict[str, str], register: str) -> None:
    body = {"primitive": "sampler", "pubs": [{"circuit": circuit, "shots": 4000}], "options": {"seed": 5}}
    job, result = run(http, body)
    counts = result["pubs"][0]["registers"][register]["counts"]
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 4000
    assert 1800 < counts["00"] < 2200
    assert result["metadata"]["seed"] == 5
    assert job["findings"]["totals"]["qubits_max"] == 2
    assert job["usage"]["shots"] == 4000


def test_the_same_seed_gives_the_same_bits(http: httpx.Client) -> None:
    body = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": BELL_2}}]}
    first, second = (run(http, {**body, "options": {"seed": 11}, "name": name}, "arrays")[1] for name in "ab")
    other = run(http, {**body, "options": {"seed": 12}}, "arrays")[1]
    assert first == second
    assert first["pubs"] != other["pubs"]


def test_one_qpy_file_of_three_circuits_and_a_text_beside_it(http: httpx.Client) -> None:
    """Indices count the circuits inside the file; a circuit given in a PUB comes after all of them."""
    ones = []
    for width in (1, 2, 3):
        circuit = QuantumCircuit(width)
        circuit.x(range(width))
        circuit.measure_all()
        ones.append(circuit)
    flip = {"format": "openqasm2", "content": 'include "qelib1.inc"; qreg q[1]; creg c[1]; measure q -> c;'}
    pubs = [{"circuit": flip}, {"circuit": 2}, {"circuit": 0}, {"circuit": 1}, {"circuit": flip}]
    body = {"primitive": "sampler", "circuits": [as_qpy(*ones)], "pubs": pubs, "options": {"shots": 10}}
    _, result = run(http, body)
    found = [next(iter(pub["registers"].values()))["counts"] for pub in result["pubs"]]
    assert found == [{"0": 10}, {"111": 10}, {"1": 10}, {"11": 10}, {"0": 10}]


def test_fifty_bindings_as_one_pub(http: httpx.Client) -> None:
    theta = ParameterVector("θ", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    circuit.measure_all()
    values = [[math.pi * step / 49] for step in range(50)]
    pub = {"circuit": as_qpy(circuit), "parameter_values": values, "shots": 500}
    job, result = run(http, {"primitive": "sampler", "pubs": [pub], "options": {"seed": 1}})
    counts = result["pubs"][0]["registers"]["meas"]["counts"]
    assert len(counts) == 50
    assert (counts[0], counts[49]) == ({"0": 500}, {"1": 500})
    for step, told in enumerate(counts):
        assert told.get("1", 0) / 500 == pytest.approx(math.sin(math.pi * step / 98) ** 2, abs=0.12)
    assert job["usage"]["shots"] == 25_000


def test_expectation_values_are_those_of_qiskit(http: httpx.Client) -> None:
    """Three observables against four parameter sets, exact: (3, 1) and (4,) broadcast to (3, 4)."""
    ansatz = efficient_su2(3, reps=1)
    values = np.random.default_rng(3).uniform(-np.pi, np.pi, (4, ansatz.num_parameters))
    wanted = [[{"ZZI": 1.0}], [{"XXX": 0.5, "IZY": -0.25}], [{"III": 2.0}]]
    operators = [[SparsePauliOp(list(one), list(one.values())) for one in row] for row in wanted]
    expected = StatevectorEstimator().run([(ansatz, operators, values)]).result()[0].data.evs
    pub = {"circuit": as_qpy(ansatz), "observables": wanted, "parameter_values": values.tolist()}
    _, result = run(http, {"primitive": "estimator", "pubs": [pub]})
    found = np.array(result["pubs"][0]["evs"])
    assert found.shape == (3, 4)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_values_may_be_named_and_packed(http: httpx.Client) -> None:
    theta = ParameterVector("t", 2)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0], 0)
    circuit.rz(theta[1], 0)
    array = io.BytesIO()
    np.save(array, np.array([[0.3, 0.0]]))
    spellings = [
        [[0.3, 0.0]],
        {"t": [[0.3, 0.0]]},
        {"t[0]": [0.3], "t[1]": [0.0]},
        {"npy": base64.b64encode(array.getvalue()).decode()},
    ]
    pubs = [{"circuit": as_qpy(circuit), "observables": ["Z"], "parameter_values": values} for values in spellings]
    _, result = run(http, {"primitive": "estimator", "pubs": pubs})
    for pub in result["pubs"]:
        assert pub["evs"] == [pytest.approx(math.cos(0.3))]


def test_a_receipt_and_a_statement_that_add_up(zone: Any) -> None:
    http = zone.startup(grant=10**8).http
    body = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": BELL_2}}]}
    jobs = [run(http, {**body, "name": f"job {number}"})[0] for number in range(4)]
    charged = 0
    for job in jobs:
        receipt = http.get(job["links"]["receipt"]).json()
        assert receipt["charged"] == sum(line["amount"] for line in receipt["lines"]) == job["cost"]["micro"]
        assert receipt["held"] == receipt["charged"] + receipt["released"]
        assert receipt["held"] == job["quote"]["ceiling"]["micro"]
        charged += receipt["charged"]
    statement = http.get("/v1/projects/me/statement").json()
    assert (statement["settled"], statement["held"], statement["granted"]) == (charged, 0, 10**8)
    assert statement["available"] == 10**8 - charged
    assert statement["jobs"] == {"succeeded": 4}


def test_the_story_of_a_job_as_a_stream(zone: Any, http: httpx.Client) -> None:
    body = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": BELL_2}}]}
    job = http.post("/v1/jobs", json=body).json()
    with http.stream("GET", job["links"]["events"]) as response:
        events = [orjson.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
    assert [(event["state"], event["version"]) for event in events] == [
        ("queued", 1),
        ("running", 2),
        ("succeeded", 3),
    ]
    history = http.get(f"/v1/jobs/{job['id']}/history").json()
    assert [step["state"] for step in history["history"]] == ["queued", "running", "succeeded"]
    assert [attempt["state"] for attempt in history["attempts"]] == ["succeeded"]


def test_a_job_of_no_pubs_has_a_result_of_none(http: httpx.Client) -> None:
    assert run(http, {"primitive": "sampler", "pubs": []})[1]["pubs"] == []


def test_an_empty_parameter_array_has_an_empty_result(http: httpx.Client) -> None:
    theta = ParameterVector("t", 2)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0] + theta[1], 0)
    array = io.BytesIO()
    np.save(array, np.empty((0, 2)))
    values = {"npy": base64.b64encode(array.getvalue()).decode()}
    pub = {"circuit": as_qpy(circuit), "observables": "Z", "parameter_values": values}
    _, result = run(http, {"primitive": "estimator", "pubs": [pub]})
    assert (result["pubs"][0]["evs"], result["pubs"][0]["stds"]) == ([], [])
