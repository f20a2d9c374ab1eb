"""What a caller may read: every look-up is bound to the caller's project, and what lies outside does not exist."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.proofs import Proofs
from store import attempts, jobs
from store.rows import AttemptRow, HistoryRow, JobFilter, JobRow, NoticeRow


def no_job(job_id: str) -> Refusal:
    """The one answer to a job that is not there, or not for this caller."""
    return Refusal("not_found", f"There is no job {job_id}.", {"job_id": job_id})


class Reading:
    """Jobs, their history, results and receipts."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def job(self, caller: Caller, job_id: str) -> JobRow | None:
        """One job, or None where the caller may not know of it."""
        with self._ground.database.read() as conn:
            return jobs.get_job(conn, job_id, caller.project_id)

    def jobs(
        self, caller: Caller, chosen: JobFilter, cursor: str | None, limit: int
    ) -> tuple[list[JobRow], str | None]:
        """A page of jobs, newest first, and the cursor of the next page."""
        if caller.project_id is not None:
            chosen = replace(chosen, project_id=caller.project_id)
        with self._ground.database.read() as conn:
            return jobs.list_jobs(conn, chosen, cursor, limit)

    def history(self, caller: Caller, job_id: str) -> list[HistoryRow]:
        """Every change of state of a job, oldest first."""
        with self._ground.database.read() as conn:
            if jobs.get_job(conn, job_id, caller.project_id) is None:
                return []
            return jobs.history_of(conn, job_id)

    def attempts(self, caller: Caller, job_id: str) -> list[AttemptRow]:
        """Every attempt of a job, oldest first."""
        with self._ground.database.read() as conn:
            if jobs.get_job(conn, job_id, caller.project_id) is None:
                return []
            return attempts.attempts_of(conn, job_id)

    def history_since(self, caller: Caller, seq: int, limit: int) -> list[HistoryRow | NoticeRow]:
        """Changes and notices after row `seq` in the caller's project (all projects for operators and auditors)."""
        with self._ground.database.read() as conn:
            return jobs.history_since(conn, seq, caller.project_id, limit)

    def result(self, caller: Caller, job_id: str) -> bytes | Refusal:
        """The result document. Refusals: not_found, job_not_finished, job_has_no_result."""
        with self._ground.database.read() as conn:
            job = jobs.get_job(conn, job_id, caller.project_id)
            if job is None:
                return no_job(job_id)
            if job.state not in ("succeeded", "failed", "cancelled"):
                return Refusal("job_not_finished", f"Job {job_id} is {job.state}.", {"state": job.state})
            content: bytes | None = None
            if job.result_hash is not None:
                content = self._ground.blobs.get(conn, job.result_hash)
        if content is not None:
            return content
        fields: dict[str, Any] = {"state": job.state}
        if job.problem is not None:
            fields["problem"] = job.problem
            return Refusal("job_has_no_result", f"Job {job_id} failed: {job.problem['detail']}", fields)
        return Refusal("job_has_no_result", f"Job {job_id} has no result: it was {job.state}.", fields)

    def receipt(self, caller: Caller, job_id: str) -> dict[str, Any] | Refusal:
        """The receipt of an ended job, with what proves its entries. Refusals: not_found, job_not_finished."""
        job = self.job(caller, job_id)
        if job is None:
            return no_job(job_id)
        if job.receipt is None:
            return Refusal("job_not_finished", f"Job {job_id} is {job.state}.", {"state": job.state})
        return {**job.receipt, "proof": Proofs(self._ground).proof_of_job(job_id)}
