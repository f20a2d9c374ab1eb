"""Names and defaults of the blob store. (What it does: conformance.)"""

from __future__ import annotations

import hashlib
import time

from sqlalchemy import select

from store import schema
from store.blobs import Blobs, hash_of


def test_a_name_says_how_it_was_made():
    assert hash_of(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()


def test_by_default_up_to_32_kib_live_in_the_database_and_time_is_the_clocks(sqlite_database, tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    before_us = time.time_ns() // 1000
    contents = {hash_of(content): content for content in (b"a" * 32_768, b"b" * 32_769)}
    sqlite_database.writer.run(lambda c: blobs.put_many(c, contents))
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1
    with sqlite_database.read() as connection:
        rows = connection.execute(select(schema.blobs).order_by(schema.blobs.c.size)).all()
    assert [(row.size, row.bytes is None) for row in rows] == [(32_768, False), (32_769, True)]
    assert all(before_us <= row.created_us <= time.time_ns() // 1000 for row in rows)


def test_the_collector_finds_references_by_an_index(sqlite_database):
    seen = []
    with sqlite_database.read() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(seen.append)
        from store.blobs import _UNUSED

        connection.execute(select(schema.blobs.c.hash).where(*_UNUSED), {"before_us": 5})
        driver.set_trace_callback(None)
        plan = " / ".join(row[3] for row in driver.execute("EXPLAIN QUERY PLAN " + seen[-1]))
    assert "jobs_by_work (work_hash=?)" in plan
    assert "jobs_by_result (result_hash=?)" in plan
    assert "SCAN jobs" not in plan


def test_a_root_that_does_not_exist_yet_is_fine(sqlite_database, tmp_path):
    blobs = Blobs(tmp_path / "not" / "yet", inline_limit=0)
    assert blobs.collect(sqlite_database, 2**60) == 0
    name = sqlite_database.writer.run(lambda c: blobs.put(c, b"x"))
    with sqlite_database.read() as connection:
        assert blobs.get(connection, name) == b"x"
