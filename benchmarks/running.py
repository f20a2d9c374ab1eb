"""A real service in processes of its own, with one startup and an ample grant, for a benchmark to call."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qubator import Client, Money


@dataclass(frozen=True)
class Running:
    """Where the service listens, and who may call it."""

    url: str
    operator: str
    token: str
    project_id: str
    pid: int


@contextlib.contextmanager
def running(slots: int) -> Iterator[Running]:
    """`qubatord up` with `slots` worker slots on a fresh database, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="qubator-bench-") as folder:
        data = Path(folder)
        command = [Path(sys.executable).with_name("qubatord"), "up", "--data", data, "--port", "0"]
        process = subprocess.Popen(
            [*command, "--slots", str(slots), "--token-file", data / "token"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            url = next(line.split()[3] for line in process.stdout if line.startswith("Qubator listens on "))
            operator = (data / "token").read_text().strip()
            token, project_id = _startup(url, operator)
            yield Running(url, operator, token, project_id, process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _startup(url: str, operator: str) -> tuple[str, str]:
    operators = Client(url, operator).operators
    until = datetime.now(UTC) + timedelta(days=1)
    funder = operators.create_funder("bench funder")
    programme = operators.create_programme("bench programme", funder["id"], Money(10**15))
    project = operators.create_project("bench")
    member = operators.create_member(project["id"], "bench", "admin")
    token = operators.create_token(project["id"], member["id"], role="admin", label="bench", expires=until)
    operators.issue_grant(project["id"], programme["id"], Money(10**14), valid_until=until)
    return str(token["secret"]), str(project["id"])
