"""What a worker's child says about orders, both ways of it in one place: written in the child, read by its parent.

The reader believes nothing: a child that ran hostile work may say anything; what is not exactly a report is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, get_args

from backends.trust.finding import Finding, read_finding
from workers import frames
from workers.frames import BrokenStream, Frame
from workers.port import FailureCause, Key


@dataclass(frozen=True, slots=True)
class Began:
    """The order runs since `at_us` of the steady clock."""

    key: Key
    at_us: int


@dataclass(frozen=True, slots=True)
class Done:
    """It ran. `result` is None when it lies in the spool. `resident_bytes`: what the child occupies now."""

    key: Key
    used_us: int
    cpu_us: int
    resident_bytes: int
    shots: int
    result: bytes | None


@dataclass(frozen=True, slots=True)
class Broke:
    """It did not. Fields as in `workers.port.Failed`."""

    key: Key
    used_us: int
    resident_bytes: int
    kind: FailureCause
    code: str
    reason: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a shadow run of an order that had ended has found."""

    key: Key
    finding: Finding


Report = Began | Done | Broke | Watched


def write_report(report: Report) -> bytes:
    """The report as a frame."""
    match report:
        case Began(key, at_us):
            return frames.encode({"is": "began", "key": key, "at": at_us})
        case Done(key, used_us, cpu_us, resident_bytes, shots, result):
            header = {"is": "done", "key": key, "used": used_us, "cpu": cpu_us, "rss": resident_bytes, "shots": shots}
            return frames.encode({**header, "spooled": result is None}, result or b"")
        case Broke(key, used_us, resident_bytes, kind, code, reason, fields):
            header = {"is": "broke", "key": key, "used": used_us, "rss": resident_bytes}
            return frames.encode({**header, "kind": kind, "code": code, "reason": reason, "fields": fields})
        case Watched(key, finding):
            return frames.encode({"is": "watched", "key": key, "finding": finding.to_json()})


def read_report(frame: Frame) -> Report | None:
    """The report in a frame; None when it is some other frame. Raises BrokenStream."""
    header = frame.header
    match header["is"]:
        case "began":
            return Began(_key(header), _count(header, "at"))
        case "done":
            used_us, cpu_us, rss = _count(header, "used"), _count(header, "cpu"), _count(header, "rss")
            result = None if header.get("spooled") is True else frame.body
            return Done(_key(header), used_us, cpu_us, rss, _count(header, "shots"), result)
        case "broke":
            kind, fields = header.get("kind"), header.get("fields")
            if kind not in get_args(FailureCause) or not isinstance(fields, dict):
                raise BrokenStream("a failure of no known kind")
            used_us, rss = _count(header, "used"), _count(header, "rss")
            cause = cast("FailureCause", kind)
            return Broke(_key(header), used_us, rss, cause, _text(header, "code"), _text(header, "reason"), fields)
        case "watched":
            try:
                return Watched(_key(header), read_finding(header.get("finding")))
            except ValueError as wrong:
                raise BrokenStream(str(wrong)) from wrong
    return None


def _key(header: dict[str, Any]) -> Key:
    match header.get("key"):
        case [str(attempt_id), int(token)]:
            return (attempt_id, token)
    raise BrokenStream("a report about no attempt")


def _count(header: dict[str, Any], name: str) -> int:
    number = header.get(name)
    if isinstance(number, int) and number >= 0:
        return number
    raise BrokenStream(f"a report without {name}")


def _text(header: dict[str, Any], name: str) -> str:
    text = header.get(name)
    if isinstance(text, str):
        return text
    raise BrokenStream(f"a report without {name}")
