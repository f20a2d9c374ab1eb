"""What projects have used, on both databases."""

from __future__ import annotations

from store import usage
from store.rows import UsageRow


def test_the_newest_stands(database):
    database.writer.run(lambda c: usage.save(c, [UsageRow("zeta", 5, 10), UsageRow("acme", 2**62, 10)]))
    database.writer.run(lambda c: usage.save(c, [UsageRow("zeta", 3, 20), UsageRow("beta", 0, 20)]))
    database.writer.run(lambda c: usage.save(c, []))
    with database.read() as connection:
        assert usage.load(connection) == [UsageRow("acme", 2**62, 10), UsageRow("beta", 0, 20), UsageRow("zeta", 3, 20)]


def test_nothing_is_known_at_first(database):
    with database.read() as connection:
        assert usage.load(connection) == []
