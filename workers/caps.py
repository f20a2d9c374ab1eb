"""What a child process may take of the machine, and how it dies: kernel limits and switches, set by the child itself.

Linux has them all; elsewhere the ones that do not exist are left out and the parent's own watch is what remains.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

_LINUX = sys.platform.startswith("linux")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

# The operator's own devices are read where they run, too.
_DEVICES = "QUBATOR_DEVICE_FILES"
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", _DEVICES)
_FIXED = {
    # One thread per child: neighbours on the same cores make every further thread a loss, and a process that has
    # started threads must not be forked.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "QISKIT_PARALLEL": "FALSE",
    "QISKIT_IN_PARALLEL": "TRUE",
    # A second arena would reserve 64 MiB of the address space that the memory limit counts.
    "MALLOC_ARENA_MAX": "1",
    # Nothing of the user who happens to run the service, and the same order of sets everywhere: seeds must reproduce.
    "QISKIT_SETTINGS": os.devnull,
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
}


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: a few inherited names, never the service's secrets, and one thread everywhere."""
    kept = {name: value for name, value in environ.items() if name in _INHERITED or name.startswith("LC_")}
    root = str(Path(__file__).resolve().parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))
    return kept | _FIXED


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel end this process when its parent ends. Exits at once if the parent is gone already."""
    if _LINUX:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent_pid:
        os._exit(1)


def watch_hangup(connection: socket.socket) -> None:
    """Exit as soon as the other end of `connection` is closed, even in the middle of Python work.

    Where the kernel ends orphans itself this is the second line; a C++ loop that holds the interpreter lock delays it.
    """

    def watch() -> None:
        poll = select.poll()
        poll.register(connection.fileno(), 0)
        while not any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll()):
            continue
        os._exit(0)

    threading.Thread(target=watch, name="hangup", daemon=True).start()


def deafen() -> None:
    """Ignore the signals a terminal or a supervisor sends to a whole group: children end when their parent says so."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def harden(file_bytes_max: int) -> None:
    """No core dumps, no new privileges, no file above `file_bytes_max`, and first in line when memory is short."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = file_bytes_max if hard == resource.RLIM_INFINITY else min(file_bytes_max, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if _LINUX:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def virtual_bytes() -> int:
    """The size of this process' address space; 0 where the system does not tell."""
    return _statm()[0]


def resident_bytes() -> int:
    """The memory this process occupies; the largest it ever occupied where the system tells only that."""
    if _LINUX:
        return _statm()[1]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def cap_memory(more_bytes: int) -> None:
    """Let this process grow by `more_bytes` from its present size; what is beyond ends in a MemoryError."""
    if _LINUX:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = virtual_bytes() + more_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def uncap_memory() -> None:
    """Lift `cap_memory`: reporting that memory ran out takes some memory."""
    if _LINUX:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def cap_cpu(more_seconds: float) -> None:
    """Let this process compute `more_seconds` more (whole seconds, rounded up); then the kernel ends it by SIGXCPU."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(usage.ru_utime + usage.ru_stime + more_seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _statm() -> tuple[int, int]:
    if not _LINUX:
        return (0, 0)
    with open("/proc/self/statm", "rb", buffering=0) as statm:  # noqa: PTH123 - twice per order, and half as slow
        fields = statm.read().split()
    return (int(fields[0]) * _PAGE_BYTES, int(fields[1]) * _PAGE_BYTES)


def _prctl(option: int, argument: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {argument})")
