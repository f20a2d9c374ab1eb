"""Progress is silent unless asked for, and goes to standard error."""

from __future__ import annotations

from typing import Any

import pytest

from qubator.job import Job
from qubator.progress import count_progress, describe, job_progress, stderr_is_terminal


def job(script: Any, **record: Any) -> Job:
    return Job(script.connection(), {"id": "job_1", "state": "queued", **record})


@pytest.mark.parametrize("asked", [None, False])
def test_nobody_listens_by_default(script: Any, asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with job_progress(asked, job(script)) as show:
        assert show is None
    with count_progress(False, 3) as count:
        count(2)
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


def test_the_line_says_state_and_reason_and_reads_no_markup(
    script: Any, terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = job(script, wait_reason="position [bold]4[/bold] of 10")
    assert describe(waiting) == "job_1 queued: position [bold]4[/bold] of 10"
    with job_progress(True, waiting) as show:
        assert show is not None
        show(waiting)
        show(job(script, state="succeeded"))
    out, err = capsys.readouterr()
    assert out == ""
    assert "[bold]4[/bold]" in err
    assert "job_1 succeeded" in err


def test_many_jobs_are_counted(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    with count_progress(True, 10) as show:
        show(4)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4 of 10 jobs ended" in err


def test_captured_standard_error_is_no_terminal() -> None:
    assert stderr_is_terminal() is False
