"""Payloads and results, small and large, on both databases: found by content, collected only when nobody needs them."""

from __future__ import annotations

import hashlib
import threading

import pytest
from sqlalchemy import text

from store import inbox, jobs
from store.blobs import Blobs, hash_of
from store.errors import BlobDamaged, BlobTooLarge
from store.rows import JobChange, Message

SMALL, LARGE = b"small", b"L" * 100
LIMIT = 64


class Clock:
    def __init__(self):
        self.now_us = 1_000_000

    def __call__(self):
        return self.now_us


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def blobs(tmp_path, clock):
    return Blobs(tmp_path / "blobs", inline_limit=LIMIT, max_bytes=1_000, clock_us=clock)


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file())


def by_hash(*contents):
    return {hash_of(content): content for content in contents}


def got(database, blobs, *hashes):
    with database.read() as connection:
        return [blobs.get(connection, blob_hash) for blob_hash in hashes]


@pytest.mark.parametrize("content", [b"", SMALL, b"x" * LIMIT, b"x" * (LIMIT + 1), LARGE, bytes(range(256))])
def test_bytes_come_back_by_their_hash(database, blobs, content):
    blob_hash = database.writer.run(lambda c: blobs.put(c, content))
    assert blob_hash == "sha256:" + hashlib.sha256(content).hexdigest() == hash_of(content)
    assert got(database, blobs, blob_hash) == [content]
    with database.read() as connection:
        assert blobs.size(connection, blob_hash) == len(content)


def test_what_was_never_stored(database, blobs):
    assert got(database, blobs, hash_of(b"nothing")) == [None]
    with database.read() as connection:
        assert blobs.size(connection, hash_of(b"nothing")) is None


def test_only_large_ones_are_files(database, blobs, tmp_path):
    database.writer.run(lambda c: blobs.put_many(c, by_hash(SMALL, LARGE)))
    assert files(tmp_path) == [hash_of(LARGE).removeprefix("sha256:")]
    assert got(database, blobs, hash_of(SMALL), hash_of(LARGE)) == [SMALL, LARGE]
    database.writer.run(lambda c: blobs.put_many(c, {}))
    assert files(tmp_path) == [hash_of(LARGE).removeprefix("sha256:")]


@pytest.mark.parametrize(
    "act",
    [
        lambda database, blobs, path: database.writer.run(lambda c: blobs.put(c, path.read_bytes())),
        lambda database, blobs, path: database.writer.run(lambda c: blobs.adopt(c, path)),
        lambda database, blobs, path: blobs.stage(path.read_bytes()),
    ],
    ids=["put", "adopt", "stage"],
)
def test_a_blob_over_the_limit_is_refused(database, blobs, tmp_path, act):
    path = tmp_path / "result"
    path.write_bytes(b"x" * 1_001)
    with pytest.raises(BlobTooLarge, match="1001 bytes exceed the limit of 1000 bytes"):
        act(database, blobs, path)
    assert path.exists()
    assert files(tmp_path) == []


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_a_finished_file_is_taken_over_with_the_commit(database, blobs, tmp_path, content):
    path = tmp_path / "result"
    path.write_bytes(content)

    def taken_back(connection):
        blobs.adopt(connection, path)
        raise LookupError

    with pytest.raises(LookupError):
        database.writer.run(taken_back)
    assert path.read_bytes() == content
    assert got(database, blobs, hash_of(content)) == [None]
    assert database.writer.run(lambda c: blobs.adopt(c, path)) == hash_of(content)
    database.writer.run(lambda c: None)  # acts of a commit are done before the next one
    assert not path.exists()
    assert got(database, blobs, hash_of(content)) == [content]


def test_a_staged_file_needs_only_its_row(database, blobs, tmp_path):
    blobs.stage(LARGE)
    blobs.stage(SMALL)
    assert files(tmp_path) == [hash_of(LARGE).removeprefix("sha256:")]
    assert got(database, blobs, hash_of(LARGE)) == [None]
    database.writer.run(lambda c: blobs.put_many(c, by_hash(LARGE, SMALL)))
    assert got(database, blobs, hash_of(LARGE), hash_of(SMALL)) == [LARGE, SMALL]


def test_damage_is_noticed(database, blobs, tmp_path):
    blob_hash = database.writer.run(lambda c: blobs.put(c, LARGE))
    (path,) = (tmp_path / "blobs").rglob(blob_hash.removeprefix("sha256:"))
    path.write_bytes(b"M" + LARGE[1:])
    with pytest.raises(BlobDamaged, match=blob_hash):
        got(database, blobs, blob_hash)


def test_only_what_nobody_needs_is_collected(town, blobs, clock, tmp_path):
    names = ("work", "WORK", "result", "RESULT", "orphan", "ORPHAN")
    by_name = {name: name.encode() * (50 if name.isupper() else 1) for name in names}

    def unit(connection):
        blobs.put_many(connection, by_hash(*by_name.values()))
        hashes = {name: hash_of(content) for name, content in by_name.items()}
        rows = [town.job("job-1", work_hash=hashes["work"]), town.job("job-2", work_hash=hashes["WORK"])]
        jobs.insert_jobs(connection, rows)
        ends = [("job-1", hashes["result"]), ("job-2", hashes["RESULT"])]
        jobs.advance(connection, [JobChange(j, 5, "succeeded", "", ended_us=5, result_hash=h) for j, h in ends])

    town.database.writer.run(unit)
    assert blobs.collect(town.database, clock.now_us) == 0, "too young"
    assert blobs.collect(town.database, clock.now_us + 1) == 2
    left = [name for name, content in by_name.items() if got(town.database, blobs, hash_of(content)) == [content]]
    assert left == ["work", "WORK", "result", "RESULT"]
    assert len(files(tmp_path)) == 2
    assert blobs.collect(town.database, clock.now_us + 1) == 0


