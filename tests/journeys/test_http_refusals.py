"""Bad input over HTTP with the real inspector: each a clear problem, and no trace in the books."""

from __future__ import annotations

import base64
import io
import struct
import time
from typing import Any

import httpx
import orjson
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'


def text(content: str, version: int = 2) -> dict[str, str]:
    return {"format": f"openqasm{version}", "content": content}


def as_qpy(circuit: QuantumCircuit) -> dict[str, str]:
    written = io.BytesIO()
    qpy.dump(circuit, written)
    return packed(written.getvalue())


def packed(content: bytes) -> dict[str, str]:
    return {"format": "qpy", "content": base64.b64encode(content).decode()}


def head(version: int) -> bytes:
    return struct.pack("!6sBBBBQcc", b"QISKIT", version, 2, 9, 0, 1, b"e", b"q") + bytes(200)


def rotation(measured: bool) -> dict[str, str]:
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("θ"), 0)
    if measured:
        circuit.measure_all()
    return as_qpy(circuit)


def nested(depth: int) -> str:
    gates = "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }} " for n in range(1, depth + 1))
    head = f'OPENQASM 2.0; include "qelib1.inc"; gate g0 a {{ x a; }} {gates}'
    return f"{head} qreg q[1]; creg c[1]; g{depth} q[0]; measure q -> c;"


def sampled(circuit: dict[str, str], **pub: Any) -> dict[str, Any]:
    return {"primitive": "sampler", "pubs": [{"circuit": circuit, **pub}]}


def estimated(circuit: dict[str, str], observables: Any, **pub: Any) -> dict[str, Any]:
    return {"primitive": "estimator", "pubs": [{"circuit": circuit, "observables": observables, **pub}]}


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("broken QASM 2", sampled(text("OPENQASM 2.0; qreg q[2")), 422, "circuit_invalid"),
    ("broken QASM 3", sampled(text("OPENQASM 3.0; qubit[2 q;", 3)), 422, "circuit_invalid"),
    ("no QASM at all", sampled(text("Dear Sir or Madam")), 422, "circuit_invalid"),
    ("a register of 10^9, QASM 2", sampled(text("OPENQASM 2.0; qreg q[1000000000];")), 422, "circuit_too_large"),
    ("a register of 10^9, QASM 3", sampled(text("OPENQASM 3.0; qubit[1000000000] q;", 3)), 422, "circuit_too_large"),
    ("QPY of a newer version", sampled(packed(head(19))), 422, "payload_unsupported"),
    ("QPY of an older version", sampled(packed(head(12))), 422, "payload_unsupported"),
    (
        "QPY that ends early",
        sampled(packed(base64.b64decode(rotation(measured=True)["content"])[:-9])),
        422,
        "circuit_invalid",
    ),
    ("no QPY at all", sampled(packed(b"PK\x03\x04" * 20)), 422, "circuit_invalid"),
    ("no base64", sampled({"format": "qpy", "content": "%%%%" * 20}), 422, "circuit_invalid"),
    (
        "unknown gate, QASM 2",
        sampled(text("OPENQASM 2.0; qreg q[1]; creg c[1]; warp q[0]; measure q -> c;")),
        422,
        "circuit_invalid",
    ),
    (
        "unknown gate, QASM 3",
        sampled(text("OPENQASM 3.0; qubit q; bit c; warp q; c = measure q;", 3)),
        422,
        "circuit_invalid",
    ),
    ("a file to be read", sampled(text('OPENQASM 2.0; include "/etc/passwd";')), 422, "circuit_invalid"),
    (
        "no measurement",
        sampled(text('OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; h q[0];')),
        422,
        "no_measurement",
    ),
    ("definitions 30 deep", sampled(text(nested(30))), 422, "circuit_too_large"),
    (
        "200,000 parentheses",
        sampled(text("OPENQASM 3.0; const float a = " + "(" * 200_000 + "1" + ")" * 200_000 + ";", 3)),
        422,
        "circuit_too_large",
    ),
    ("shots 0", sampled(text(BELL), shots=0), 422, "shots_out_of_range"),
    ("shots 10^9", sampled(text(BELL), shots=10**9), 422, "shots_out_of_range"),
    ("shots -1", sampled(text(BELL), shots=-1), 422, "shots_out_of_range"),
    ("shots true", sampled(text(BELL), shots=True), 422, "invalid_request"),
    ("shots 1.0", sampled(text(BELL), shots=1.0), 422, "invalid_request"),
    ("unbound parameters", sampled(rotation(measured=True)), 422, "parameters_unbound"),
    ("values that are text", sampled(rotation(measured=True), parameter_values=[["x"]]), 422, "parameters_shape"),
    (
        "ragged values",
        sampled(rotation(measured=True), parameter_values=[[1.0], [1.0, 2.0]]),
        422,
        "parameters_shape",
    ),
    (
        "shapes that do not broadcast",
        estimated(rotation(measured=False), ["Z", "X", "Y"], parameter_values=[[1.0], [2.0]]),
        422,
        "parameters_shape",
    ),
    (
        "a non-Hermitian observable",
        estimated(rotation(measured=False), [{"Z": [0.0, 1.0]}], parameter_values=[1.0]),
        422,
        "observable_invalid",
    ),
    (
        "an observable of letters",
        estimated(rotation(measured=False), ["Q"], parameter_values=[1.0]),
        422,
        "observable_invalid",
    ),
    (
        "an observable too wide",
        estimated(rotation(measured=False), ["ZZ"], parameter_values=[1.0]),
        422,
        "observable_width",
    ),
    (
        "a precision too fine",
        estimated(rotation(measured=False), ["Z"], parameter_values=[1.0], precision=1e-6),
        422,
        "precision_out_of_range",
    ),
    (
        "a negative precision",
        estimated(rotation(measured=False), ["Z"], parameter_values=[1.0], precision=-0.1),
        422,
        "precision_out_of_range",
    ),
    ("an unknown backend", {**sampled(text(BELL)), "backend": "zuchongzhi"}, 422, "unknown_backend"),
    (
        "a backend that cannot",
        {**sampled(text(BELL.replace("h q[0];", "t q[0];"))), "backend": "aer-stabilizer"},
        422,
        "backend_infeasible",
    ),
    (
        "a circuit to run as it is that the device does not have the gates for",
        {
            **sampled(text(BELL)),
            "backend": "nairobi-snapshot",
            "options": {"compilation": {"mode": "as-is"}},
        },
        422,
        "circuit_not_isa",
    ),
    ("a price too high", {**sampled(text(BELL)), "max_cost": 10}, 422, "cost_limit"),
    ("a field misspelt", {**sampled(text(BELL)), "prioritty": 1}, 422, "invalid_request"),
]


