"""A process that is killed while it writes: what was answered is there, and of what was not, all or nothing."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest
from sqlalchemy import text

from store import inbox

WRITE = """
import os, sys, threading
from store import inbox, meta
from store.database import open_database
from store.rows import Message

database = open_database(sys.argv[1])

def work(number):
    for step in range(1_000_000):
        name = f"{number}-{step}"
        def unit(connection):
            inbox.append(connection, [Message(1, name, {}), Message(2, name, {})])
            meta.put(connection, name, step)
        database.writer.run(unit)
        os.write(1, f"{name}\\n".encode())  # one line is never torn by another thread

for number in range(4):
    threading.Thread(target=work, args=(number,)).start()
"""


@pytest.mark.parametrize("seed", range(3))
def test_killed_while_writing(database, database_url, seed):
    command = [sys.executable, "-c", WRITE, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = list(itertools.islice(process.stdout, random.Random(seed).randrange(20, 60)))
        process.kill()
        lines += [line for line in process.stdout if line.endswith("\n")]
    with database.read() as connection:
        found = [row.kind for row in inbox.read(connection, 10**6)]
        facts = set(connection.execute(text("SELECT key FROM meta")).scalars())
    assert {line.strip() for line in lines} <= facts
    assert len(found) == 2 * len(facts)
    assert set(found) == facts
    database.writer.run(lambda c: inbox.delete(c, [1]))
