"""A job at the service: look, wait, take the result, cancel, read the bill."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from qubator.connection import Connection, segment
from qubator.errors import PROBLEM_MEMBERS, Conflict, JobCancelled, JobFailed, WaitTimeout
from qubator.money import Money
from qubator.progress import Progress, describe, job_progress
from qubator.results import check_document, joint_counts, registers_of, to_primitive_result

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})
HOLD_S = 30.0
"""How long one request is held open at most; proxies on the way tend to cut at a minute."""


class Job:
    """One submitted job. Attributes show what was last read; `refresh`, `status` and `wait` read anew."""

    def __init__(self, connection: Connection, record: Mapping[str, Any]) -> None:
        self._connection = connection
        self._record = dict(record)
        self._warnings: list[dict[str, Any]] = self._record.get("warnings") or []
        self._document: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """The service's id of this job."""
        return str(self._record["id"])

    @property
    def path(self) -> str:
        """Where the HTTP API has this job."""
        return f"/v1/jobs/{segment(self.id)}"

    @property
    def state(self) -> str:
        """queued, running, cancelling, succeeded, failed or cancelled, as last read."""
        return str(self._record.get("state", "queued"))

    @property
    def ended(self) -> bool:
        """Whether the job, as last read, will not change any more."""
        return self.state in FINAL_STATES

    @property
    def record(self) -> dict[str, Any]:
        """The job object of the HTTP API, as last read."""
        return dict(self._record)

    @property
    def name(self) -> str | None:
        """The name given at submission."""
        name: str | None = self._told("name")
        return name

    @property
    def primitive(self) -> str:
        """sampler or estimator."""
        return str(self._told("primitive"))

    @property
    def backend(self) -> str:
        """The backend the service chose (`record["backend_asked"]` is what was asked for)."""
        return str(self._told("backend"))

    @property
    def tags(self) -> list[str]:
        """The tags given at submission."""
        return list(self._told("tags") or ())

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata given at submission."""
        return dict(self._told("metadata") or {})

    @property
    def created_at(self) -> datetime:
        """When the service accepted the job (UTC)."""
        return datetime.fromtimestamp(self._told("created_us") / 1e6, UTC)

    @property
    def wait_reason(self) -> str | None:
        """Why a queued job waits, in plain words, as last read."""
        return self._record.get("wait_reason")

    @property
    def problem(self) -> dict[str, Any] | None:
        """Why a failed job failed: code, detail and the fields named."""
        return self._record.get("problem")

    @property
    def quote(self) -> dict[str, Any]:
        """The price agreed at admission: `expected` and `ceiling` as Money, and what else the service says of it."""
        found = dict(self._told("quote") or {})
        for word in ("expected", "ceiling"):
            if isinstance(found.get(word), Mapping) and "micro" in found[word]:
                found[word] = Money.from_json(found[word])
        return found

    @property
    def cost(self) -> Money | None:
        """What the job was charged; None until it has ended. Reads anew while the job is open."""
        if not self.ended or "cost" not in self._record:
            self.refresh()
        cost = self._record.get("cost")
        return None if cost is None else Money.from_json(cost)

    def refresh(self) -> Job:
        """Read the job anew."""
        self._record = self._connection.request("GET", self.path).body
        return self

    def update(self, record: Mapping[str, Any]) -> None:
        """Take over a newer job object that was read elsewhere."""
        self._record = dict(record)

    def status(self) -> str:
        """The state, read anew unless it is final."""
        return self.state if self.ended else self.refresh().state

    def done(self) -> bool:
        """Whether the job has ended (in whatever way), read anew unless already known."""
        return self.ended or self.status() in FINAL_STATES

    def wait(self, timeout: float | None = None, *, progress: Progress = None) -> Job:
        """Block until the job has ended or `timeout` seconds are over (then WaitTimeout; the job goes on).

        A failed job is no error here: see `state` and `problem`, or call `result`.
        """
        limit = _Limit(timeout)
        with job_progress(progress, self) as show:
            while not self.ended:
                hold_s = limit.hold_s(self)
                params: dict[str, Any] = {"wait": _seconds(hold_s)}
                if show is not None and "version" in self._record:
                    params["version"] = self._record["version"]
                self._record = self._connection.request("GET", self.path, params=params, wait_s=hold_s).body
                if show is not None:
                    show(self)
        return self

    def document(self, timeout: float | None = None, *, progress: Progress = None) -> Mapping[str, Any]:
        """The raw result document, waiting for the end of the job. Raises as `result` does."""
        if self._document is not None:
            return self._document
        limit = _Limit(timeout)
        if progress:
            self.wait(timeout, progress=progress)
        while self.state not in ("failed", "cancelled"):
            hold_s = limit.hold_s(self)
            try:
                reply = self._connection.request(
                    "GET", f"{self.path}/result", params={"wait": _seconds(hold_s)}, wait_s=hold_s
                )
            except Conflict as conflict:
                if conflict.code != "job_not_finished":
                    self._take_end(conflict)
                continue
            self._document = check_document(reply.body)
            if not self.ended:
                self._record["state"] = "succeeded"
                self._record.pop("cost", None)
            return self._document
        raise self._failure()

    def document_now(self) -> Mapping[str, Any]:
        """The raw result document of a job that has ended. Raises Conflict while it is open, JobFailed as `result`."""
        try:
            return check_document(self._connection.request("GET", f"{self.path}/result").body)
        except Conflict as conflict:
            if conflict.code != "job_has_no_result":
                raise
            self._take_end(conflict)
        raise self._failure()

    def drop_document(self) -> None:
        """Forget the raw result document (it may be large); it can be read again."""
        self._document = None

    def result(self, timeout: float | None = None, *, progress: Progress = None) -> Any:
        """Qiskit's PrimitiveResult, waiting for it at most `timeout` seconds (None: as long as it takes).

        Raises JobFailed or JobCancelled when the job ended without a result, WaitTimeout when time was over.
        """
        return to_primitive_result(self.document(timeout, progress=progress))

    def counts(self, timeout: float | None = None) -> list[dict[str, int]]:
        """Counts per PUB of a sampler job, all registers together; for a PUB over an array of parameter sets, those of
        all sets one after the other."""
        tables = []
        for pub in self.document(timeout)["pubs"]:
            registers = registers_of(pub)
            places = _places(registers[0].shape) if registers else [()]
            tables += [joint_counts(registers, place) for place in places]
        return tables

    def cancel(self) -> bool:
        """Ask for an early end. True when the job is or will be cancelled, False when it had already ended."""
        if self.ended:
            return self.state == "cancelled"
        try:
            self._record = self._connection.request("POST", f"{self.path}/cancel", repeatable=True).body
        except Conflict as conflict:
            if conflict.code != "job_ended":
                raise
            return self.refresh().state == "cancelled"
        return True

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What the service said beside its yes, when it was asked: that the project's grants run out."""
        return list(self._warnings)

    def receipt(self, *, explain: bool = False) -> dict[str, Any]:
        """The bill: usage, price lines, and the grants that paid. Raises Conflict while the job is open.

        With `explain` its member "explain" has every step in words and figures.
        """
        params = {"explain": "1"} if explain else None
        return dict(self._connection.request("GET", f"{self.path}/receipt", params=params).body)

    def history(self) -> list[dict[str, Any]]:
        """Every change of state with its time and reason, oldest first."""
        body = self._connection.request("GET", f"{self.path}/history").body
        return list(body["history"] if isinstance(body, Mapping) else body)

    def __repr__(self) -> str:
        name = f" name={self._record['name']!r}" if self._record.get("name") else ""
        return f"<qubator.Job {self.id} {self.state}{name}>"

    def _repr_html_(self) -> str:
        cost = self._record.get("cost")
        rows = {
            "job": self.id,
            "name": self._record.get("name"),
            "state": self.state,
            "waits": self.wait_reason if not self.ended else None,
            "backend": self._record.get("backend"),
            "cost": str(Money.from_json(cost)) if cost else None,
            "problem": (self.problem or {}).get("detail"),
        }
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(word)}</th><td>{html.escape(str(value))}</td></tr>"
            for word, value in rows.items()
            if value
        )
        return f"<table>{cells}</table>"

    def _told(self, word: str) -> Any:
        # the batch endpoint answers with a short form; the rest is read when somebody asks for it
        if word not in self._record:
            self.refresh()
        return self._record.get(word)

    def _take_end(self, conflict: Conflict) -> None:
        """The answer "no result" tells how the job ended; raises it when a result should be there all the same."""
        state = conflict.fields.get("state")
        if state in ("failed", "cancelled"):
            self._record.update(state=state, problem=conflict.fields.get("problem"))
            self._record.pop("cost", None)
        else:
            self.refresh()
            if self.state == "succeeded":
                raise conflict

    def _failure(self) -> JobFailed:
        if self.state == "failed" and self.problem is None:
            self.refresh()
        problem = self.problem or {}
        if self.state == "cancelled":
            return JobCancelled(f"job {self.id} was cancelled", code="job_cancelled", job=self)
        detail = problem.get("detail") or problem.get("reason") or "no reason given"
        fields = {word: value for word, value in problem.items() if word not in PROBLEM_MEMBERS}
        code = str(problem.get("code", "job_failed"))
        return JobFailed(f"job {self.id} failed: {detail}", code=code, job=self, fields=fields)


class _Limit:
    """The caller's own time limit over several held requests."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._ends = None if timeout_s is None else time.monotonic() + timeout_s
        self._asked = False

    def hold_s(self, job: Job) -> float:
        """How long the next request may be held; raises WaitTimeout when time is over (never before a first look)."""
        if self._ends is None:
            return HOLD_S
        left_s = self._ends - time.monotonic()
        if left_s <= 0 and self._asked:
            raise WaitTimeout(f"{describe(job)} after {self._timeout_s:g} s", code="wait_timeout")
        self._asked = True
        return max(0.0, min(HOLD_S, left_s))


def _seconds(hold_s: float) -> str:
    return f"{hold_s:.3f}".rstrip("0").rstrip(".")


def _places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    import numpy as np

    return list(np.ndindex(*shape))
