"""How long to wait before trying again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qubator.retry import RetryPolicy, parse_retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("Thu, 01 Jan 2026 12:00:07 GMT", 7.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


def test_the_ceiling_doubles_up_to_its_cap() -> None:
    policy = RetryPolicy(base_s=0.1, cap_s=8.0)
    assert [policy.delay_s(n, None, lambda: 1.0) for n in (1, 2, 3, 8, 1000)] == [0.1, 0.2, 0.4, 8.0, 8.0]
    assert policy.delay_s(5, None, lambda: 0.0) == 0.0


@given(st.floats(0, 300), st.floats(0, 0.999), st.integers(1, 50))
def test_the_servers_word_is_the_least_wait(retry_after_s: float, draw: float, failures: int) -> None:
    delay_s = RetryPolicy().delay_s(failures, retry_after_s, lambda: draw)
    assert retry_after_s <= delay_s <= retry_after_s * 1.25 + 0.05
