"""Reports come back as they were written, and a child's lies are not believed."""

from __future__ import annotations

from typing import Any

import pytest

from backends.trust.finding import Finding
from workers.frames import BrokenStream, Frame, FrameReader
from workers.reports import Began, Broke, Done, Report, Watched, read_report, write_report

KEY = ("job/0.1", 3)
REPORTS: list[Report] = [
    Began(KEY, 17),
    Done(KEY, 20, 19, 4096, 1024, b"{}"),
    Done(KEY, 20, 19, 4096, 1024, b""),
    Done(KEY, 20, 19, 4096, 1024, None),
    Broke(KEY, 20, 4096, "user", "circuit_invalid", "no such gate", {"gate": "foo"}),
]


@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_a_report_is_read_as_it_was_written(report: Report) -> None:
    [frame] = FrameReader().feed(write_report(report))
    assert read_report(frame) == report


def test_a_finding_is_read_as_it_was_written_and_not_believed() -> None:
    finding = Finding(0, "sample", "stim", "1", "ddsim", "2", True, False, 1e-30, ("stim",), 3, 100, "abc")
    [frame] = FrameReader().feed(write_report(Watched(KEY, finding)))
    assert read_report(frame) == Watched(KEY, finding)
    with pytest.raises(BrokenStream, match="makes no sense"):
        read_report(Frame({**frame.header, "finding": finding.to_json() | {"engine": 3}}, b""))


def test_other_frames_are_no_reports() -> None:
    assert read_report(Frame({"is": "pong"}, b"")) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": None}, "about no attempt"),
        ({"key": ["job/0.1"]}, "about no attempt"),
        ({"key": [1, "job"]}, "about no attempt"),
        ({"used": "20"}, "without used"),
        ({"used": -1}, "without used"),
        ({"rss": None}, "without rss"),
        ({"kind": "lost"}, "no known kind"),
        ({"kind": ["user"]}, "no known kind"),
        ({"fields": []}, "no known kind"),
        ({"code": 5}, "without code"),
        ({"reason": None}, "without reason"),
    ],
)
def test_what_is_not_exactly_a_report_is_refused(change: dict[str, Any], said: str) -> None:
    [frame] = FrameReader().feed(write_report(REPORTS[-1]))
    with pytest.raises(BrokenStream, match=said):
        read_report(Frame({**frame.header, **change}, b""))
