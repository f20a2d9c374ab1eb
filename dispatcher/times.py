"""How long a job is expected to run and when it would be stopped, or why it is not worth a start."""

from __future__ import annotations

from backends.catalogue import estimate_us
from backends.findings import Findings
from dispatcher.model import Refusal, Submission
from dispatcher.rules import Rules

_SECOND_US = 1_000_000


def times_of(rules: Rules, submission: Submission, backend: str, findings: Findings) -> tuple[int, int] | Refusal:
    """(estimate, time limit) in µs. Refusals: invalid_request for a limit above the longest, job_too_long."""
    estimate = estimate_us(backend, findings)
    limit, longest_s = rules.time_limit_of(submission.time_limit_us, estimate), rules.time_limit_max_us // _SECOND_US
    if limit > rules.time_limit_max_us:
        return Refusal(
            "invalid_request",
            f"time_limit_s is {limit // _SECOND_US}; at most {longest_s} is allowed.",
            {"limit": longest_s, "value": limit // _SECOND_US},
        )
    if estimate > limit:
        return Refusal(
            "job_too_long",
            f"This job needs about {estimate // _SECOND_US} s on {backend} and would be stopped after "
            f"{limit // _SECOND_US} s. Set a longer time_limit_s (at most {longest_s}), or split the work.",
            {"backend": backend, "estimate_s": estimate // _SECOND_US, "time_limit_s": limit // _SECOND_US},
        )
    return estimate, limit
