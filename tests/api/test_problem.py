"""One row of the table of problems."""

from __future__ import annotations

import pytest

from api.problem import Problem


@pytest.mark.parametrize(("status", "retryable"), [(402, False), (409, False), (422, False), (429, True), (503, True)])
def test_a_problem_knows_its_address_and_whether_to_try_again(status: int, retryable: bool) -> None:
    row = Problem("no_luck", status, "No luck", "It did not work.", "Do something else.")
    assert (row.type, row.retryable) == ("/problems/no_luck", retryable)