@pytest.fixture(scope="module")
def http(zone: Any) -> httpx.Client:
    return zone.startup(grant=10**9).http  # type: ignore[no-any-return]


def books(http: httpx.Client) -> tuple[Any, Any]:
    balance = http.get("/v1/projects/me/balance").json()
    return balance, http.get("/v1/jobs?limit=500").json()["jobs"]


@pytest.mark.parametrize(("body", "status", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_input_is_a_clear_problem_without_a_trace(
    http: httpx.Client, body: dict[str, Any], status: int, code: str
) -> None:
    before = books(http)
    answer = http.post("/v1/jobs", json=body, headers={"idempotency-key": "bad"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{code}"
    assert len(problem["detail"]) > 20
    assert http.get(problem["type"]).json()["code"] == code
    assert books(http) == before


def test_a_quote_refuses_the_same(http: httpx.Client) -> None:
    for _, body, status, code in BAD:
        answer = http.post("/v1/quotes", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_bad_and_good_in_one_batch(zone: Any) -> None:
    http = zone.startup(grant=10**9).http
    good = {**sampled(text(BELL)), "options": {"seed": 3}}
    told = http.post("/v1/jobs/batch", json={"jobs": [good, *(body for _, body, _, _ in BAD), good]}).json()["jobs"]
    assert [one.get("problem", {}).get("code") for one in told] == [None, *(code for *_, code in BAD), None]
    assert [one["status"] for one in told] == [201, *(status for _, _, status, _ in BAD), 201]
    for one in (told[0], told[-1]):
        assert http.get(f"/v1/jobs/{one['job']['id']}?wait=30").json()["state"] == "succeeded"
    assert len(books(http)[1]) == 2


def test_a_body_over_the_limit(http: httpx.Client) -> None:
    before = books(http)
    limit = http.get("/v1/version").json()["settings"]["body_bytes"]
    body = orjson.dumps({**sampled(text(BELL)), "name": "x" * limit})
    answer = http.post("/v1/jobs", content=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (413, "body_too_large", limit)
    chunked = http.post("/v1/jobs", content=iter([body[:1_000_000], body[1_000_000:]]))
    assert (chunked.status_code, chunked.json()["code"]) == (413, "body_too_large")
    assert books(http) == before


def test_no_token_and_an_expired_one(zone: Any) -> None:
    operator = zone.http(zone.operator_token)
    startup = zone.startup()
    with zone.http(None) as stranger:
        answer = stranger.post("/v1/jobs", json=sampled(text(BELL)))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    asked = {"member_id": startup.member_id, "role": "member", "expires_us": zone.room.now_us() + 300_000}
    made = operator.post(f"/v1/projects/{startup.project_id}/tokens", json=asked)
    assert made.status_code == 201
    with zone.http(made.json()["secret"]) as late:
        deadline_s = time.monotonic() + 20
        while late.get("/v1/me").status_code == 200:
            assert time.monotonic() < deadline_s
        answer = late.post("/v1/jobs", json=sampled(text(BELL)))
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    assert startup.http.get("/v1/jobs").json()["jobs"] == []


def test_grants_that_do_not_pay(zone: Any) -> None:
    poor, without = zone.startup(grant=1_000).http, zone.startup(grant=None).http
    before = books(poor)
    answer = poor.post("/v1/jobs", json=sampled(text(BELL)))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (402, "grant_exhausted")
    assert (problem["available"], problem["asset"]) == (1_000, "CNY")
    assert problem["needed"] > 1_000
    assert books(poor) == before
    answer = without.post("/v1/jobs", json=sampled(text(BELL)))
    assert (answer.status_code, answer.json()["code"]) == (402, "no_grant")
    assert books(without)[1] == []


def test_a_grant_of_tomorrow_does_not_pay_today(zone: Any) -> None:
    operator, startup = zone.http(zone.operator_token), zone.startup(grant=None)
    now_us = zone.room.now_us()
    asked = {
        "project_id": startup.project_id,
        "programme_id": zone.programme_id,
        "amount": {"micro": 10**8},
        "valid_from_us": now_us + 86_400_000_000,
        "valid_until_us": now_us + 2 * 86_400_000_000,
    }
    assert operator.post("/v1/grants", json=asked).status_code == 201
    answer = startup.http.post("/v1/jobs", json=sampled(text(BELL)))
    assert (answer.status_code, answer.json()["code"]) == (402, "grant_not_started")


def test_the_service_is_as_well_as_before(http: httpx.Client) -> None:
    job = http.post("/v1/jobs?wait=60", json=sampled(text(BELL))).json()
    assert job["state"] == "succeeded"
    assert http.get("/health/ready").json() == {
        "ready": True,
        "parts": {"database": True, "writable": True, "inspector": True},
    }
