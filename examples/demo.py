"""The main job from end to end: a service, three startups with grants, real circuits, prices that add up.

Run by `make demo`. With --keep the service stays up afterwards, with the demo's data in ./qubator-data.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from circuits import BAD_QASM, TELEPORT_QASM2, TOSS_QASM3, ansatz, bell, ghz, ising, qft
from qubator import Client, Job, Money, QubatorError, Submission

YUAN = 1_000_000
console = Console(width=min(100, shutil.get_terminal_size((80, 24)).columns))


@dataclass
class Startup:
    """One tenant of the zone with its own client."""

    name: str
    client: Client
    project_id: str
    jobs: list[Job]


@contextlib.contextmanager
def service(data: Path) -> Iterator[tuple[str, str]]:
    """`qubatord up` on a free port; gives its address and the first operator's token."""
    token_file = data / "operator-token"
    data.mkdir(parents=True, exist_ok=True)
    log = (data / "service.log").open("w")
    command = [Path(sys.executable).with_name("qubatord"), "up", "--data", data, "--port", "0"]
    process = subprocess.Popen(
        [*command, "--token-file", token_file], stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        address = ""
        for line in process.stdout:
            if line.startswith("Qubator listens on "):
                address = line.split()[3]
                break
        if not address:
            sys.exit(f"the service did not start:\n{(data / 'service.log').read_text()}")
        yield address, token_file.read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


def found(url: str, operator_token: str) -> list[Startup]:
    """Two funders, two programmes, three startups; the third one's grant is small on purpose."""
    operators = Client(url, operator_token).operators
    city = operators.create_funder("City science bureau")
    zone = operators.create_funder("Incubation zone")
    vouchers = operators.create_programme("Compute vouchers", city["id"], Money(10_000 * YUAN))
    starters = operators.create_programme("First-year support", zone["id"], Money(2_000 * YUAN))
    until = datetime.now(UTC) + timedelta(days=365)
    plan = (
        ("Qubit Pharma", [(vouchers, 50 * YUAN), (starters, 10 * YUAN)]),
        ("LatticeAI", [(vouchers, 30 * YUAN)]),
        ("Tiny Photonics", [(starters, YUAN // 2)]),
    )
    startups = []
    for name, grants in plan:
        project = operators.create_project(name)
        member = operators.create_member(project["id"], f"founder of {name}", "admin")
        token = operators.create_token(project["id"], member["id"], role="admin", label="demo", expires=until)
        for programme, amount in grants:
            operators.issue_grant(project["id"], programme["id"], Money(amount), valid_until=until)
        startups.append(Startup(name, Client(url, token["secret"]), project["id"], []))
    return startups


def submit(startups: list[Startup]) -> list[tuple[str, str, QubatorError]]:
    """A mixed load through the SDK. Returns what was refused: (startup, job, why)."""
    pharma, lattice, tiny = startups
    rng = np.random.default_rng(7)
    circuit = ansatz(4)
    bindings = rng.uniform(-np.pi, np.pi, (50, circuit.num_parameters))
    point = rng.uniform(-np.pi, np.pi, circuit.num_parameters)
    wanted: list[tuple[Startup, str, Any, dict[str, Any]]] = [
        (pharma, "Bell pair", bell(), {"shots": 4096, "seed": 1}),
        (pharma, "ansatz, 50 bindings", [(circuit.measure_all(inplace=False), bindings)], {"shots": 1024}),
        (pharma, "energy, 4 observables", [(circuit, [[o] for o in ising(4)], point)], {"primitive": "estimator"}),
        (lattice, "GHZ, 12 qubits", ghz(12), {"shots": 2048}),
        (lattice, "QFT, 8 qubits", qft(8), {"shots": 2048}),
        (lattice, "teleport (OpenQASM 2)", TELEPORT_QASM2, {"shots": 1024}),
        (lattice, "coin toss (OpenQASM 3)", TOSS_QASM3, {"shots": 1024}),
        (tiny, "Bell pair", bell(), {"shots": 1024}),
        (tiny, "a typing error", BAD_QASM, {"shots": 1024}),
        (tiny, "beyond its grant", [(ansatz(16).measure_all(inplace=False), np.zeros((200, 48)))], {"shots": 100_000}),
    ]
    for number in range(30):
        owner = startups[number % 2]
        wanted.append((owner, f"small job {number + 1}", Submission(ghz(3 + number % 6)), {"shots": 1024}))
    refused = []
    for startup, name, work, terms in wanted:
        try:
            pubs = work.pubs if isinstance(work, Submission) else work
            startup.jobs.append(startup.client.submit(pubs, name=name, **terms))
        except QubatorError as refusal:
            refused.append((startup.name, name, refusal))
    return refused


def watch(startups: list[Startup]) -> None:
    """Live progress until every job has ended."""
    with Live(console=console, refresh_per_second=8) as live:
        while True:
            table = Table(title="jobs", box=None, header_style="bold")
            for column in ("startup", "queued", "running", "done", "failed"):
                table.add_column(column, justify="left" if column == "startup" else "right")
            open_jobs = 0
            for startup in startups:
                states = [job.state for job in startup.client.jobs()]
                ended = [state for state in states if state in ("succeeded", "failed", "cancelled")]
                open_jobs += len(states) - len(ended)
                counts = (states.count("queued"), states.count("running"), states.count("succeeded"))
                table.add_row(startup.name, *(str(count) for count in (*counts, states.count("failed"))))
            live.update(table)
            if open_jobs == 0:
                return
            time.sleep(0.1)


def summary(job: Job) -> str:
    """A result in a few characters."""
    result = job.result()
    first = result[0].data
    if job.primitive == "estimator":
        return " ".join(f"{value:+.3f}" for value in np.ravel(first.evs)[:4])
    counts = job.counts()
    if len(counts) > 1:
        return f"{len(counts)} sets of counts"
    ranked = sorted(counts[0].items(), key=lambda pair: (-pair[1], pair[0]))[:2]
    return ", ".join(f"{bits}: {count}" for bits, count in ranked)


def show_results(startups: list[Startup]) -> None:
    """Each job's result and price; the thirty small ones as one row a startup."""
    table = Table(title="results", box=None, header_style="bold")
    for column in ("startup", "job", "result", "price CNY"):
        right = column.startswith("price")
        table.add_column(column, justify="right" if right else "left", no_wrap=True, min_width=9 if right else 0)
    for startup in startups:
        small: list[Job] = []
        for job in startup.jobs:
            job.refresh()
            if (job.name or "").startswith("small job"):
                small.append(job)
                continue
            shown = summary(job) if job.state == "succeeded" else str((job.problem or {}).get("detail", job.state))
            table.add_row(startup.name, job.name or "", shown[:29], f"{cost(job) / YUAN:.6f}")
        if small:
            done = sum(job.state == "succeeded" for job in small)
            total = sum(cost(job) for job in small)
            table.add_row(startup.name, f"{len(small)} small jobs", f"{done} succeeded", f"{total / YUAN:.6f}")
    console.print(table)


def cost(job: Job) -> int:
    """What a job was charged, in micro-yuan."""
    return job.cost.micro if job.cost is not None else 0


def show_statements(startups: list[Startup]) -> bool:
    """A statement per startup; True when every figure adds up to the last micro-yuan."""
    table = Table(title="statements (CNY)", box=None, header_style="bold")
    for column in ("startup", "granted", "settled", "held", "available", "adds up"):
        table.add_column(column, justify="left" if column == "startup" else "right")
    all_right = True
    for startup in startups:
        quota = startup.client.quota()
        settled, held, available = quota.settled.micro, quota.held.micro, quota.available.micro
        priced = sum(cost(job) for job in startup.jobs)
        right = quota.granted.micro == settled + held + available and settled == priced and held == 0
        all_right &= right
        figures = (quota.granted.micro, settled, held, available)
        table.add_row(startup.name, *(f"{figure / YUAN:.6f}" for figure in figures), "yes" if right else "NO")
    console.print(table)
    return all_right


def main() -> None:
    """Run the demo; exit code 1 when a figure does not add up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the service running, data in ./qubator-data")
    keep = parser.parse_args().keep
    began = time.monotonic()
    data = Path("qubator-data").resolve() if keep else Path(tempfile.mkdtemp(prefix="qubator-demo-"))
    try:
        with service(data) as (url, operator_token):
            console.print(f"[bold]Qubator[/bold] is up at {url} after {time.monotonic() - began:.1f} s")
            startups = found(url, operator_token)
            refused = submit(startups)
            watch(startups)
            console.print()
            show_results(startups)
            console.print("\n[bold]refused, at no charge[/bold]")
            for startup, name, refusal in refused:
                console.print(f"  {startup}, {name}: {refusal}", highlight=False)
            console.print()
            right = show_statements(startups)
            console.print(f"\ndone in {time.monotonic() - began:.1f} s")
            if keep:
                console.print(f"The service stays up at {url}; operator token in {data / 'operator-token'}.")
                console.print("Stop it with Ctrl-C.")
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
    finally:
        if not keep:
            shutil.rmtree(data, ignore_errors=True)
    console.print("keep a service up:  [bold]make up[/bold]   (API docs at http://127.0.0.1:8000/docs)")
    console.print("look next at:       docs/tutorial.md, examples/, `.venv/bin/qubator --help`")
    sys.exit(0 if right and len(refused) == 2 else 1)


if __name__ == "__main__":
    main()
