"""The files of large blobs: whole or not there at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from store import blob_files
from store.blob_files import BlobFiles
from store.errors import StoreUnavailable

CONTENT = b"content"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def files(tmp_path):
    return BlobFiles(tmp_path / "deep" / "blobs")


def everything(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


def seen_us(files, digest=DIGEST):
    return files.path(digest).stat().st_mtime_ns // 1000


def test_written_and_read(files):
    files.write(DIGEST, CONTENT, 10)
    assert files.path(DIGEST).parts[-2:] == (DIGEST[:2], DIGEST)
    assert files.read(DIGEST) == CONTENT
    assert files.read("00" * 32) is None


def test_written_again_is_only_younger(files):
    files.write(DIGEST, CONTENT, 10)
    inode = files.path(DIGEST).stat().st_ino
    files.write(DIGEST, CONTENT, 20)
    assert (files.path(DIGEST).stat().st_ino, seen_us(files)) == (inode, 20)


def test_a_file_of_another_size_is_replaced(files):
    files.write(DIGEST, CONTENT, 10)
    files.path(DIGEST).write_bytes(b"torn")
    files.write(DIGEST, CONTENT, 20)
    assert files.read(DIGEST) == CONTENT


def test_everything_is_synced_before_it_has_its_name(files, monkeypatch):
    """The file before the rename, its directories after: what a crash leaves is whole or not there."""
    steps = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor):
        steps.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink().name[:6]))
        real_fsync(descriptor)

    def replace(path, target):
        steps.append(("rename", path.name[:6]))
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    files.write(DIGEST, CONTENT, 10)
    name = DIGEST[:6]
    assert steps == [("sync", "blobs"), ("sync", name), ("rename", name), ("sync", name[:2])]


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_disk_that_refuses_leaves_nothing(files, tmp_path, monkeypatch, step):
    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, step, refuse)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        files.write(DIGEST, CONTENT, 10)
    monkeypatch.undo()
    assert everything(tmp_path) == []
    files.write(DIGEST, CONTENT, 10)
    assert files.read(DIGEST) == CONTENT


@pytest.mark.parametrize("links", [True, False])
def test_adopting_leaves_the_source(files, tmp_path, monkeypatch, links):
    source = tmp_path / "result"
    source.write_bytes(CONTENT)
    if not links:

        def refuse(*arguments):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refuse)
    assert files.adopt(source, 10) == DIGEST
    assert (files.read(DIGEST), source.read_bytes()) == (CONTENT, CONTENT)
    assert files.adopt(source, 20) == DIGEST
    assert seen_us(files) == 20
    source.unlink()
    assert files.read(DIGEST) == CONTENT


def test_what_was_stored_again_is_not_removed(files):
    files.write(DIGEST, CONTENT, 10)
    files.remove(DIGEST, 10)
    assert files.read(DIGEST) == CONTENT
    files.remove(DIGEST, 11)
    files.remove(DIGEST, 11)
    assert files.read(DIGEST) is None


def test_looking_for_old_ones(files, tmp_path):
    assert list(files.older_than(99, 2)) == []
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(5)]
    for n, digest in enumerate(digests):
        files.write(digest, b"x", n)
    strangers = [tmp_path / "deep/blobs/README", files.path(digests[0]).with_name("notes.txt")]
    for path in strangers:
        path.write_text("not ours")
        os.utime(path, (0, 0))
    found = list(files.older_than(4, 3))
    assert [len(batch) for batch in found] == [3, 1]
    assert sorted(digest for batch in found for digest in batch) == sorted(digests[:4])
    assert all(path.exists() for path in strangers)


def test_half_written_files_are_forgotten_after_a_while(files, tmp_path):
    files.write(DIGEST, CONTENT, 10)
    for name, at_s in (("old", 5), ("new", 50)):
        path = files.path(DIGEST).with_name(f"{name}.1234{blob_files._UNFINISHED}")
        path.write_bytes(b"half")
        os.utime(path, (at_s, at_s))
    list(files.older_than(20_000_000, 10))
    assert everything(tmp_path) == sorted([DIGEST, "new.1234.part"])
