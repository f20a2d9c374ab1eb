"""`kill -9` of the whole service at random moments, twenty times, while three startups submit a thousand jobs.

Nothing is lost, nothing is charged twice, nothing stays held, no process stays behind.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from dispatcher.auditor import audit_store
from qubator import Client, Money
from store.database import open_database

KILLS = 20
JOBS_EACH = 334
STARTUPS = 3
QASM = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[{qubits}];
creg c[{qubits}];
h q[0];
{ladder}
measure q -> c;
"""


def ghz(qubits: int) -> str:
    ladder = "\n".join(f"cx q[{at - 1}],q[{at}];" for at in range(1, qubits))
    return QASM.format(qubits=qubits, ladder=ladder)


class Zone:
    """`qubatord up` on one data folder and one port, started again after each death."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.url = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[str] | None = None

    def up(self) -> None:
        command = [Path(sys.executable).with_name("qubatord"), "up", "--data", self.data, "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--slots", "2", "--token-file", self.data / "token"],
            stdout=subprocess.PIPE,
            stderr=(self.data / "service.log").open("a"),
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "listens on" in line:
                return
        log = (self.data / "service.log").read_text()[-3000:]
        raise AssertionError(f"the service did not come up: {lines} {log}")

    def kill(self, *, whole_group: bool) -> list[psutil.Process]:
        """SIGKILL the service (and, if asked, its children by group); returns the children it had."""
        assert self.process is not None
        family = psutil.Process(self.process.pid).children(recursive=True)
        if whole_group:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()
        return family


@contextmanager
def zone(data: Path, port: int) -> Iterator[Zone]:
    running = Zone(data, port)
    running.up()
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGTERM)
            running.process.wait(timeout=30)


def startups(url: str, operator_token: str) -> list[Client]:
    operators = Client(url, operator_token).operators
    funder = operators.create_funder("funder")
    programme = operators.create_programme("programme", funder["id"], Money(10**12))
    clients = []
    until = int(time.time() * 1e6) + 86_400_000_000
    for number in range(STARTUPS):
        project = operators.create_project(f"startup {number}")
        member = operators.create_member(project["id"], "founder", "admin")
        token = operators.create_token(project["id"], member["id"], role="admin", label="t", expires=until)
        operators.issue_grant(project["id"], programme["id"], Money(10**11), valid_until=until)
        clients.append(Client(url, token["secret"], retry_for_s=240, timeout_s=60))
    return clients


@pytest.mark.timeout(600)
def test_twenty_kills_lose_nothing_and_charge_nothing_twice(tmp_path: Path, free_port: int) -> None:
    chance = random.Random(20)
    with zone(tmp_path, free_port) as running:
        clients = startups(running.url, (tmp_path / "token").read_text().strip())
        failures: list[BaseException] = []
        ids: list[list[str]] = [[] for _ in clients]

        def submit(number: int) -> None:
            """Small batches with keys of their own, so that a retry across a kill finds the first try's jobs."""
            try:
                for batch in range(JOBS_EACH // 2):
                    circuits = [ghz(2 + (batch + k) % 7) for k in range(2)]
                    jobs = clients[number].submit_many(circuits, shots=200, idempotency_key=f"{number}-{batch}")
                    ids[number] += [job.id for job in jobs]
                    time.sleep(chance.random() * 0.15)  # the load lasts as long as the kills
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=submit, args=(number,)) for number in range(STARTUPS)]
        for thread in threads:
            thread.start()
        orphans: list[psutil.Process] = []
        for kill in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.2))
            orphans += running.kill(whole_group=kill % 2 == 0)
            running.up()
        for thread in threads:
            thread.join(timeout=300)
        assert not failures, failures
        open_jobs = _wait_for_all(clients)
        assert open_jobs == 0
        _, alive = psutil.wait_procs(orphans, timeout=5)
        assert not alive, f"children survived their service: {alive}"
        for number, client in enumerate(clients):
            _books_of_one_startup(client, ids[number])
    database = open_database(f"sqlite:///{tmp_path / 'qubator.sqlite3'}")
    report = audit_store(database)
    with database.read() as conn:
        settled = conn.exec_driver_sql("SELECT job_id FROM entries WHERE kind IN ('settle', 'void')").scalars().all()
    database.close()
    assert report.violations == []
    assert report.counts["jobs"] == STARTUPS * (JOBS_EACH // 2) * 2
    assert len(settled) == len(set(settled)) == report.counts["jobs"], "each job has exactly one settlement"


def _wait_for_all(clients: list[Client]) -> int:
    deadline = time.monotonic() + 240
    while True:
        waiting = sum(len(list(client.jobs(state=["queued", "running", "cancelling"]))) for client in clients)
        if waiting == 0 or time.monotonic() > deadline:
            return waiting
        time.sleep(0.2)


def _books_of_one_startup(client: Client, ids: list[str]) -> None:
    jobs = list(client.jobs())
    assert sorted(job.id for job in jobs) == sorted(ids), "every accepted job is there, and no other"
    assert {job.state for job in jobs} == {"succeeded"}
    quota, statement = client.quota(), client.statement()
    assert quota.held.micro == 0
    assert quota.granted.micro == quota.settled.micro + quota.available.micro
    charged = sum(job.cost.micro for job in jobs if job.cost is not None)
    assert charged == quota.settled.micro == statement["charged"]
