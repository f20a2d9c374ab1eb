"""The application as a whole: unknown addresses, other methods, offline pages, and who is refused where."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

OPEN = {"/health/live", "/health/ready", "/v1/version", "/problems", "/problems/{code}"}


def test_an_unknown_address_is_a_problem_with_a_request_id(client: httpx.Client) -> None:
    answer = client.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is nothing at /v1/nothing.",
        "code": "not_found",
        "instance": "/v1/nothing",
        "request_id": answer.headers["x-request-id"],
    }


def test_a_slash_too_many_is_another_address(client: httpx.Client) -> None:
    assert client.get("/v1/jobs/").json()["code"] == "not_found"


def test_another_method_is_answered_with_all_methods_that_the_address_takes(client: httpx.Client) -> None:
    answer = client.put("/v1/jobs")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    assert answer.json()["detail"] == "/v1/jobs does not take PUT; it takes GET, POST."


def test_every_address_but_the_open_ones_asks_for_a_token_first(app: FastAPI, stranger: httpx.Client) -> None:
    asked = 0
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            answer = stranger.request(method, path.replace("{", "").replace("}", ""), content=b"[[[")
            if path in OPEN:
                assert answer.status_code != 401, path
            else:
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
                assert answer.headers["www-authenticate"] == "Bearer"
                asked += 1
    assert asked == 60


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_needs_no_other_machine(client: httpx.Client, page: str) -> None:
    text = client.get(page).text
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", text)
    assert len(loaded) >= 3
    for address in loaded:
        assert address.startswith("/"), address
        assert client.get(address).status_code == 200, address
    assert not re.findall(r"https?://|//cdn|@import", text)


def test_the_style_sheets_of_the_documentation_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    text = client.get("/static-offline-docs/swagger-ui.css").text
    assert not re.findall(r"url\(\s*['\"]?https?:|@import", text)


def test_a_stopped_application_listens_to_nobody(serve: Any, house: Any, sampler: dict[str, Any]) -> None:
    before = len(house.ground.changes._callbacks)
    url, headers = serve.start(), house.headers("member of moz")
    job = httpx.post(f"{url}/v1/jobs?wait=0.01", json=sampler, headers=headers).json()
    assert job["state"] == "queued"
    assert len(house.ground.changes._callbacks) == before + 1
    serve.stop(release=False)
    assert len(house.ground.changes._callbacks) == before


def test_a_fault_of_the_room_is_internal_and_tells_nothing(
    client: httpx.Client, house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_caller: Any) -> Any:
        raise RuntimeError("password of the database")

    monkeypatch.setattr(house.room, "list_projects", broken)
    answer = client.get("/v1/projects", headers={"x-request-id": "mine-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "password" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "mine-1"
    (record,) = [record for record in caplog.records if record.name == "api"]
    assert record.request_id == "mine-1"  # type: ignore[attr-defined]
    assert "password" in str(record.exc_info)
