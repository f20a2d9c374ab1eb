"""What is written into the inbox is what the scheduler is told, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher import inbox as letters
from dispatcher.reports import Report
from scheduler.events import (
    BackendStateChanged,
    CancelRequested,
    JobSubmitted,
    ProjectWeightSet,
    TaskSpec,
    WorkerJoined,
    WorkerLost,
    WorkerSeen,
)
from store import inbox
from store.rows import InboxRow

TOLD = [
    (letters.cancel_requested(5, "job-1"), CancelRequested(5, "job-1")),
    (letters.backend_changed(5, "aer", "draining"), BackendStateChanged(5, "aer", "draining")),
    (letters.weight_set(5, "acme", 200), ProjectWeightSet(5, "acme", 200)),
    (letters.worker_joined(5, "agent-1", 2, 8, ("aer",)), WorkerJoined(5, "agent-1", 2, 8, ("aer",))),
    (letters.worker_seen(5, "agent-1"), WorkerSeen(5, "agent-1")),
    (letters.worker_left(5, "agent-1", "stopped"), WorkerLost(5, "agent-1", "stopped")),
    (letters.reported(Report("started", 5, "j/0.1", 7)), Report("started", 5, "j/0.1", 7)),
]


@pytest.mark.parametrize(("message", "what"), TOLD, ids=lambda one: type(one).__name__)
def test_each_letter_is_read_as_it_was_meant(sqlite_database: Any, message: Any, what: Any) -> None:
    sqlite_database.writer.run(lambda conn: inbox.append(conn, [message]))
    with sqlite_database.read() as conn:
        (row,) = inbox.read(conn, 10)
    assert letters.read(row) == letters.Told(row.seq, what)


def test_a_new_job_comes_with_the_name_of_its_payload(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann, priority=3, time_limit_us=9_000_000)
    with zone.database.read() as conn:
        told = letters.read(inbox.read(conn, 10)[-1])
    backends = ("ideal", "aer", "aer-statevector", "aer-stabilizer", "aer-mps")
    task = TaskSpec(f"{job.id}/0", backends, job.estimate_us, 9_000_000)
    assert told.what == JobSubmitted(job.created_us, job.id, ann.project_id, 3, (task,))
    assert told.work_hash == job.work_hash
    assert letters.task_of(job, backends) == task, "as recovery tells it"


def test_a_row_that_nobody_wrote_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="unknown kind 'rumour'"):
        letters.read(InboxRow(1, 5, "rumour", {}))


def test_what_the_store_tells_by_itself_is_of_kinds_that_exist() -> None:
    written = {message.kind for message, _ in TOLD} | {"job_submitted"}
    assert written >= letters.TOLD_BY_THE_STORE
    assert not {kind for kind in letters.TOLD_BY_THE_STORE if kind.startswith(("worker", "reported"))}
