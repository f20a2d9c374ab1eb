"""Single facts about the installation, on both databases."""

from __future__ import annotations

import pytest

from store import meta


def test_a_fact_is_kept_and_replaced(database):
    database.writer.run(lambda c: meta.put(c, "name", {"zone": "east"}))
    database.writer.run(lambda c: meta.put(c, "name", ["west", 1]))
    with database.read() as connection:
        assert meta.get(connection, "name") == ["west", 1]
        assert meta.get(connection, "other") is None


def test_null_is_refused(database):
    with pytest.raises(ValueError, match="no value"):
        database.writer.run(lambda c: meta.put(c, "name", None))
