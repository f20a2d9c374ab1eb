"""Backends: read by everybody, drained by operators."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.schemas.facility import Backend, BackendList


def test_backends_are_listed_with_their_state(client: httpx.Client) -> None:
    told = client.get("/v1/backends").json()
    BackendList.model_validate(told)
    assert {"aer", "aer-statevector"} <= {one["name"] for one in told["backends"]}
    assert {one["state"] for one in told["backends"]} == {"online"}


def test_one_backend_is_read(client: httpx.Client) -> None:
    told = client.get("/v1/backends/aer").json()
    Backend.model_validate(told)
    assert (told["name"], told["asset"]) == ("aer", "CNY")
    assert [(rate["resource"], rate["quantum"], rate["unit_price"]) for rate in told["rates"]] == [
        ("job", 1, 1_000),
        ("qpu_ms", 1, 500),
        ("shots", 10, 1),
    ]
    answer = client.get("/v1/backends/nowhere")
    assert (answer.status_code, answer.json()["code"], answer.json()["backend"]) == (404, "not_found", "nowhere")


def test_an_operator_drains_a_backend(client: httpx.Client, house: Any) -> None:
    wanted = {"state": "draining", "reason": "校准"}
    answer = client.put("/v1/backends/aer/state", json=wanted, headers=house.headers("operator"))
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["state_reason"]) == ("draining", "校准")
    assert client.get("/v1/backends/aer").json() == answer.json()
    back = client.put("/v1/backends/aer/state", json={"state": "online"}, headers=house.headers("operator"))
    assert (back.json()["state"], back.json()["state_reason"]) == ("online", "")


@pytest.mark.parametrize("who", ["auditor", "admin of moz", "member of moz"])
def test_others_do_not(client: httpx.Client, house: Any, who: str) -> None:
    answer = client.put("/v1/backends/aer/state", json={"state": "offline"}, headers=house.headers(who))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert client.get("/v1/backends/aer").json()["state"] == "online"


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("nowhere", {"state": "online"}, 404, "not_found"),
        ("aer", {"state": "asleep"}, 422, "invalid_request"),
        ("aer", {"state": "online", "reason": "a\x00"}, 422, "invalid_request"),
        ("aer", {"state": "online", "reason": "x" * 501}, 422, "invalid_request"),
        ("aer", {}, 422, "invalid_request"),
    ],
)
def test_odd_states(client: httpx.Client, house: Any, name: str, body: Any, status: int, code: str) -> None:
    answer = client.put(f"/v1/backends/{name}/state", json=body, headers=house.headers("operator"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_device_comes_with_the_figures_of_a_day(client: httpx.Client) -> None:
    told = client.get("/v1/backends/nairobi-snapshot", params={"calibration": "2026-11-20"}).json()
    Backend.model_validate(told)
    assert told["device"]["calibrated"] == "2026-11-20"
    assert len(told["qubits"]) == 7
    assert [6, 5] in told["coupling_map"]
    stated = client.get("/v1/backends/nairobi-snapshot?calibration=stated").json()
    assert stated["device"]["calibrated"] == "2024-05-27"
    assert client.get("/v1/backends/nairobi-snapshot").json()["qubits"] != stated["qubits"]
    assert "device" not in client.get("/v1/backends/aer?calibration=stated").json()


def test_odd_days(client: httpx.Client) -> None:
    for day in ("yesterday", "2026-02-30", "2026", ""):
        answer = client.get("/v1/backends/nairobi-snapshot", params={"calibration": day})
        assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (
            422,
            "invalid_request",
            "calibration",
        )
