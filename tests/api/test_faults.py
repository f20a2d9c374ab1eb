"""Everything that ends a request early is a problem of the one table."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from store.errors import Duplicate, OutcomeUnknown, StoreUnavailable


def broken(fault: BaseException) -> Any:
    def call(*_arguments: Any) -> Any:
        raise fault

    return call


@pytest.mark.parametrize(
    ("fault", "status", "code", "said"),
    [
        (StoreUnavailable("server at 10.0.0.1 is gone"), 503, "unavailable", "nothing was written"),
        (OutcomeUnknown("server at 10.0.0.1 is gone"), 503, "unavailable", "ask with the same idempotency key"),
        (Duplicate("UNIQUE constraint failed: projects.name"), 409, "already_exists", "one of that name"),
    ],
)
def test_what_the_store_raises(
    client: httpx.Client,
    house: Any,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    status: int,
    code: str,
    said: str,
) -> None:
    monkeypatch.setattr(house.room, "create_project", broken(fault))
    answer = client.post("/v1/projects", json={"name": "x"}, headers=house.headers("operator"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["detail"]
    assert "10.0.0.1" not in answer.text
    assert "constraint" not in answer.text
    assert answer.headers.get("retry-after") == ("2" if status == 503 else None)


def test_a_cursor_of_one_s_own_making(client: httpx.Client) -> None:
    answer = client.get("/v1/jobs?cursor=abc")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"] == [
        {"parameter": "cursor", "detail": "is not one that this list has given out; begin again without it"}
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("state=sleeping", "state"),
        ("primitive=x", "primitive"),
        ("since_us=-1", "since_us"),
        ("until_us=99999999999999999999999", "until_us"),
        ("tag=%00", "tag"),
        ("backend=a%0Ab", "backend"),
        ("stat=queued", "stat"),
    ],
)
def test_a_wrong_parameter_is_named(client: httpx.Client, query: str, parameter: str) -> None:
    answer = client.get(f"/v1/jobs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]
    assert answer.json()["detail"].startswith(f"The parameter {parameter} ")


@pytest.mark.parametrize("given", ["x", "-1", "9" * 30])
def test_a_wrong_header_is_named(client: httpx.Client, given: str) -> None:
    answer = client.get("/v1/events", headers={"last-event-id": given})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "Last-Event-ID")
