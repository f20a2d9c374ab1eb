"""A running service as its programs find it, and the tests of Qiskit's primitives: fetched, never kept here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from dispatcher.model import GrantTerms
from service.embedded import CONSOLE, embedded

GRANT = 10**13
DAY_US = 86_400_000_000
ARCHIVE = "QUBATOR_PEERS_ARCHIVE"
"""Names the archive on machines that reach no registry."""


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a program that runs against the service."""
    with embedded(tmp_path_factory.mktemp("contract"), slots=2) as service:
        room, now = service.room, service.room.now_us()
        project = room.create_project(CONSOLE, "peers", 100)
        funder = room.create_funder(CONSOLE, "city")
        programme = room.create_programme(CONSOLE, "vouchers", [(funder.id, 1)], "CNY", GRANT)
        room.issue_grant(CONSOLE, GrantTerms(project.id, programme.id, "CNY", GRANT, now, now + DAY_US, 0))
        member = room.create_member(CONSOLE, project.id, "Ann", "admin")
        _, secret = room.create_token(CONSOLE, project.id, member.id, "admin", "contract", now + DAY_US)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("QUBATOR_", "PYTEST_"))}
        yield {**inherited, "QUBATOR_URL": service.url, "QUBATOR_TOKEN": secret}


class NoSourceError(Exception):
    """The tests cannot be had; the text says what to do."""


def peer_tests(cache: Path) -> Path:
    """The folder that holds Qiskit's package `test`; fetched if it is not there yet."""
    home = cache / f"qiskit-{version('qiskit')}"
    if not (home / "test").is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            given = os.environ.get(ARCHIVE)
            unpacked = _unpack(Path(given) if given else _fetch(Path(scratch)), Path(scratch) / "unpacked")
            if not (home / "test").is_dir():  # another process may have been quicker
                shutil.move(unpacked, home)
    return home


def cache_folder() -> Path:
    """Where what is fetched stays between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qubator-peers"


def _fetch(folder: Path) -> Path:
    wanted = f"qiskit=={version('qiskit')}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "qiskit", wanted]
    done = subprocess.run([*command, "--dest", str(folder)], capture_output=True, text=True, timeout=240, check=False)
    archives = sorted(folder.glob("qiskit-*.tar.gz"))
    if not archives:
        said = done.stderr.strip().splitlines()[-1:] or ["pip said nothing"]
        raise NoSourceError(
            f"the source distribution of {wanted}, whose tests are run against the SDK, could not be fetched "
            f"({said[0]}). On a machine without a registry, fetch it elsewhere with `pip download --no-deps "
            f"--no-binary qiskit {wanted}` and name the file in {ARCHIVE}."
        )
    return archives[0]


def _unpack(archive: Path, into: Path) -> Path:
    """Only the tests: the package itself would hide the installed one."""
    if not archive.is_file():
        raise NoSourceError(f"{ARCHIVE} names {archive}, where there is no file")
    with tarfile.open(archive) as opened:
        top = opened.getmembers()[0].name.split("/")[0]
        tests = [member for member in opened.getmembers() if member.name.startswith(f"{top}/test/")]
        if not tests:
            raise NoSourceError(f"{archive.name} holds no folder test: is it the source distribution of Qiskit?")
        opened.extractall(into, tests, filter="data")
    return into / top


@pytest.fixture(scope="session")
def fetch_peers() -> Callable[[Path], Path]:
    """Puts Qiskit's tests under a folder and names where."""
    return peer_tests


@pytest.fixture(scope="session")
def peers() -> Path:
    """The folder that holds Qiskit's package `test`."""
    return peer_tests(cache_folder())
