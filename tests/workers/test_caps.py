"""Limits and switches of a child, each tried on a process that can be spared."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workers import caps

ROOT = Path(caps.__file__).parent.parent


def _run(script: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from workers import caps\n{script}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def test_a_child_inherits_no_secret_and_computes_on_one_thread() -> None:
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "PYTHONPATH": "/more",
        "QUBATOR_DATABASE_URL": "postgresql://u:secret@h/d",
        "QUBATOR_DEVICE_FILES": "/devices",
    }
    child = caps.child_environment(environ)
    assert child["PATH"] == "/bin"
    assert child["LC_ALL"] == "C"
    assert child["PYTHONPATH"] == f"{ROOT}{os.pathsep}/more"
    assert "QUBATOR_DATABASE_URL" not in child
    assert child["QUBATOR_DEVICE_FILES"] == "/devices", "devices run in children"
    threads = [name for name in child if name.endswith("_THREADS")]
    assert {child[name] for name in threads} == {"1"}
    assert {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"} <= set(threads)
    assert caps.child_environment({})["PYTHONPATH"] == str(ROOT)


def test_memory_is_capped_from_the_present_size_and_released() -> None:
    script = """
kept = bytearray(300 << 20)
for size in (32, 128):
    caps.cap_memory(64 << 20)
    try:
        print(len(bytearray(size << 20)) >> 20)
    except MemoryError:
        caps.uncap_memory()
        print("too much", len(bytearray(size << 20)) >> 20)
"""
    assert _run(script).stdout.split("\n") == ["32", "too much 128", ""]


def test_processor_time_is_capped_from_what_was_used_already() -> None:
    began_s = time.monotonic()
    ended = _run("caps.cap_cpu(0.5)\nwhile True: pass")
    assert ended.returncode == -signal.SIGXCPU
    assert time.monotonic() - began_s < 20


def test_a_hard_limit_of_the_system_is_respected() -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (40, 40))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    script = """
import resource
caps.cap_memory(1 << 50); caps.cap_cpu(10**6); caps.harden(2000)
print(*[resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)])
caps.uncap_memory()
print(resource.getrlimit(resource.RLIMIT_AS)[0])
"""
    assert _run(script, preexec_fn=lower).stdout == f"{8 << 30} 40 1000\n{8 << 30}\n"


def test_a_hardened_child_dumps_no_core_gains_no_privilege_and_fills_no_disk(tmp_path: Path) -> None:
    script = f"""
import resource
caps.harden(100)
print(resource.getrlimit(resource.RLIMIT_CORE))
with open({str(tmp_path / "file")!r}, "wb", buffering=0) as file:
    print(file.write(b"x" * 200))
    try:
        file.write(b"x")
    except OSError as error:
        print(error.strerror)
print(open("/proc/self/status").read().partition("NoNewPrivs:")[2][:2].strip(), open("/proc/self/oom_score_adj").read())
"""
    assert _run(script).stdout.split("\n")[:4] == ["(0, 0)", "100", "File too large", "1 500"]


def test_an_orphan_is_ended_by_the_kernel(until: Callable[..., bool], gone: Callable[[int], bool]) -> None:
    script = """
import os, time
parent = os.getpid()
pid = os.fork()
if pid == 0:
    os.close(1)
    caps.die_with_parent(parent)
    while True: pass
print(pid, flush=True)
time.sleep(0.05)
"""
    orphan = int(_run(script).stdout)
    assert until(lambda: gone(orphan), 1.0)


def test_whoever_comes_too_late_to_die_with_the_parent_ends_at_once() -> None:
    assert _run("caps.die_with_parent(1 << 30)\nprint('alive')").returncode == 1


def test_a_closed_connection_ends_a_busy_child() -> None:
    ours, theirs = socket.socketpair()
    script = f"import socket; caps.watch_hangup(socket.socket(fileno={theirs.fileno()})); print('up', flush=True)\n"
    busy = subprocess.Popen(
        [sys.executable, "-c", f"from workers import caps\n{script}while True: pass"],
        cwd=ROOT,
        pass_fds=(theirs.fileno(),),
        stdout=subprocess.PIPE,
    )
    theirs.close()
    assert busy.stdout is not None
    assert busy.stdout.readline() == b"up\n"
    assert busy.poll() is None
    ours.close()
    assert busy.wait(timeout=5) == 0
    busy.stdout.close()


def test_signals_to_the_whole_group_are_ignored() -> None:
    script = """
import os, signal
caps.deafen()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(os.getpid(), number)
print("still here")
"""
    assert _run(script).stdout == "still here\n"


def test_sizes_are_those_the_system_names() -> None:
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    for bytes_now, name in ((caps.virtual_bytes(), "VmSize"), (caps.resident_bytes(), "VmRSS")):
        assert abs(bytes_now - int(status[name].split()[0]) * 1024) < 8 << 20
