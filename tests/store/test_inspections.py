"""Findings are kept by content, on both databases."""

from __future__ import annotations

from store import inspections


def test_findings_come_back_by_hash(database):
    found = {"sha256:a": {"circuits": [{"qubits": 2}]}, "sha256:b": {}}
    database.writer.run(lambda c: inspections.put_many(c, found, 10))
    with database.read() as connection:
        assert inspections.get_many(connection, ["sha256:a", "sha256:b", "sha256:c"]) == found
        assert inspections.get_many(connection, ["sha256:b"]) == {"sha256:b": {}}
        assert inspections.get_many(connection, []) == {}


def test_a_newer_inspector_may_find_more(database):
    database.writer.run(lambda c: inspections.put_many(c, {"sha256:a": {"v": 1}}, 10))
    database.writer.run(lambda c: inspections.put_many(c, {"sha256:a": {"v": 2}}, 20))
    database.writer.run(lambda c: inspections.put_many(c, {}, 20))
    with database.read() as connection:
        assert inspections.get_many(connection, ["sha256:a"]) == {"sha256:a": {"v": 2}}
