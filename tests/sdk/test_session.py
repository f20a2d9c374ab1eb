"""Sessions: a tag that finds its jobs again, and an end."""

from __future__ import annotations

from typing import Any

import pytest

from qubator import Batch, Session
from qubator.remote_backend import RemoteBackend


def test_it_is_open_until_it_is_closed(script: Any) -> None:
    with Session(client=script.client()) as session:
        assert (session.status(), session.backend()) == ("Open", "auto")
        session.check_open()
    assert session.status() == "Closed"
    with pytest.raises(ValueError, match="is closed: open a new Session"):
        session.check_open()


def test_it_takes_client_and_name_from_its_backend(script: Any) -> None:
    backend = RemoteBackend({"name": "aer"}, script.client())
    session = backend.session()
    assert (session.backend(), session.client) == ("aer", backend.client)
    assert repr(session) == f"<qubator.Session {session.session_id} on aer: Open>"
    assert Session().client is None


def test_cancel_closes_and_ends_its_jobs(script: Any) -> None:
    batch = Batch(client=script.client())
    record = {"id": "job_1", "state": "queued", "version": 1}
    script.say(
        script.answer(200, {"jobs": [record], "next_cursor": None}),
        script.answer(200, {**record, "state": "cancelled"}),
    )
    batch.cancel()
    assert batch.status() == "Closed"
    listed, cancelled = script.lines()
    assert listed == f"GET /v1/jobs?tag={batch.tag.replace(':', '%3A')}&limit=100"
    assert cancelled == "POST /v1/jobs/job_1/cancel"


def test_two_sessions_have_two_tags() -> None:
    assert Session().tag != Session().tag
