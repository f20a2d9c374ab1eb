"""The inbox: what the API and separate worker processes tell the dispatcher, as rows that outlive a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.reports import Report
from scheduler.events import (
    BackendStateChanged,
    CancelRequested,
    Event,
    JobSubmitted,
    ProjectWeightSet,
    TaskSpec,
    WorkerJoined,
    WorkerLost,
    WorkerSeen,
)
from store.rows import InboxRow, JobRow, Message

TOLD_BY_THE_STORE = frozenset({"job_submitted", "cancel_requested", "backend_changed", "weight_set"})
"""Kinds of rows whose news stands in other tables too: who reads those afresh must not be told once more, for the job
may have ended by what was found there."""


@dataclass(frozen=True, slots=True)
class Told:
    """One inbox row as the loop takes it: a scheduler event or a worker's report, and the payload of a new job."""

    seq: int
    what: Event | Report
    work_hash: str | None = None


def task_of(job: JobRow, backends: Sequence[str]) -> TaskSpec:
    """The one task of a circuit job."""
    return TaskSpec(f"{job.id}/0", tuple(backends), job.estimate_us, job.time_limit_us)


def job_submitted(job: JobRow, backends: Sequence[str]) -> Message:
    """A job was admitted in this very commit."""
    body = {
        "job_id": job.id,
        "project_id": job.project_id,
        "priority": job.priority,
        "backends": list(backends),
        "estimate_us": job.estimate_us,
        "time_limit_us": job.time_limit_us,
        "work_hash": job.work_hash,
    }
    return Message(job.created_us, "job_submitted", body)


def cancel_requested(at_us: int, job_id: str) -> Message:
    """Somebody asked for the job's end."""
    return Message(at_us, "cancel_requested", {"job_id": job_id})


def backend_changed(at_us: int, backend: str, state: str) -> Message:
    """An operator drained, stopped or opened a backend."""
    return Message(at_us, "backend_changed", {"backend": backend, "state": state})


def weight_set(at_us: int, project_id: str, weight: int) -> Message:
    """A project's share changed."""
    return Message(at_us, "weight_set", {"project_id": project_id, "weight": weight})


def worker_joined(at_us: int, worker_id: str, slots: int, pipeline: int, backends: Sequence[str]) -> Message:
    """A separate worker process is ready for orders."""
    body = {"worker_id": worker_id, "slots": slots, "pipeline": pipeline, "backends": list(backends)}
    return Message(at_us, "worker_joined", body)


def worker_seen(at_us: int, worker_id: str) -> Message:
    """A separate worker process is alive."""
    return Message(at_us, "worker_seen", {"worker_id": worker_id})


def worker_left(at_us: int, worker_id: str, reason: str) -> Message:
    """A separate worker process said goodbye."""
    return Message(at_us, "worker_left", {"worker_id": worker_id, "reason": reason})


def reported(report: Report) -> Message:
    """What a separate worker process observed; the result, if any, is already in the blob store."""
    return Message(report.at_us, "reported", report.to_json())


def read(row: InboxRow) -> Told:
    """The row as an event or report. A row that cannot be read is a bug, not a refusal: we wrote it ourselves."""
    return Told(row.seq, _what(row.kind, row.at_us, row.body), row.body.get("work_hash"))


def _what(kind: str, at_us: int, body: dict[str, Any]) -> Event | Report:
    match kind:
        case "job_submitted":
            task = TaskSpec(f"{body['job_id']}/0", tuple(body["backends"]), body["estimate_us"], body["time_limit_us"])
            return JobSubmitted(at_us, body["job_id"], body["project_id"], body["priority"], (task,))
        case "cancel_requested":
            return CancelRequested(at_us, body["job_id"])
        case "backend_changed":
            return BackendStateChanged(at_us, body["backend"], body["state"])
        case "weight_set":
            return ProjectWeightSet(at_us, body["project_id"], body["weight"])
        case "worker_joined":
            return WorkerJoined(at_us, body["worker_id"], body["slots"], body["pipeline"], tuple(body["backends"]))
        case "worker_seen":
            return WorkerSeen(at_us, body["worker_id"])
        case "worker_left":
            return WorkerLost(at_us, body["worker_id"], body["reason"])
        case "reported":
            return Report.from_json(at_us, body)
        case _:
            raise RuntimeError(f"inbox row of unknown kind {kind!r}")
