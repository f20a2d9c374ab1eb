"""The least that is promised of an answer."""

from __future__ import annotations

import math

from backends.engines.port import FIDELITY_MIN, Budget, How


def test_a_budget_is_unlimited_in_time_and_an_answer_exact_unless_said() -> None:
    assert Budget().seconds == math.inf
    assert How("a", "1", "b").fidelity == 1.0
    assert FIDELITY_MIN == 0.99
