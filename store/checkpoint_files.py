"""Checkpoints outside of the database: one file each, so that whoever rewrites the database does not rewrite them.

A file is written beside, fsynced and then moved to its name, which is the number of entries; it is never written over.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

_IN_A_FOLDER = 10_000
_SUFFIX = ".txt"


class CheckpointFiles:
    """The folder of the checkpoints, and of hand-overs of their keys; made when the first one is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, size: int) -> Path:
        """Where the checkpoint over `size` entries is, or would be."""
        return self.root / f"{size // _IN_A_FOLDER:09d}" / f"{size:013d}{_SUFFIX}"

    def write(self, size: int, note: str) -> None:
        """Have the note there, durable. Raises OSError when the file system refuses."""
        self._write(self.path(size), note)

    def write_handover(self, number: int, note: str) -> None:
        """Have the hand-over of keys of that number there, durable. Raises OSError when the file system refuses."""
        self._write(self._handovers / f"{number:04d}{_SUFFIX}", note)

    def handovers(self) -> list[str]:
        """The hand-overs of keys that are there, in order."""
        found = sorted(self._handovers.glob(f"*{_SUFFIX}")) if self._handovers.is_dir() else []
        return [path.read_bytes().decode(errors="replace") for path in found]

    @property
    def _handovers(self) -> Path:
        return self.root / "handovers"

    def _write(self, path: Path, note: str) -> None:
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8", newline="") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            for folder in (path.parent, self.root, self.root.parent):
                _sync(folder)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def read(self, size: int) -> str | None:
        """The note over `size` entries; None when there is none. What is no UTF-8 reads as signs of replacement."""
        try:
            return self.path(size).read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return None

    def sizes(self) -> Iterator[int]:
        """The sizes of all checkpoints that are there, the smallest first."""
        for folder in self._folders():
            yield from self._in(folder)

    def newest_size(self) -> int:
        """The size of the checkpoint over the most entries; 0 when there is none."""
        for folder in reversed(self._folders()):
            found = self._in(folder)
            if found:
                return found[-1]
        return 0

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.root.iterdir() if path.name.isdigit()) if self.root.is_dir() else []

    @staticmethod
    def _in(folder: Path) -> list[int]:
        return sorted(int(path.stem) for path in folder.iterdir() if path.suffix == _SUFFIX and path.stem.isdigit())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
