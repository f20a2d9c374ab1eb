"""A worker's observation, as the report that settlement and the scheduler read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from dispatcher.reports import Report, report_of, storable
from scheduler.events import AttemptFailed, AttemptStarted, AttemptStopped, AttemptSucceeded
from workers.port import Failed, Lost, Started, Stopped, Succeeded

SEEN: list[tuple[Any, Report, Any]] = [
    (Started("j/0.1", 7, 5), Report("started", 5, "j/0.1", 7), AttemptStarted(5, "j/0.1", 7)),
    (
        Succeeded("j/0.1", 7, 5, b"r", 30, 20, 10),
        Report("succeeded", 5, "j/0.1", 7, used_us=30, cpu_us=20, shots=10, result=b"r"),
        AttemptSucceeded(5, "j/0.1", 7, 30),
    ),
    (
        Succeeded("j/0.1", 7, 5, Path("spool/1.result"), 30, 20, 10),
        Report("succeeded", 5, "j/0.1", 7, used_us=30, cpu_us=20, shots=10, result=Path("spool/1.result")),
        AttemptSucceeded(5, "j/0.1", 7, 30),
    ),
    (
        Failed("j/0.1", 7, 5, "memory", "memory_limit_reached", "too much", {"memory_mib": 4}, 30),
        Report(
            "failed",
            5,
            "j/0.1",
            7,
            used_us=30,
            failure="memory",
            code="memory_limit_reached",
            reason="too much",
            fields={"memory_mib": 4},
        ),
        AttemptFailed(5, "j/0.1", 7, "memory", "too much", 30),
    ),
    (Stopped("j/0.1", 7, 5, 30), Report("stopped", 5, "j/0.1", 7, used_us=30), AttemptStopped(5, "j/0.1", 7, 30)),
    (
        Lost("j/0.1", 7, 5, "the executor is closed"),
        Report("failed", 5, "j/0.1", 7, failure="lost", reason="the executor is closed"),
        AttemptFailed(5, "j/0.1", 7, "lost", "the executor is closed", 0),
    ),
]


@pytest.mark.parametrize(("seen", "report", "event"), SEEN, ids=lambda one: type(one).__name__)
def test_each_observation_as_report_and_as_event(seen: Any, report: Report, event: Any) -> None:
    assert report_of(seen) == report
    assert report.event() == event


@pytest.mark.parametrize("report", [report for _, report, _ in SEEN if report.result is None])
def test_a_report_travels_as_json(report: Report) -> None:
    assert Report.from_json(report.at_us, orjson.loads(orjson.dumps(report.to_json()))) == report


def test_a_stored_result_travels_by_its_hash() -> None:
    report = Report("succeeded", 5, "j/0.1", 7, used_us=3, result_hash="sha256:1")
    assert Report.from_json(5, report.to_json()).result_hash == "sha256:1"


def test_a_failure_without_a_kind_is_the_platforms() -> None:
    assert Report("failed", 5, "j/0.1", 7).event() == AttemptFailed(5, "j/0.1", 7, "fault", "", 0)


def test_a_result_that_cannot_be_taken_over_is_a_failure(tmp_path: Path) -> None:
    small = Report("succeeded", 5, "j/0.1", 7, used_us=3, result=b"12345")
    assert storable(small, 5) is small
    large = storable(small, 4)
    assert (large.kind, large.failure, large.code, large.result) == ("failed", "user", "result_too_large", None)
    assert (large.fields, large.used_us) == ({"limit": 4, "value": 5}, 3)
    path = tmp_path / "1.result"
    path.write_bytes(b"12345")
    spooled = replace(small, result=path)
    assert storable(spooled, 5) is spooled
    assert storable(spooled, 4).code == "result_too_large"
    assert not path.exists()
    lost = storable(spooled, 5)
    assert (lost.kind, lost.failure, lost.reason) == (
        "failed",
        "fault",
        "the finished result has disappeared from the spool",
    )
    assert storable(Report("started", 5, "j/0.1", 7), 0).kind == "started"
