"""A child's parent: sends without blocking, ends what it must, learns why something ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from workers import frames
from workers.child import Child, Death, ForkServer, cause_of_death, introduction
from workers.frames import Frame, FrameReader

Until = Callable[..., bool]
Gone = Callable[[int], bool]


@pytest.fixture
def server(oddities: None, leaves_nothing: None) -> Iterator[ForkServer]:
    server = ForkServer(("oddities",))
    yield server
    server.close()
    server.close()


def _spawn(server: ForkServer, main: str, **options: object) -> Child:
    return server.spawn(f"oddities:{main}", options, file_bytes_max=0, frame_bytes_max=1 << 25)


def _listen(child: Child, count: int = 1) -> list[Frame]:
    """That many frames, or all there are until its end."""
    arrived: list[Frame] = []
    deadline = time.monotonic() + 30
    while len(arrived) < count and time.monotonic() < deadline:
        child.flush()
        more = child.receive()
        if more is None:
            break
        arrived += more
        time.sleep(0.001)
    return arrived


def _meet(child: Child) -> Frame:
    [hello] = _listen(child)
    child.met(hello.header["pid"])
    return hello


def test_a_child_introduces_itself_and_gets_its_options(server: ForkServer) -> None:
    child = _spawn(server, "say_surroundings", colour="red")
    hello = _meet(child).header
    assert hello["is"] == "hello"
    assert hello["options"] == {"colour": "red"}
    assert hello["pid"] == child.pid
    assert hello["rss"] > 1 << 20
    child.close()


def test_a_large_message_does_not_block_and_arrives_whole(server: ForkServer) -> None:
    child = _spawn(server, "echo")
    _meet(child)
    bodies = [bytes([number]) * (2 << 20) for number in range(4)]
    for body in bodies:
        child.post(frames.encode({"is": "said"}, body))
    assert child.unsent > 1 << 20
    assert [frame.body for frame in _listen(child, 4)] == bodies
    assert child.unsent == 0
    child.close()


def test_a_busy_child_is_killed_and_its_end_is_told(server: ForkServer, until: Until, gone: Gone) -> None:
    child = _spawn(server, "stall")
    _meet(child)
    assert child.pid is not None
    child.kill()
    assert until(lambda: child.receive() is None, 2)
    assert server.exit_code(child.pid, 2) == -signal.SIGKILL
    assert gone(child.pid)
    child.kill()  # whoever has its pid by now is safe
    child.post(b"x" * 100)
    child.close()
    child.close()


def test_closing_its_connection_ends_a_child(server: ForkServer, until: Until, gone: Gone) -> None:
    child = _spawn(server, "stall")
    _meet(child)
    pid = child.pid
    assert pid is not None
    child.close()
    assert until(lambda: gone(pid), 2)


def test_a_child_that_talks_nonsense_has_ended_for_us(server: ForkServer) -> None:
    child = _spawn(server, "nonsense")
    _meet(child)
    child.post(b"hello?")
    assert _listen(child) == []
    assert child.pid is not None
    assert server.exit_code(child.pid, 2) == -signal.SIGKILL
    child.close()


def test_what_it_printed_last_is_kept(server: ForkServer) -> None:
    child = _spawn(server, "never_ready")
    assert _listen(child) == []
    child.receive_errors()
    assert (
        child.error_tail == b"cannot work here\nTraceback (most recent call last):\n"
        or b"SystemExit: 7" in child.error_tail
    )
    assert child.errors == -1
    child.close()


def test_the_news_of_one_child_is_kept_while_another_is_asked_for(server: ForkServer) -> None:
    children = [_spawn(server, "stall") for _ in range(2)]
    pids = [_meet(child).header["pid"] for child in children]
    for child in children:
        child.kill()
    assert server.exit_code(pids[1], 2) == -signal.SIGKILL
    assert server.exit_code(pids[0], 2) == -signal.SIGKILL
    assert server.exit_code(pids[0], 0) is None
    assert server.listen() == {}
    for child in children:
        child.close()


def test_the_end_of_a_child_is_told_once(server: ForkServer, until: Until) -> None:
    child = _spawn(server, "stall")
    pid = _meet(child).header["pid"]
    child.kill()
    told: dict[int, int] = {}
    assert until(lambda: told.update(server.listen()) or pid in told, 2)  # type: ignore[func-returns-value]
    assert told == {pid: -signal.SIGKILL}
    assert server.listen() == {}
    child.close()


def test_a_killed_server_takes_its_children_along_and_is_started_again(
    server: ForkServer, until: Until, gone: Gone
) -> None:
    child = _spawn(server, "stall")
    _meet(child)
    first_pid, child_pid = server.pid, child.pid
    assert first_pid is not None
    assert child_pid is not None
    psutil.Process(first_pid).kill()
    assert until(lambda: gone(child_pid), 2)
    assert until(lambda: child.receive() is None, 2)
    child.close()
    assert until(lambda: server.listen() == {} and server.descriptor is None, 2)
    second = _spawn(server, "echo")
    assert _meet(second).header["is"] == "hello"
    assert server.pid != first_pid
    second.close()


def test_closing_the_server_ends_every_child(oddities: None, leaves_nothing: None, gone: Gone) -> None:
    server = ForkServer(("oddities",))
    child = _spawn(server, "stall")
    pid = _meet(child).header["pid"]
    server.close()
    assert gone(pid)
    assert server.descriptor is None
    assert server.exit_code(pid, 0) is None
    child.close()


def test_a_server_that_cannot_start_says_why(oddities: None, leaves_nothing: None, until: Until) -> None:
    server = ForkServer(("no_such_module",))
    child = _spawn(server, "echo")
    assert until(lambda: child.receive() is None, 30)
    assert until(lambda: server.listen() == {} and server.failure is not None, 5)
    assert server.failure == "ModuleNotFoundError: No module named 'no_such_module'"
    child.close()
    server.close()


def test_a_module_that_starts_threads_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, leaves_nothing: None, until: Until
) -> None:
    (tmp_path / "restless.py").write_text(  # type: ignore[operator]
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = ForkServer(("restless",))
    child = server.spawn("restless:main", {}, file_bytes_max=0, frame_bytes_max=100)
    assert until(lambda: child.receive() is None, 30)
    assert until(lambda: server.listen() == {} and server.failure is not None, 5)
    assert server.failure == "importing restless started 1 threads; forking is not safe"
    child.close()
    server.close()


@pytest.mark.parametrize(
    ("code", "printed", "death"),
    [
        (-11, b"", Death("crash", "the process was ended by SIGSEGV")),
        (-9, b"", Death("crash", "the process was ended by SIGKILL, perhaps because the machine ran out of memory")),
        (-6, b"  what():  std::bad_alloc\n", Death("memory", "the process ran out of the memory it may use")),
        (-6, b"memory allocation of 8 bytes failed", Death("memory", "the process ran out of the memory it may use")),
        (-24, b"", Death("cpu", "the process used up its processor time")),
        (3, b"", Death("crash", "the process ended with code 3")),
        (-63, b"", Death("crash", "the process was ended by signal 63")),
        (None, b"", Death("crash", "the process ended without a trace")),
    ],
)
def test_the_cause_of_a_death_is_read_from_code_and_print(code: int | None, printed: bytes, death: Death) -> None:
    assert cause_of_death(code, printed) == death


def test_an_introduction_names_the_process_and_its_weight() -> None:
    [frame] = FrameReader().feed(introduction({"more": 1}))
    assert frame.header["pid"] == os.getpid()
    assert frame.header["more"] == 1
    assert frame.header["rss"] > 1 << 20
