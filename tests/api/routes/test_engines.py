"""Engines over HTTP: everybody sees them, operators judge them, operators and auditors read why."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.schemas.engines import DisagreementList, EngineList
from store import engines


def test_everybody_sees_the_engines(client: httpx.Client) -> None:
    told = client.get("/v1/engines").json()
    EngineList.model_validate(told)
    stim = next(one for one in told["engines"] if one["name"] == "stim")
    assert stim["package"] == "stim"
    assert stim["version"][0].isdigit()
    assert (stim["state"], stim["compared"], stim["on_probation"]) == ("trusted", 0, False)


def test_an_operator_puts_an_engine_under_quarantine(client: httpx.Client, house: Any) -> None:
    wanted = {"state": "quarantined", "reason": "odd counts"}
    answer = client.put("/v1/engines/prismq.mps/state", json=wanted, headers=house.headers("operator"))
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["reason"]) == ("quarantined", "odd counts")
    assert answer.json() in client.get("/v1/engines").json()["engines"]


@pytest.mark.parametrize(
    ("name", "body", "who", "status"),
    [
        ("nobody", {"state": "trusted"}, "operator", 404),
        ("stim", {"state": "loved"}, "operator", 422),
        ("stim", {"state": "quarantined"}, "auditor", 403),
    ],
)
def test_no(client: httpx.Client, house: Any, name: str, body: Any, who: str, status: int) -> None:
    answer = client.put(f"/v1/engines/{name}/state", json=body, headers=house.headers(who))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_disagreements_come_in_pages(client: httpx.Client, house: Any) -> None:
    for number in range(3):
        house.ground.database.writer.run(lambda c, n=number: engines.add_disagreement(c, n, f"job_{n}", {"part": n}))
    address, headers = "/v1/engines/disagreements", house.headers("auditor")
    first = client.get(address, params={"limit": 2}, headers=headers).json()
    DisagreementList.model_validate(first)
    rest = client.get(address, params={"limit": 2, "before": first["before"]}, headers=headers).json()
    assert [one["job_id"] for one in first["disagreements"] + rest["disagreements"]] == ["job_2", "job_1", "job_0"]
    assert rest["before"] is None
    assert client.get(address).status_code == 403
