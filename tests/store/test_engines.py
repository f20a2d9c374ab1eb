"""What is said of engines, on both databases."""

from __future__ import annotations

import pytest

from store import engines
from store.rows import DisagreementRow, EngineRow


def test_verdicts_and_counts_do_not_touch_each_other(database):
    database.writer.run(lambda c: engines.count(c, {"stim": 3, "mps": 1}, {"stim": 1}))
    database.writer.run(lambda c: engines.set_state(c, "stim", "quarantined", "wrong", 10))
    database.writer.run(lambda c: engines.count(c, {"stim": 2}, {"stim": 2}))
    database.writer.run(lambda c: engines.set_state(c, "qulacs", "quarantined", "young", 11))
    with database.read() as connection:
        assert engines.list_engines(connection) == [
            EngineRow("mps", "trusted", "", 0, 1, 0),
            EngineRow("qulacs", "quarantined", "young", 11, 0, 0),
            EngineRow("stim", "quarantined", "wrong", 10, 5, 3),
        ]
        assert engines.quarantined(connection) == ("qulacs", "stim")
    database.writer.run(lambda c: engines.set_state(c, "stim", "trusted", "mended", 20))
    with database.read() as connection:
        assert engines.quarantined(connection) == ("qulacs",)


def test_a_verdict_that_does_not_exist(database):
    with pytest.raises(ValueError, match="an engine is trusted or quarantined, not loved"):
        database.writer.run(lambda c: engines.set_state(c, "stim", "loved", "", 10))


def test_disagreements_are_read_newest_first_in_pages(database):
    for number in range(5):
        database.writer.run(lambda c, n=number: engines.add_disagreement(c, n, f"job_{n}", {"part": n}))
    with database.read() as connection:
        first = engines.list_disagreements(connection, 2)
        rest = engines.list_disagreements(connection, 9, before_seq=first[-1].seq)
    assert first[0] == DisagreementRow(first[0].seq, 4, "job_4", {"part": 4})
    assert [row.at_us for row in (*first, *rest)] == [4, 3, 2, 1, 0]
