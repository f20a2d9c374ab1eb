"""The files of large blobs: `root/ab/abcdef…`, written beside, fsynced, then renamed into place.

A file that is there under its name is complete. Its modification time is the last time somebody stored it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from store.errors import StoreUnavailable

_DIGEST_LENGTH = 64
_UNFINISHED = ".part"


class BlobFiles:
    """The directory of the files; created when the first one is written."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, digest: str) -> Path:
        """Where the file of these bytes is, or would be."""
        return self._root / digest[:2] / digest

    def write(self, digest: str, content: bytes, at_us: int) -> None:
        """Have the file there, durable. Raises `StoreUnavailable` when the file system refuses."""
        path = self.path(digest)
        if self._touch(path, len(content), at_us):
            return
        with self._arriving(path, at_us) as part:
            part.write_bytes(content)

    def adopt(self, source: Path, at_us: int) -> str:
        """Have the bytes of a finished file there, durable; returns their digest. The source stays where it is."""
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        path = self.path(digest)
        if not self._touch(path, source.stat().st_size, at_us):
            with self._arriving(path, at_us) as part:
                try:
                    os.link(source, part)
                except OSError:  # another file system, or one without links
                    shutil.copyfile(source, part)
        return digest

    def read(self, digest: str) -> bytes | None:
        """The bytes; None when there is no such file."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, digest: str, before_us: int) -> None:
        """Remove a file unless it was stored again since `before_us`."""
        path = self.path(digest)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime_ns // 1000 < before_us:
                path.unlink()

    def older_than(self, before_us: int, at_once: int) -> Iterator[list[str]]:
        """Digests of the files last stored before `before_us`, some at a time; forgotten half-written files are removed
        on the way.
        """
        digests = self._older(before_us)
        while batch := list(itertools.islice(digests, at_once)):
            yield batch

    def _older(self, before_us: int) -> Iterator[str]:
        if not self._root.is_dir():
            return
        for shard in sorted(self._root.iterdir()):
            for path in sorted(shard.iterdir()) if shard.is_dir() else ():
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime_ns // 1000 >= before_us:
                        continue
                    if path.suffix == _UNFINISHED:
                        path.unlink()
                    elif len(path.name) == _DIGEST_LENGTH:
                        yield path.name

    @staticmethod
    def _touch(path: Path, size: int, at_us: int) -> bool:
        """Whether the whole file is there already; if so, it counts as stored now."""
        try:
            if path.stat().st_size != size:
                return False
            os.utime(path, ns=(at_us * 1000, at_us * 1000))
        except FileNotFoundError:
            return False
        # Whoever wrote it may not have got so far yet.
        _sync(path.parent)
        return True

    @contextlib.contextmanager
    def _arriving(self, path: Path, at_us: int) -> Iterator[Path]:
        """Give out a name to write to; then make it durable under `path`."""
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_UNFINISHED}")
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                _sync(path.parent.parent)
            yield part
            _sync(part)
            os.utime(part, ns=(at_us * 1000, at_us * 1000))
            part.replace(path)
            _sync(path.parent)
        except OSError as failure:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise StoreUnavailable(f"a blob can't be written: {failure}") from failure


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
