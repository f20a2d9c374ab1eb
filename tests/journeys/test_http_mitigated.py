"""A job that is compiled and mitigated on a simulated device, by plain HTTP: its price, what was done, and its bill."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

DAY = "2026-11-20"
GHZ3 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\nh q[0];\ncx q[0],q[1];\ncx q[0],q[2];\n'
MITIGATION: dict[str, Any] = {
    "dynamical_decoupling": {"enable": True},
    "resilience": {"measure_mitigation": True, "zne_mitigation": True, "zne": {"noise_factors": [1, 3]}},
}


@pytest.fixture(scope="module")
def startup(zone: Any) -> Any:
    return zone.startup()


def asking(**options: Any) -> dict[str, Any]:
    pub = {"circuit": {"format": "openqasm2", "content": GHZ3}, "observables": ["ZZI", "XXX"], "precision": 0.02}
    return {
        "primitive": "estimator",
        "pubs": [pub],
        "backend": "nairobi-snapshot",
        "options": {"seed": 5, "calibration": DAY, **options},
    }


def answered(response: Any, status: int) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def finished(startup: Any, body: dict[str, Any]) -> dict[str, Any]:
    job = answered(startup.http.post("/v1/jobs", json=body), 201)
    while job["state"] not in ("succeeded", "failed", "cancelled"):
        job = answered(startup.http.get(f"/v1/jobs/{job['id']}", params={"wait_s": 20, "version": job["version"]}), 200)
    return dict(job)


def values(array: dict[str, Any]) -> Any:
    return np.frombuffer(base64.b64decode(array["base64"]), dtype=array["dtype"]).reshape(array["shape"])


def test_quote_result_and_receipt_of_a_mitigated_compiled_job(startup: Any) -> None:
    compiled = {"compilation": {"mode": "portfolio", "seed": 4, "budget_ms": 400}}
    plain_quote, quote = (
        answered(startup.http.post("/v1/quotes", json=asking(**compiled, **more)), 200) for more in ({}, MITIGATION)
    )
    # The twin's runs, twice the shots for two factors of noise, and 2 × 4,096 shots that calibrate the readout.
    (plain_ms, _), (expected_ms, most_ms) = plain_quote["quote"]["qpu_ms"], quote["quote"]["qpu_ms"]
    assert expected_ms > 4 * plain_ms
    assert quote["quote"]["expected"]["micro"] > 4 * plain_quote["quote"]["expected"]["micro"]

    job = finished(startup, asking(**compiled, **MITIGATION) | {"quote_id": quote["quote_id"]})
    assert job["state"] == "succeeded", job
    document = answered(startup.http.get(f"/v1/jobs/{job['id']}/result"), 200)
    (pub,) = document["pubs"]
    told = pub["metadata"]

    rows = {row["method"]: row for row in told["mitigation"]["methods"]}
    assert set(rows) == {"dynamical_decoupling", "measure_mitigation", "zne"}
    assert told["mitigation"]["twin"]["exact_by"] == "statevector"
    readout = rows["measure_mitigation"]
    assert readout["applied"]
    assert readout["twin_error_after"] < readout["twin_error_before"]
    # Noise without memory is what no echo undoes: the twin tells so.
    assert not rows["dynamical_decoupling"]["applied"]
    assert rows["dynamical_decoupling"]["why"].endswith("not applied")
    assert told["simulation"][0]["method"] == "density matrix"
    assert told["simulation"][0]["bias"] == "none but rounding"

    assert sum(one["runs"] for one in told["compiled"]["tried"].values()) > 1, "a portfolio tries several"
    assert 0.8 < told["compiled"]["predicted_success"] < 1
    kept = document["metadata"]["compiled_circuits"][told["compiled"]["circuit"]]
    again = asking(compilation={"mode": "as-is"})
    again["pubs"][0] |= {
        "circuit": {"format": "openqasm3", "content": kept},
        "observables": ["I" * (1 + max(told["compiled"]["qubits"]))],
    }
    assert finished(startup, again)["state"] == "succeeded", "what was kept runs as it is"

    receipt = answered(startup.http.get(f"/v1/jobs/{job['id']}/receipt"), 200)
    billed_us = document["metadata"]["qpu"]["billed_us"]
    assert receipt["usage"]["qpu_ms"] == -(-billed_us // 1_000)
    assert receipt["usage"]["qpu_ms"] <= most_ms
    ran = told["mitigation"]["ran"]
    assert receipt["usage"]["shots"] == ran["shots"]

    bare = finished(startup, asking(noise=True))
    plain = answered(startup.http.get(f"/v1/jobs/{bare['id']}/result"), 200)
    off = [abs(values(each["pubs"][0]["evs"]) - 1).max() for each in (document, plain)]
    assert off[0] < off[1], "nearer to the state's own values than without"


def test_what_cannot_be_mitigated_or_compiled_is_refused_at_submission(startup: Any) -> None:
    ideal = asking(**MITIGATION) | {"backend": "ideal"}
    refusal = answered(startup.http.post("/v1/jobs", json=ideal), 422)
    assert (refusal["code"], refusal["option"]) == ("option_invalid", "dynamical_decoupling")
    silent = answered(startup.http.post("/v1/jobs", json=asking(noise=False, **MITIGATION)), 422)
    assert silent["code"] == "option_invalid"
    factors = {"resilience": {"zne_mitigation": True, "zne": {"noise_factors": [3, 1]}}}
    order = answered(startup.http.post("/v1/jobs", json=asking(**factors)), 422)
    assert (order["code"], order["option"]) == ("option_invalid", "resilience.zne.noise_factors")
