"""Where large results are written before they are reported: finished files only, one owner per directory."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from pathlib import Path

_PART = ".part"
_RESULT = ".result"
_LOCK = "spool.lock"


class SpoolInUse(RuntimeError):  # noqa: N818 - reads as the sentence it is
    """Another living executor owns the directory; two of them would sweep each other's results away."""


class Spool:
    """A directory of results, owned by one executor as long as it lives."""

    def __init__(self, root: Path) -> None:
        """Takes the directory over and removes what an earlier owner left: nobody waits for it any more.

        Raises SpoolInUse.
        """
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self._lock: int | None = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise SpoolInUse(f"{root} is the spool of another executor") from error
        for suffix in (_PART, _RESULT):
            for leftover in root.glob(f"*{suffix}"):
                leftover.unlink(missing_ok=True)

    def path_of(self, attempt_id: str, token: int) -> Path:
        """Where the result of that lease goes: a readable name, made safe and unique."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", attempt_id)[:80].strip("-")
        digest = hashlib.sha256(attempt_id.encode()).hexdigest()[:12]
        return self.root / f"{readable}-{digest}-{token}{_RESULT}"

    def discard(self, path: Path) -> None:
        """Remove what a killed child may have left of a result nobody will be told of."""
        for leftover in (path, *self.root.glob(f"{path.stem}.*{_PART}")):
            with contextlib.suppress(FileNotFoundError):
                leftover.unlink()

    def close(self) -> None:
        """Give the directory up; finished results stay. May be repeated."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def write_result(path: Path, content: bytes) -> None:
    """Write so that `path` is either absent or complete and on the disk. Raises OSError."""
    part = path.with_suffix(f".{os.getpid()}{_PART}")  # a child that is being replaced may still be writing its own
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
