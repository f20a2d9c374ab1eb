"""Many jobs in few requests, and waiting for many jobs at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qubator.connection import Connection, encode_json
from qubator.errors import BatchRefused, QubatorError, WaitTimeout, from_problem
from qubator.job import HOLD_S, Job
from qubator.progress import count_progress
from qubator.retry import RETRY_STATUSES

if TYPE_CHECKING:
    from qubator.submission import Submission

CHUNK_JOBS = 1000
CHUNK_BYTES = 4_000_000
"""Half of what the service reads, so that the sum never reaches its limit; one larger job travels alone."""
_PAGE = 500
_FEW = 20
_SHOWN_S = 1.0
"""How old the shown number of ended jobs may grow."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    number: int
    first: int
    bodies: tuple[bytes, ...]

    def body(self) -> bytes:
        return b'{"jobs":[' + b",".join(self.bodies) + b"]}"


def submit_all(connection: Connection, submissions: Iterable[Submission], key: str) -> list[Job | QubatorError]:
    """Submit every job in order; the answer has a Job, or the refusal, at each place.

    Each chunk has a key of its own made from `key`, so a chunk sent twice makes no job twice. Jobs the service could
    not take just then (queue full) are offered again with their whole chunk: what was accepted before is named again.
    """
    outcomes: list[Job | QubatorError] = []
    for chunk in _chunks(submissions):
        outcomes += _send(connection, chunk, f"{key}.{chunk.number}")
    return outcomes


def raise_refusals(outcomes: Sequence[Job | QubatorError]) -> list[Job]:
    """The jobs, when all were accepted; else BatchRefused, which carries both kinds."""
    refusals = {index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, QubatorError)}
    jobs = [outcome for outcome in outcomes if isinstance(outcome, Job)]
    if not refusals:
        return jobs
    index, first = next(iter(refusals.items()))
    raise BatchRefused(
        f"{len(refusals)} of {len(outcomes)} jobs were refused; the first is number {index}: {first.detail}",
        jobs=[None if isinstance(outcome, QubatorError) else outcome for outcome in outcomes],
        refusals=refusals,
    )


def wait_all(
    connection: Connection, jobs: Sequence[Job], timeout_s: float | None, *, progress: bool = False
) -> list[Job]:
    """Block until all jobs have ended. Raises WaitTimeout, naming how many are open, when time is over first.

    Reads the states of many jobs by pages of the job list, and is woken by a held request on one open job.
    """
    ends = None if timeout_s is None else time.monotonic() + timeout_s
    with count_progress(progress, len(jobs)) as show:
        while True:
            waiting = [job for job in jobs if not job.ended]
            show(len(jobs) - len(waiting))
            if not waiting:
                return list(jobs)
            if len(waiting) > _FEW:
                _refresh_by_list(connection, waiting)
            left_s = HOLD_S if ends is None else ends - time.monotonic()
            if left_s <= 0:
                detail = f"{len(waiting)} of {len(jobs)} jobs still open after {timeout_s:g} s"
                raise WaitTimeout(detail, code="wait_timeout")
            still = [job for job in waiting if not job.ended]
            if still:
                # of many, the one submitted last tends to end last: one held request then stands for all of them
                _hold(still[-1] if len(still) > _FEW else still[0], min(left_s, _SHOWN_S if progress else HOLD_S))


def _hold(job: Job, hold_s: float) -> None:
    try:
        job.wait(hold_s)
    except WaitTimeout:
        return


def _refresh_by_list(connection: Connection, waiting: Sequence[Job]) -> None:
    """Take over what the job list says of these jobs."""
    sought = {job.id: job for job in waiting}
    times = [_created_us(job) for job in (waiting[0], waiting[-1])]
    params: dict[str, Any] = {"since_us": min(times), "until_us": max(times) + 1, "limit": _PAGE}
    while sought:
        body = connection.request("GET", "/v1/jobs", params=params).body
        for record in body["jobs"]:
            job = sought.pop(record["id"], None)
            if job is not None:
                job.update(record)
        params["cursor"] = body.get("next_cursor")
        if params["cursor"] is None:
            return


def _created_us(job: Job) -> int:
    return round(job.created_at.timestamp() * 1_000_000)


def _chunks(submissions: Iterable[Submission]) -> Iterator[_Chunk]:
    number = first = size = 0
    bodies: list[bytes] = []
    for submission in submissions:
        body = encode_json(submission.to_json())
        if bodies and (len(bodies) == CHUNK_JOBS or size + len(body) > CHUNK_BYTES):
            yield _Chunk(number, first, tuple(bodies))
            number, first, size, bodies = number + 1, first + len(bodies), 0, []
        bodies.append(body)
        size += len(body) + 1
    if bodies:
        yield _Chunk(number, first, tuple(bodies))


def _send(connection: Connection, chunk: _Chunk, key: str) -> list[Job | QubatorError]:
    body = chunk.body()
    give_up_at: float | None = None
    failures = 0
    while True:
        answer = connection.request("POST", "/v1/jobs/batch", body=body, key=key).body
        outcomes = [_outcome(connection, row) for row in sorted(answer["jobs"], key=lambda row: row["index"])]
        again = [each for each in outcomes if isinstance(each, QubatorError) and each.status in RETRY_STATUSES]
        if not again:
            return outcomes
        failures += 1
        now = connection.now()
        give_up_at = now + connection.policy.total_s if give_up_at is None else give_up_at
        delay_s = connection.delay_s(failures, max((each.retry_after_s or 0.0) for each in again) or None)
        if now + delay_s >= give_up_at:
            return outcomes
        connection.pause(delay_s)


def _outcome(connection: Connection, row: dict[str, Any]) -> Job | QubatorError:
    if "job" in row:
        return Job(connection, row["job"])
    problem = row.get("problem", {})
    retry_after_s = problem.get("retry_after_s") if isinstance(problem, dict) else None
    return from_problem(int(row["status"]), problem, retry_after_s)
