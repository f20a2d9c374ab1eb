"""One dispatcher leads, on both databases; one that was deposed can't write any more."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from store import inbox, leader
from store.database import open_database
from store.errors import Deposed
from store.rows import Message


def test_only_one_leads(database, database_url):
    other = open_database(database_url)
    first = database.lead()
    assert first is not None
    assert first.alive()
    assert other.lead() is None
    assert database.lead() is None
    first.release()
    assert not first.alive()
    second = other.lead()
    assert second is not None
    second.release()
    second.release()
    other.close()


def test_leading_for_a_block(database):
    with database.lead() as leadership:
        assert leadership.alive()
        assert database.lead() is None
    assert database.lead() is not None


def test_leadership_ends_with_the_process(database, database_url):
    """Killed without a chance to clean up."""
    script = (
        "import sys; from store.database import open_database\n"
        "lead = open_database(sys.argv[1]).lead(); print(lead is not None, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert database.lead() is None
        process.kill()
        process.wait(30)
    until_s = time.monotonic() + 30
    while (leadership := database.lead()) is None:
        assert time.monotonic() < until_s
    leadership.release()


def test_a_new_epoch_deposes_the_leader_before(database):
    assert database.writer.run(lambda c: leader.acquire(c, "dispatcher", "host-a")) == 1
    database.writer.run(lambda c: leader.hold(c, "dispatcher", 1))
    assert database.writer.run(lambda c: leader.acquire(c, "dispatcher", "host-b")) == 2

    def write_as_leader(connection):
        inbox.append(connection, [Message(1, "x", {})])
        leader.hold(connection, "dispatcher", 1)

    with pytest.raises(Deposed, match="host-b leads dispatcher in epoch 2; epoch 1 is over"):
        database.writer.run(write_as_leader)
    with database.read() as connection:
        assert inbox.read(connection, 10) == []
    database.writer.run(lambda c: leader.hold(c, "dispatcher", 2))


def test_names_lead_apart(database):
    database.writer.run(lambda c: leader.acquire(c, "dispatcher", "a"))
    assert database.writer.run(lambda c: leader.acquire(c, "other", "b")) == 1
    with pytest.raises(Deposed, match="nobody has ever led third"):
        database.writer.run(lambda c: leader.hold(c, "third", 1))
