"""The service's clock goes on whatever the machine's does; ids sort by time."""

from __future__ import annotations

import time

import pytest

from service import clock
from service.clock import SteadyClock, new_id


def test_it_starts_at_the_wall_clock() -> None:
    before_us = time.time_ns() // 1000
    now_us = SteadyClock().now_us()
    assert before_us <= now_us + 1 <= time.time_ns() // 1000 + 1_000


def test_a_jump_of_the_wall_clock_is_not_felt(monkeypatch: pytest.MonkeyPatch) -> None:
    monotonic_ns = [5_000_000]
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_000_000_000_000)
    monkeypatch.setattr(clock.time, "monotonic_ns", lambda: monotonic_ns[0])
    steady = SteadyClock()
    assert steady.now_us() == 1_000_000_000
    monkeypatch.setattr(clock.time, "time_ns", lambda: 7_000)
    monotonic_ns[0] += 3_000
    assert steady.now_us() == 1_000_000_003


def test_it_does_not_go_back_behind_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_000_000_000_000)
    monkeypatch.setattr(clock.time, "monotonic_ns", lambda: 0)
    assert SteadyClock(not_before_us=9_000_000_000).now_us() == 9_000_000_000
    assert SteadyClock(not_before_us=5).now_us() == 1_000_000_000


def test_ids_say_what_they_name_and_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for ms in (1, 2, 1_700_000_000_000, 1_700_000_000_001, 2**48 - 1):
        monkeypatch.setattr(clock.time, "time_ns", lambda ms=ms: ms * 1_000_000)
        made.append(new_id("job"))
    assert made == sorted(made)
    assert {len(one) for one in made} == {4 + 26}
    assert all(one.startswith("job_") for one in made)
    assert set("".join(made)) <= set("job_" + "0123456789abcdefghjkmnpqrstvwxyz")


def test_an_id_spells_the_time_and_the_random_bits_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_700_000_000_123_999_999)
    for random in (0, 1, 31, 32, 2**82 - 1, 0x2F0E1D2C3B4A596877):
        monkeypatch.setattr(clock.secrets, "randbits", lambda bits, random=random: random if bits == 82 else 0)
        spelled = 0
        for letter in new_id("job").removeprefix("job_"):
            spelled = spelled * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
        assert spelled == 1_700_000_000_123 << 82 | random


def test_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    assert len({new_id("x") for _ in range(2_000)}) == 2_000
