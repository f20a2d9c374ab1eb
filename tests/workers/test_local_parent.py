"""The local executor and its parent: whoever dies first, nothing is left behind; and no privilege is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Until = Callable[..., bool]
Gone = Callable[[int], bool]

PARENT = """
import sys, time, json
from pathlib import Path
from workers.local import LocalExecutor
from workers.port import Order, Started
executor = LocalExecutor(2, 2, 256, ("aer",), Path(sys.argv[1]), lambda: time.time_ns() // 1000, engine=sys.argv[2])
executor.ready(60)
work = json.dumps({"do": sys.argv[3]} if len(sys.argv) > 3 else {}).encode()
for number in range(2):
    executor.start(Order(f"job{number}/0.1", number, "job", "aer", work, 10**9, 256))
seen = []
while len(seen) < 2:
    seen += executor.observe(10)
import psutil
print(json.dumps([one.pid for one in psutil.Process().children(recursive=True)]), flush=True)
print(json.dumps([type(one).__name__ for one in seen]), flush=True)
"""


def _parent(tmp_path: Path, *arguments: str, ending: str, become: str = "") -> subprocess.Popen[str]:
    script = become + PARENT + ending
    return subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "spool"), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def test_kill_9_of_the_parent_leaves_no_orphan(oddities: None, tmp_path: Path, until: Until, gone: Gone) -> None:
    with _parent(tmp_path, "oddities:engine", "spin", ending="sys.stdin.read()") as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        assert len(pids) == 3
        assert not any(gone(pid) for pid in pids)
        parent.kill()
        assert until(lambda: all(gone(pid) for pid in pids), 1.0)


def test_a_parent_that_just_ends_leaves_no_orphan(oddities: None, tmp_path: Path, until: Until, gone: Gone) -> None:
    with _parent(tmp_path, "oddities:engine", "spin", ending="") as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        parent.wait(10)
        assert until(lambda: all(gone(pid) for pid in pids), 1.0)


def test_kill_9_while_the_engine_is_imported_leaves_no_orphan(tmp_path: Path, until: Until, gone: Gone) -> None:
    starting = "import psutil\nwhile not psutil.Process().children(): pass\n"
    starting += "print(psutil.Process().children()[0].pid, flush=True)"
    script = PARENT.replace("executor.ready(60)", f"{starting}\ntime.sleep(60)")
    arguments = [sys.executable, "-c", script, str(tmp_path / "spool"), "backends.run:execute"]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
        assert until(lambda: gone(pid), 1.0)


ORDINARY = """
import ctypes, os
if os.getuid() == 0:
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(0x10000000) == 0:
        for name, line in ("setgroups", "deny"), ("uid_map", f"1000 {user} 1"), ("gid_map", f"1000 {group} 1"):
            open(f"/proc/self/{name}", "w").write(line)
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
    else:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
assert os.getuid() != 0
"""


def test_it_runs_for_a_user_without_privileges(oddities: None, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with _parent(tmp_path, "oddities:engine", "name process", ending="executor.close()", become=ORDINARY) as parent:
        said = parent.communicate(timeout=60)[0].splitlines()
    assert parent.returncode == 0
    assert set(json.loads(said[1])) <= {"Started", "Succeeded"}
