"""Health, version and the table of problems, for everybody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.problems import PROBLEMS
from api.schemas.facility import Live, Ready, Version
from api.schemas.problems import ProblemExplained, ProblemList
from store.errors import StoreUnavailable


def test_a_process_that_answers_is_live(stranger: httpx.Client, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.room, "ready", lambda: {"database": False})
    told = stranger.get("/health/live")
    assert (told.status_code, told.json()) == (200, {"live": True})
    Live.model_validate(told.json())


def test_ready_means_every_part(stranger: httpx.Client, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = stranger.get("/health/ready")
    assert told.status_code == 200
    Ready.model_validate(told.json())
    assert told.json()["ready"] is True
    monkeypatch.setattr(house.room, "ready", lambda: {"database": True, "inspector": False})
    told = stranger.get("/health/ready")
    assert (told.status_code, told.headers["cache-control"]) == (503, "no-store")
    assert told.json() == {"ready": False, "parts": {"database": True, "inspector": False}}


def test_a_database_that_is_gone_is_not_ready(
    stranger: httpx.Client, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(house.room, "ready", gone)
    assert stranger.get("/health/ready").status_code == 503


def test_the_version_tells_the_limits(stranger: httpx.Client) -> None:
    told = stranger.get("/v1/version").json()
    Version.model_validate(told)
    assert told["api"] == "v1"
    assert told["settings"]["body_bytes"] == 8_000_000
    assert told["settings"]["batch_jobs"] == 1_000


def test_all_problems_are_listed(stranger: httpx.Client) -> None:
    told = stranger.get("/problems").json()
    ProblemList.model_validate(told)
    assert [row["code"] for row in told["problems"]] == list(PROBLEMS)


def test_each_problem_is_explained_where_its_type_points(stranger: httpx.Client) -> None:
    for code, row in PROBLEMS.items():
        told = stranger.get(row.type).json()
        ProblemExplained.model_validate(told)
        assert (told["code"], told["status"], told["next"]) == (code, row.status, row.next_step)


def test_a_browser_gets_a_page(stranger: httpx.Client) -> None:
    page = stranger.get("/problems/grant_exhausted", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "The grants do not cover this" in page.text


def test_a_problem_that_is_none(stranger: httpx.Client) -> None:
    answer = stranger.get("/problems/<script>")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
