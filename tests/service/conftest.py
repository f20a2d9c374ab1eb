"""What the tests of the processes share: the installed command, run as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

QUBATORD = Path(sys.executable).with_name("qubatord")


class Process:
    """`qubatord …` as a child of the test, with what it printed."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.errors = folder / f"stderr-{len(list(folder.glob('stderr-*')))}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
        with self.errors.open("w") as errors:
            self._popen = subprocess.Popen(
                [str(QUBATORD), *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=folder,
                env=environment | {"QUBATOR_SLOTS": "1", "QUBATOR_INSPECTORS": "1"},
            )
        self.lines: list[str] = []

    @property
    def pid(self) -> int:
        return self._popen.pid

    def until(self, words: str) -> str:
        """The first line with these words in it."""
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} was never said: {self.lines} {self.errors.read_text()}")

    @property
    def url(self) -> str:
        """The address it listens on."""
        return self.until("listens on").split()[3]

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def wait(self) -> int:
        """The exit code; reads what is still printed."""
        assert self._popen.stdout is not None
        self.lines += self._popen.stdout
        return self._popen.wait(timeout=20)

    def end(self) -> None:
        if self._popen.poll() is None:
            for child in self.children():
                child.kill()
            self._popen.kill()
        self._popen.wait(timeout=20)
        assert self._popen.stdout is not None
        self._popen.stdout.close()


@pytest.fixture
def qubatord(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts the command in a folder of the test's own; whatever still runs afterwards is killed."""
    started: list[Process] = []

    def start(*arguments: object) -> Process:
        started.append(Process(tmp_path, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.end()