def test_a_blob_stored_again_is_young_again(town, blobs, clock):
    """The race of a submission with the collector: the same payload as an abandoned one, put just before its job."""
    town.database.writer.run(lambda c: blobs.put_many(c, by_hash(SMALL, LARGE)))
    clock.now_us += 1_000
    town.database.writer.run(lambda c: blobs.put_many(c, by_hash(SMALL, LARGE)))
    assert blobs.collect(town.database, clock.now_us) == 0
    assert got(town.database, blobs, hash_of(SMALL), hash_of(LARGE)) == [SMALL, LARGE]


def test_what_an_inbox_message_may_name_is_kept(database, blobs, clock):
    """A worker has stored a result; the dispatcher was down for hours and has not read the report yet."""
    database.writer.run(lambda c: [blobs.put(c, LARGE), inbox.append(c, [Message(clock.now_us, "report", {})])])
    assert blobs.collect(database, clock.now_us + 10**9) == 0
    database.writer.run(lambda c: inbox.delete(c, [row.seq for row in inbox.read(c, 9)]))
    assert blobs.collect(database, clock.now_us + 10**9) == 1


def test_strays_are_swept_up(database, blobs, clock, tmp_path):
    """A staged file whose submission was refused, the file of a unit that was taken back, a half-written one."""
    blobs.stage(LARGE)

    def taken_back(connection):
        blobs.put(connection, b"T" * 100)
        raise LookupError

    with pytest.raises(LookupError):
        database.writer.run(taken_back)
    database.writer.run(lambda c: blobs.put(c, b"K" * 100))
    (tmp_path / "blobs" / "ab").mkdir()
    (tmp_path / "blobs" / "ab" / "abc.123.part").write_bytes(b"half")
    assert len(files(tmp_path)) == 4
    assert blobs.collect(database, clock.now_us) == 0
    assert len(files(tmp_path)) == 4
    far = 2**60  # the half-written file has the time of the real clock
    clock.now_us = far + 1
    database.writer.run(lambda c: blobs.put(c, b"K" * 100))
    assert blobs.collect(database, far) == 0
    assert files(tmp_path) == [hash_of(b"K" * 100).removeprefix("sha256:")]


class Racing:
    """A database on which something happens just before the collector's n-th transaction (from 1)."""

    def __init__(self, database, turn, race):
        self.read, self.writer = database.read, self
        self._write, self._race, self._turns_left = database.writer.run, race, turn

    def run(self, unit):
        self._turns_left -= 1
        if self._turns_left == 0:
            self._write(self._race)
        return self._write(unit)


def test_stored_again_between_looking_and_removing(database, blobs, clock):
    database.writer.run(lambda c: blobs.put_many(c, by_hash(SMALL, LARGE)))

    def race(connection):
        clock.now_us += 2
        blobs.put_many(connection, by_hash(SMALL, LARGE))

    assert blobs.collect(Racing(database, 1, race), clock.now_us + 1) == 0
    assert got(database, blobs, hash_of(SMALL), hash_of(LARGE)) == [SMALL, LARGE]


def test_referred_to_between_looking_and_removing(town, blobs, clock):
    town.database.writer.run(lambda c: blobs.put_many(c, by_hash(SMALL, LARGE)))

    def race(connection):
        jobs.insert_jobs(connection, [town.job(work_hash=hash_of(SMALL), result_hash=hash_of(LARGE))])

    assert blobs.collect(Racing(town.database, 1, race), clock.now_us + 1) == 0
    assert got(town.database, blobs, hash_of(SMALL), hash_of(LARGE)) == [SMALL, LARGE]


def test_stored_again_between_the_row_and_the_file(database, blobs, clock):
    """The row goes in one transaction, the file in a later one; in between the same bytes may come again."""
    database.writer.run(lambda c: blobs.put(c, LARGE))
    race = Racing(database, 2, lambda c: blobs.put(c, LARGE))
    assert blobs.collect(race, clock.now_us + 1) == 1
    assert got(database, blobs, hash_of(LARGE)) == [LARGE]


def test_collecting_while_everybody_stores(town, blobs, clock):
    """Whoever stores a payload and then its job finds it again, however hard the collector works beside."""
    contents = [bytes([65 + n]) * size for n in range(4) for size in (10, 100)]
    stop, failures = threading.Event(), []

    def collect():
        while not stop.is_set():
            blobs.collect(town.database, clock.now_us)

    def submit(number):
        try:
            for step in range(20):
                content = contents[(number + step) % len(contents)]
                job_id = f"job-{number}-{step}"

                def unit(connection, content=content, job_id=job_id):
                    clock.now_us += 1
                    blob_hash = blobs.put(connection, content)
                    if hash(job_id) % 2:
                        jobs.insert_jobs(connection, [town.job(job_id, work_hash=blob_hash)])
                    return blobs.get(connection, blob_hash)

                assert town.database.writer.run(unit) == content
        except BaseException as failure:
            failures.append(failure)

    collector = threading.Thread(target=collect)
    collector.start()
    threads = [threading.Thread(target=submit, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    collector.join()
    assert failures == []
    with town.database.read() as connection:
        for job in jobs.open_jobs(connection):
            assert blobs.get(connection, job.work_hash) is not None


def test_a_row_whose_file_is_missing_reads_as_gone(database, blobs, tmp_path):
    blob_hash = database.writer.run(lambda c: blobs.put(c, LARGE))
    for path in (tmp_path / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    assert got(database, blobs, blob_hash) == [None]
    database.writer.run(lambda c: blobs.put(c, LARGE))
    assert got(database, blobs, blob_hash) == [LARGE]
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM blobs")).scalar_one() == 1
