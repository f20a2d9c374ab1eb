"""What is expected to run longer than it may is not started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dispatcher.model import Refusal, Submission
from dispatcher.rules import Rules
from dispatcher.times import times_of

SECOND_US = 1_000_000
ASKED = Submission("sampler", b"{}", "ideal", "hash")


def findings(routed_us: int) -> Any:
    from backends.findings import CircuitFindings, Findings

    circuit = CircuitFindings(5, 5, 5, 5, 5, 5, 10, False, True, 0, False, False, executions=1, routed_us=routed_us)
    return Findings("sampler", (circuit,), 1, 1, 1, 100, 5, 100)


def test_a_short_job_has_the_usual_limit_and_a_long_one_four_times_its_estimate() -> None:
    estimate, limit = told(times_of(Rules(), ASKED, "ideal", findings(1_000)))
    assert 1_000 < estimate < 2_000
    assert limit == 60 * SECOND_US
    estimate, limit = told(times_of(Rules(), ASKED, "ideal", findings(100 * SECOND_US)))
    assert limit == 4 * estimate


def test_what_is_expected_to_be_stopped_is_refused() -> None:
    refusal = times_of(Rules(), replace(ASKED, time_limit_us=30 * SECOND_US), "ideal", findings(50 * SECOND_US))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "job_too_long"
    assert "needs about 50 s on ideal and would be stopped after 30 s" in refusal.detail
    assert refusal.fields == {"backend": "ideal", "estimate_s": 50, "time_limit_s": 30}


def test_nobody_may_ask_for_more_than_the_longest() -> None:
    refusal = times_of(Rules(), replace(ASKED, time_limit_us=3_601 * SECOND_US), "ideal", findings(1))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields) == ("invalid_request", {"limit": 3_600, "value": 3_601})


def told(found: tuple[int, int] | Refusal) -> tuple[int, int]:
    assert isinstance(found, tuple)
    return found
