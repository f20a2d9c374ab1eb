"""The rows of the database as frozen values: what the store hands out and takes in.

Instants are microseconds since the epoch (`_us`), money is integer micro-units of its asset. Fields stand in the order
of the columns. A dict or tuple field lives as JSON text in the database; whoever receives a row must not change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["member", "admin", "operator", "auditor"]
JobState = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]
AttemptState = Literal["leased", "running", "succeeded", "failed", "stopped", "lost"]
WorkerState = Literal["up", "lost"]
RequestKind = Literal["increase", "transfer", "claw_back", "correct"]
RequestState = Literal["open", "approved", "refused"]
BackendState = Literal["online", "draining", "offline"]
EngineState = Literal["trusted", "quarantined"]


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A tenant. `weight` is its share of the machine beside the others (default 100).

    `stage`, `founded_us`, `traits` and `related` (parties whose backends it may not be subsidised for) are what the
    terms of programmes ask about.
    """

    id: str
    name: str
    weight: int
    created_us: int
    stage: str = ""
    founded_us: int | None = None
    traits: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person or a program that may call. `project_id` is None for people of the whole facility."""

    id: str
    project_id: str | None
    name: str
    role: Role
    created_us: int


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret: the hash of the secret never leaves the store."""

    id: str
    member_id: str
    project_id: str | None
    role: Role
    label: str
    created_us: int
    expires_us: int | None = None
    revoked_us: int | None = None


@dataclass(frozen=True, slots=True)
class FunderRow:
    """Who pays."""

    id: str
    name: str
    created_us: int


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A budget in one asset, from which grants are issued. `funders` share it by weight, `funder_id` leads them."""

    id: str
    funder_id: str
    name: str
    asset: str
    created_us: int
    funders: tuple[tuple[str, int], ...] = ()

    @property
    def shares(self) -> tuple[tuple[str, int], ...]:
        """Who pays which part, by weight."""
        return self.funders or ((self.funder_id, 1),)


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """A quote that was given: honoured for the same work until `expires_us`."""

    id: str
    project_id: str
    work_hash: str
    created_us: int
    expires_us: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RequestRow:
    """An act that needs a second operator: what is to be done to `subject`, and what became of it."""

    id: str
    kind: RequestKind
    subject: str
    body: dict[str, Any]
    reason: str
    asked_by: str
    asked_us: int
    state: RequestState = "open"
    decided_by: str | None = None
    decided_us: int | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it stands. `version` grows by one with every change; `request_hash` tells two requests under the same
    idempotency key apart; `work_hash` and `result_hash` name blobs.
    """

    id: str
    project_id: str
    member_id: str
    primitive: str
    name: str | None
    state: JobState
    version: int
    priority: int
    backend_asked: str
    backend: str
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    request_hash: str
    idempotency_key: str | None
    work_hash: str
    created_us: int
    started_us: int | None
    ended_us: int | None
    time_limit_us: int
    max_cost: int | None
    estimate_us: int
    quote: dict[str, Any]
    findings: dict[str, Any]
    result_hash: str | None = None
    result_size: int | None = None
    problem: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    receipt: dict[str, Any] | None = None
    cancel_requested_us: int | None = None
    category: str = "general"


@dataclass(frozen=True, slots=True)
class JobChange:
    """One step in a job's life. What is None stays as it was."""

    job_id: str
    at_us: int
    state: JobState
    reason: str
    started_us: int | None = None
    ended_us: int | None = None
    backend: str | None = None
    result_hash: str | None = None
    result_size: int | None = None
    problem: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    receipt: dict[str, Any] | None = None
    cancel_requested_us: int | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows; None or empty means any. `since_us` <= created_us < `until_us`."""

    project_id: str | None = None
    states: tuple[str, ...] = ()
    backend: str | None = None
    tag: str | None = None
    primitive: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try of a job on one worker. `token` is the fencing token of its lease."""

    id: str
    job_id: str
    number: int
    token: int
    worker_id: str
    backend: str
    state: AttemptState
    leased_us: int
    started_us: int | None
    ended_us: int | None
    lease_until_us: int
    failure: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended, at `at_us`."""

    attempt_id: str
    state: AttemptState
    at_us: int
    failure: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step that a job has taken. `seq` grows in the order of the commits, over all jobs."""

    seq: int
    job_id: str
    project_id: str
    at_us: int
    state: JobState
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Something that a project should know and that is about no single job. It counts in the `seq` of the history."""

    seq: int
    project_id: str
    at_us: int
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What is put into the inbox; it gets its `seq` there."""

    at_us: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message that waits in the inbox."""

    seq: int
    at_us: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker that has joined, and when it was last seen."""

    id: str
    host: str
    pid: int
    slots: int
    pipeline: int
    backends: tuple[str, ...]
    state: WorkerState
    joined_us: int
    seen_us: int


@dataclass(frozen=True, slots=True)
class UsageRow:
    """How much a project has used, decayed up to `at_us`, in the scheduler's unit."""

    project_id: str
    usage: int
    at_us: int


@dataclass(frozen=True, slots=True)
class BackendRow:
    """What an operator has decided about a backend, and why."""

    name: str
    state: BackendState
    reason: str
    changed_us: int


@dataclass(frozen=True, slots=True)
class EngineRow:
    """Whether an engine may be used, why, and how often its answers were compared and contradicted."""

    name: str
    state: EngineState
    reason: str
    changed_us: int
    compared: int
    disagreed: int


@dataclass(frozen=True, slots=True)
class DisagreementRow:
    """A shadow run that gave another answer; `finding` as backends/trust/finding.py writes it."""

    seq: int
    at_us: int
    job_id: str
    finding: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed statement that the first `size` entries have this root; `note` is its text with the signatures."""

    size: int
    root: bytes
    at_us: int
    note: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what."""

    seq: int
    at_us: int
    actor: str
    act: str
    subject: str
    detail: dict[str, Any]
