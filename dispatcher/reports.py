"""A worker's report: the scheduler's event plus what settlement needs (result, shots, CPU time, the problem)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, assert_never

from scheduler.events import AttemptFailed, AttemptStarted, AttemptStopped, AttemptSucceeded, FailureKind
from workers.port import Failed, Lost, Observation, Started, Stopped, Succeeded

ReportEvent = AttemptStarted | AttemptSucceeded | AttemptFailed | AttemptStopped


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `result` holds the bytes or spool file still to be stored, `result_hash` a blob already stored."""

    kind: Literal["started", "succeeded", "failed", "stopped"]
    at_us: int
    attempt_id: str
    token: int
    used_us: int = 0
    cpu_us: int = 0
    shots: int = 0
    result: bytes | Path | None = None
    result_hash: str | None = None
    failure: FailureKind | None = None
    code: str = ""
    reason: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)

    def event(self) -> ReportEvent:
        """The scheduler's side of the report."""
        match self.kind:
            case "started":
                return AttemptStarted(self.at_us, self.attempt_id, self.token)
            case "succeeded":
                return AttemptSucceeded(self.at_us, self.attempt_id, self.token, self.used_us)
            case "failed":
                kind = self.failure or "fault"
                return AttemptFailed(self.at_us, self.attempt_id, self.token, kind, self.reason, self.used_us)
            case "stopped":
                return AttemptStopped(self.at_us, self.attempt_id, self.token, self.used_us)
            case _:
                assert_never(self.kind)

    def to_json(self) -> dict[str, Any]:
        """The report as an inbox row's body; its result must be stored by then."""
        return {
            "kind": self.kind,
            "attempt_id": self.attempt_id,
            "token": self.token,
            "used_us": self.used_us,
            "cpu_us": self.cpu_us,
            "shots": self.shots,
            "result_hash": self.result_hash,
            "failure": self.failure,
            "code": self.code,
            "reason": self.reason,
            "fields": dict(self.fields),
        }

    @staticmethod
    def from_json(at_us: int, body: dict[str, Any]) -> Report:
        """The report of an inbox row."""
        return Report(at_us=at_us, result=None, **body)


def report_of(seen: Observation) -> Report:
    """An executor's observation as a report."""
    match seen:
        case Started():
            return Report("started", seen.at_us, seen.attempt_id, seen.token)
        case Succeeded():
            return Report(
                "succeeded",
                seen.at_us,
                seen.attempt_id,
                seen.token,
                used_us=seen.used_us,
                cpu_us=seen.cpu_us,
                shots=seen.shots,
                result=seen.result,
            )
        case Failed():
            return Report(
                "failed",
                seen.at_us,
                seen.attempt_id,
                seen.token,
                used_us=seen.used_us,
                failure=seen.kind,
                code=seen.code,
                reason=seen.reason,
                fields=seen.fields,
            )
        case Stopped():
            return Report("stopped", seen.at_us, seen.attempt_id, seen.token, used_us=seen.used_us)
        case Lost():
            return Report("failed", seen.at_us, seen.attempt_id, seen.token, failure="lost", reason=seen.reason)
        case _:
            assert_never(seen)


def storable(report: Report, result_max_bytes: int) -> Report:
    """The report as it is, or as a failure if its result cannot be taken over: too large, or no longer there."""
    if report.result is None:
        return report
    if isinstance(report.result, bytes):
        size = len(report.result)
    else:
        try:
            size = report.result.stat().st_size
        except FileNotFoundError:
            reason = "the finished result has disappeared from the spool"
            return replace(report, kind="failed", failure="fault", reason=reason, result=None)
    if size <= result_max_bytes:
        return report
    if isinstance(report.result, Path):
        report.result.unlink(missing_ok=True)
    return replace(
        report,
        kind="failed",
        failure="user",
        code="result_too_large",
        reason=f"the result has {size} bytes and {result_max_bytes} is the limit; ask for fewer shots or values",
        fields={"limit": result_max_bytes, "value": size},
        result=None,
    )
