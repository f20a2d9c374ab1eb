"""What can go wrong, as exception classes made from the service's problem documents (RFC 9457).

Catch `QubatorError` for everything, or one subclass for one kind of answer. `code` is the stable word to branch on;
`detail` is the sentence for a person; `fields` carries the numbers (limits and values) the service named.
"""

# ruff: noqa: N818 - the class names are the words of the problem, as callers read them in `except`
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qubator.means import means_lines

if TYPE_CHECKING:
    from qubator.job import Job

PROBLEM_MEMBERS = frozenset({"type", "title", "status", "detail", "code", "instance"})
"""The members every problem document has; all others are the fields of its kind."""


class QubatorError(Exception):
    """Any expected failure. `status` is the HTTP status, None when no answer came."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "error",
        status: int | None = None,
        fields: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status
        self.fields: dict[str, Any] = dict(fields or {})
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.detail} [{self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.detail, self.__dict__))

    def to_json(self) -> dict[str, Any]:
        """The problem as a JSON object: code, status, detail and the named fields."""
        return {"code": self.code, "status": self.status, "detail": self.detail, **self.fields}


class NotConfigured(QubatorError):
    """No service URL or no token is known: give arguments, set the environment, or run `qubator login`."""


class AuthError(QubatorError):
    """The token is missing, unknown, expired, or not allowed to do this (401, 403)."""


class NotFound(QubatorError):
    """No such thing for this caller (404); another project's things are not found either."""


class Conflict(QubatorError):
    """The request contradicts what is there (409): key used for another body, job not finished, name taken."""


class Refused(QubatorError):
    """The service read the request and says no (402 budget, 413 too large, 422 bad input).

    For want of means (402) `fields` name what is needed, available and missing, and under `sources` what each grant
    pays and why not more; the text of the exception tells them.
    """

    def __str__(self) -> str:
        return "\n".join([QubatorError.__str__(self), *(means_lines(self.fields) if self.status == 402 else ())])


class BatchRefused(Refused):
    """Some jobs of `submit_many` were refused. `jobs` are the accepted ones in order (None where refused)."""

    def __init__(self, detail: str, *, jobs: Sequence[Job | None], refusals: Mapping[int, QubatorError]) -> None:
        super().__init__(detail, code="batch_refused")
        self.jobs = list(jobs)
        self.refusals = dict(refusals)


class RateLimited(QubatorError):
    """Too much at once (429), still so after all retries. `retry_after_s` says when to come back."""


class Unavailable(QubatorError):
    """The service could not be reached or could not answer (connection errors, time-outs, 5xx)."""


class WaitTimeout(QubatorError, TimeoutError):
    """The job had not ended when the caller's own time was over; it goes on."""


class JobFailed(QubatorError):
    """The job ended without a result. `job` is the job."""

    def __init__(self, detail: str, *, code: str, job: Job | None = None, fields: Mapping[str, Any] | None = None):
        super().__init__(detail, code=code, fields=fields)
        self.job = job


class JobCancelled(JobFailed):
    """The job was cancelled before it had a result."""


def _rebuild(kind: type[QubatorError], detail: str, state: dict[str, Any]) -> QubatorError:
    made = kind.__new__(kind, detail)
    made.__dict__.update(state)
    return made


def kind_of(status: int) -> type[QubatorError]:
    """The exception class for an HTTP status of 400 or more."""
    match status:
        case 401 | 403:
            return AuthError
        case 404:
            return NotFound
        case 409:
            return Conflict
        case 429:
            return RateLimited
        case 400 | 402 | 405 | 413 | 415 | 422:
            return Refused
        case _ if status >= 500:
            return Unavailable
        case _:
            return QubatorError


def from_problem(status: int, problem: object, retry_after_s: float | None = None) -> QubatorError:
    """The exception for an answer of `status` whose body was `problem` (anything; a proxy may have written it)."""
    members: Mapping[str, Any] = problem if isinstance(problem, Mapping) else {}
    code = str(members.get("code") or f"http_{status}")
    detail = str(members.get("detail") or members.get("title") or f"the service answered with status {status}")
    fields = {name: value for name, value in members.items() if name not in PROBLEM_MEMBERS}
    return kind_of(status)(detail, code=code, status=status, fields=fields, retry_after_s=retry_after_s)
