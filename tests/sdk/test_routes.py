"""A route as the service answers it."""

from __future__ import annotations

from typing import Any

from qubator.routes import Route, Verdict

ANSWER: dict[str, Any] = {
    "asked": "auto",
    "backend": None,
    "refusal": {"code": "backend_infeasible", "detail": "too wide"},
    "memory_mib": 4_096,
    "backends": [
        {"backend": "ideal", "takes_it": False, "estimate_us": None, "why": "too wide"},
        {"backend": "aer-mps", "takes_it": True, "estimate_us": 7, "why": None},
    ],
    "ideal": {"pubs": None, "seconds": None, "sure": False},
    "findings": {},
}


def test_verdicts_say_how_long_or_why_not() -> None:
    found = Route.from_json(ANSWER)
    assert found.verdicts == (Verdict("ideal", None, "too wide"), Verdict("aer-mps", 7, None))
    assert [one.takes_it for one in found.verdicts] == [False, True]
    assert (found.backend, found.refusal) == (None, ANSWER["refusal"])
    assert (found.pubs, found.seconds, found.sure) == ((), None, False)
    assert found.record is ANSWER
