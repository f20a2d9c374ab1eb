"""The process that forks: its children share its memory and nothing else."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from workers.child import Child, ForkServer
from workers.forkserver import resolve


@pytest.fixture
def server(oddities: None, leaves_nothing: None) -> Iterator[ForkServer]:
    server = ForkServer(("oddities",))
    yield server
    server.close()


def _hello(child: Child) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for frame in child.receive() or []:
            return frame.header
        time.sleep(0.001)
    raise AssertionError(child.error_tail)


def _spawn(server: ForkServer, main: str) -> Child:
    return server.spawn(main, {}, file_bytes_max=0, frame_bytes_max=1 << 20)


def test_an_import_path_names_an_object() -> None:
    assert resolve("workers.forkserver:resolve") is resolve


def test_children_do_not_share_their_randomness(server: ForkServer) -> None:
    children = [_spawn(server, "oddities:say_random") for _ in range(3)]
    said = [_hello(child) for child in children]
    assert len({numbers["python"] for numbers in said}) == 3
    assert len({numbers["numpy"] for numbers in said}) == 3
    for child in children:
        child.close()


def test_a_child_has_its_own_descriptors_only(server: ForkServer) -> None:
    children = [_spawn(server, "oddities:say_surroundings") for _ in range(2)]
    for child in children:
        hello = _hello(child)
        # Standard input, output and error, and the connection.
        assert len(hello["open"]) == 4
        assert hello["open"][:3] == [0, 1, 2]
        assert hello["threads"] == 2  # itself, and the watch over the connection
        child.close()


def test_children_are_forked_by_the_same_process_and_not_started_anew(server: ForkServer) -> None:
    children = [_spawn(server, "oddities:echo") for _ in range(3)]
    parents = {psutil.Process(_hello(child)["pid"]).ppid() for child in children}
    assert parents == {server.pid}
    for child in children:
        child.close()


def test_a_module_is_warmed_up_once_for_all_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves_nothing: None
) -> None:
    (tmp_path / "warmed.py").write_text(
        "from workers.child import introduction\n"
        "TIMES = []\n"
        "def warm_up(): TIMES.append(1)\n"
        "def main(connection, options):\n"
        "    connection.sendall(introduction({'times': len(TIMES)}))\n"
        "    connection.recv(1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = ForkServer(("warmed",))
    children = [_spawn(server, "warmed:main") for _ in range(2)]
    assert [_hello(child)["times"] for child in children] == [1, 1]
    for child in children:
        child.close()
    server.close()


@pytest.mark.parametrize(
    ("main", "last_line"),
    [
        ("oddities:no_such_name", b"AttributeError: module 'oddities' has no attribute 'no_such_name'"),
        ("no_such_module:main", b"ModuleNotFoundError: No module named 'no_such_module'"),
        ("oddities:never_ready", b"SystemExit: 7"),
    ],
)
def test_a_child_that_cannot_begin_ends_alone(
    server: ForkServer, until: Callable[..., bool], main: str, last_line: bytes
) -> None:
    child = _spawn(server, main)
    assert until(lambda: child.receive() is None, 30)
    child.receive_errors()
    assert child.error_tail.splitlines()[-1] == last_line
    child.close()
    after = _spawn(server, "oddities:echo")
    _hello(after)
    after.close()


def test_signals_to_the_group_do_not_end_the_server(server: ForkServer) -> None:
    first = _spawn(server, "oddities:echo")
    _hello(first)
    assert server.pid is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        psutil.Process(server.pid).send_signal(number)
    second = _spawn(server, "oddities:echo")
    _hello(second)
    for child in (first, second):
        child.close()


def test_it_ends_with_whoever_started_it() -> None:
    """Not a parent's socket but its death: the socket is held open by us."""
    ours, theirs = socket.socketpair()
    starter = (
        "import subprocess, sys, os, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'workers.forkserver', '{theirs.fileno()}', str(os.getpid())], "
        f"pass_fds=({theirs.fileno()},))\n"
        "sys.stdin.read(1)\n"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", starter], pass_fds=(theirs.fileno(),), stdin=subprocess.PIPE, cwd=root
    )
    theirs.close()
    ours.settimeout(30)
    assert b'"up"' in ours.recv(1000)
    parent.kill()
    parent.wait()
    assert parent.stdin is not None
    parent.stdin.close()
    assert ours.recv(1000) == b""
    ours.close()
