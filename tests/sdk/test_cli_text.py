"""Text fits 80 columns and tells the truth about what it left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qubator.cli_text import clean, count, duration, histogram, middle_cut, moment, pairs, table, table_or_blocks


def test_a_table_is_aligned_and_fits() -> None:
    rows = [("job_1", "succeeded", "1.50", "a short name"), ("job_22", "queued", "", "n" * 100)]
    lines = table(("JOB", "STATE", "COST", "NAME"), rows, width=60, right=(2,))
    assert lines == [
        "JOB     STATE      COST  NAME",
        "job_1   succeeded  1.50  a short name",
        "job_22  queued           " + "n" * 34 + "…",
    ]


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=90), st.text(max_size=90)), max_size=5))
def test_a_table_never_exceeds_its_width_and_stays_on_its_lines(rows: list[tuple[str, str, str]]) -> None:
    lines = table(("A", "B", "C"), rows, width=60)
    assert len(lines) == len(rows) + 1
    assert all(len(line) <= 60 and line.isprintable() for line in lines)


def test_the_first_column_is_never_cut() -> None:
    assert table(("ID", "NAME"), [("x" * 50, "name")], width=40)[1] == "x" * 50 + "  name"


def test_control_characters_of_others_do_not_reach_the_terminal() -> None:
    assert clean("a\x1b[31mb\nc") == "a�[31mb c"


def test_name_and_value_lines_wrap_under_their_value() -> None:
    lines = pairs({"job": "job_1", "empty": None, "nothing": "", "zero": 0, "problem": "word " * 20}, width=50)
    assert lines[0] == "job      job_1"
    assert lines[1] == "zero     0"
    assert lines[2].startswith("problem  word word")
    assert lines[3].startswith("         word")
    assert all(len(line) <= 50 for line in lines)


def test_a_histogram_shows_counts_shares_and_bars() -> None:
    assert histogram({"00": 500, "11": 480, "01": 20}, width=40) == [
        "00  500   50.0%  " + "█" * 23,
        "11  480   48.0%  " + "█" * 22,
        "01   20    2.0%  █",
    ]


def test_what_a_histogram_leaves_out_is_summed_up() -> None:
    counts = {format(n, "05b"): 1 for n in range(32)}
    lines = histogram(counts, width=80, most=20)
    assert len(lines) == 21
    assert lines[-1] == "and 12 more outcomes with 12 shots together"
    assert histogram({}, width=80) == ["no outcomes"]


@given(st.dictionaries(st.text("01 ", min_size=1, max_size=200), st.integers(1, 10**6), min_size=1, max_size=30))
def test_a_histogram_fits_whatever_it_shows(counts: dict[str, int]) -> None:
    assert all(len(line) <= 80 for line in histogram(counts, width=80))


def test_a_long_bit_string_is_cut_in_the_middle() -> None:
    assert middle_cut("0" * 10 + "1" * 10, 9) == "0000…1111"


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (None, ""),
        (5, "5 µs"),
        (12_345, "12.3 ms"),
        (4_200_000, "4.2 s"),
        (120_000_000, "2 min 0 s"),
        (200_000_000, "3 min 20 s"),
        (7_260_000_000, "2 h 1 min"),
    ],
)
def test_durations(us: int | None, text: str) -> None:
    assert duration(us) == text


def test_counted_words() -> None:
    assert [count(1, "shot"), count(1024, "shot"), count(5, "ms")] == ["1 shot", "1,024 shots", "5 ms"]


def test_moments_are_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert moment(1_700_000_000_000_000) == "2023-11-15 06:13:20"
        assert moment(None) == ""
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_moment_beyond_the_calendar_is_no_fault() -> None:
    assert (moment(2**63 - 1), moment(10**18)) == ("after 9999", "after 9999")


def test_rows_too_wide_for_a_table_are_blocks() -> None:
    rows = [("a" * 30, "1.50"), ("b" * 30, "2.50")]
    assert table_or_blocks(("ID", "PAID"), rows, width=40, right=(1,)) == table(
        ("ID", "PAID"), rows, width=40, right=(1,)
    )
    assert table_or_blocks(("ID", "PAID"), rows, width=30) == [
        "id    " + "a" * 24, " " * 6 + "a" * 6, "paid  1.50", "", "id    " + "b" * 24, " " * 6 + "b" * 6, "paid  2.50",
    ]  # fmt: skip
