"""Commands about jobs: submit, quote, jobs, job, result, receipt, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from qubator.cli_frame import JOB_FAILED, OK, Frame, framed
from qubator.cli_money import explain_lines, quote_lines, receipt_lines
from qubator.cli_terms import job_terms, make_submission
from qubator.cli_text import count, duration, histogram, moment, pairs, table
from qubator.cli_told import told_lines
from qubator.errors import Conflict, JobFailed
from qubator.job import Job
from qubator.money import Money, decimal
from qubator.results import Register, decode_array, joint_counts, registers_of

MOST_SETS = 8
"""How many parameter sets a result shows for people; --json has all."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@job_terms
@click.option(
    "--key", "idempotency_key", metavar="KEY", help="Idempotency key: repeating the command makes no new job."
)
@click.option("--quote", metavar="ID", help="Hold the service to this quote, given for the same file and options.")
@click.option("--wait", is_flag=True, help="Wait for the end and show the result.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long.")
@framed
def submit(
    frame: Frame, file: str, idempotency_key: str | None, wait: bool, timeout: float | None, **terms: Any
) -> int:
    """Submit the circuit in FILE (OpenQASM 2 or 3, or QPY; "-" reads standard input)."""
    job = frame.client().submit_body(make_submission(file, **terms).to_json(), idempotency_key)
    for warning in job.warnings:
        click.echo(f"qubator: {warning['detail']}", err=True)
    if wait:
        return _finish(frame, job, timeout)
    frame.show(job.record, lambda: [f"{job.id} {job.state}", f"its result: qubator result {job.id}"])
    return OK


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@job_terms
@framed
def quote(frame: Frame, file: str, **terms: Any) -> None:
    """Say what the circuit in FILE would cost, who would pay, and how long it would wait. Submits nothing."""
    found = frame.client().quote_body(make_submission(file, **terms).to_json())
    circuit = _findings(found.record.get("findings") or {})
    frame.show(found.record, lambda: quote_lines(found, circuit, file, frame.width))


@click.command()
@click.option("--state", multiple=True, type=click.Choice(
    ["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]), help="Repeat for several.")  # fmt: skip
@click.option("--backend", help="Only jobs on this backend.")
@click.option("--tag", help="Only jobs with this tag.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@click.option("--project", metavar="ID", help="For operators: one project's jobs.")
@framed
def jobs(frame: Frame, state: tuple[str, ...], **chosen: Any) -> None:
    """List jobs, newest first."""
    found = list(frame.client().jobs(state=list(state) or None, **chosen))
    frame.show({"jobs": [job.record for job in found]}, lambda: _job_table(found, frame.width))


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--history", is_flag=True, help="Show every change of state.")
@click.option("--wait", is_flag=True, help="Wait for the end first.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long.")
@framed
def job(frame: Frame, job_id: str, history: bool, wait: bool, timeout: float | None) -> None:
    """Show one job."""
    found = frame.client().job(job_id)
    if wait:
        found.wait(timeout, progress=frame.progress)
    changes = found.history() if history else []
    record = {**found.record, "history": changes} if history else found.record
    frame.show(record, lambda: [*_job_lines(found, frame.width), *_history_lines(changes, frame.width)])


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--wait/--no-wait", default=True, help="Wait for the end (default); else an open job is a conflict.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long.")
@framed
def result(frame: Frame, job_id: str, wait: bool, timeout: float | None) -> int:
    """Show a job's result: counts as bars, estimates as a table. --json prints the result document."""
    found = Job(frame.client().connection, {"id": job_id})
    if wait:
        return _finish(frame, found, timeout, only_result=True)
    document = found.document_now()
    frame.show(document, lambda: _result_lines(document, frame))
    return OK


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--explain", is_flag=True, help="Tell every step: usage and rate, who paid which share, what came back.")
@framed
def receipt(frame: Frame, job_id: str, explain: bool) -> None:
    """Show what a job cost, why, and which grants paid.

    `qubator receipt ID --json > FILE` keeps it with its proof; `qubator receipt verify FILE` checks that offline.
    """
    bill = Job(frame.client().connection, {"id": job_id}).receipt(explain=explain)
    frame.show(bill, lambda: (explain_lines if explain else receipt_lines)(bill, frame.width))


@click.command()
@click.argument("job_id", metavar="ID")
@framed
def cancel(frame: Frame, job_id: str) -> None:
    """Cancel a job: at once while it waits, soon when it runs."""
    found = Job(frame.client().connection, {"id": job_id})
    if not found.cancel():
        raise Conflict(f"job {job_id} had already ended: {found.state}", code="job_ended", status=409)
    frame.show(found.record, lambda: [f"{job_id} cancelled" if found.ended else f"{job_id} will be cancelled"])


def _finish(frame: Frame, job: Job, timeout: float | None, *, only_result: bool = False) -> int:
    """Wait, then show the result; the exit code says whether there is one."""
    try:
        if frame.progress and not only_result:
            click.echo(f"submitted {job.id}", err=True)
        document = job.document(timeout, progress=frame.progress)
    except KeyboardInterrupt:
        click.echo(f"The job goes on: `qubator result {job.id}` waits again.", err=True)
        raise
    except JobFailed as failure:
        if only_result:
            raise
        job.refresh()
        frame.show(job.record, list)
        click.echo(f"qubator: {failure}", err=True)
        return JOB_FAILED
    if only_result:
        frame.show(document, lambda: _result_lines(document, frame))
        return OK
    job.refresh()
    record = {**job.record, "result": document} if frame.as_json else None
    frame.show(record, lambda: [*_job_lines(job, frame.width), "", *_result_lines(document, frame)])
    return OK


def _job_table(found: list[Job], width: int) -> list[str]:
    if not found:
        return ["no jobs"]
    rows = [
        (
            job.id,
            job.state,
            _cost(job.record),
            moment(job.record.get("created_us"))[5:-3],
            str(job.record.get("name") or ""),
        )
        for job in found
    ]
    return table(("JOB", "STATE", "COST", "CREATED", "NAME"), rows, width=width, right=(2,))


def _cost(record: Mapping[str, Any]) -> str:
    cost = record.get("cost")
    return decimal(int(cost["micro"])) if cost else ""


def _job_lines(job: Job, width: int) -> list[str]:
    record = job.record
    cost, agreed = record.get("cost"), job.quote
    problem = job.problem or {}
    return pairs(
        {
            "job": job.id,
            "name": record.get("name"),
            "state": job.state,
            "waits": job.wait_reason if not job.ended else None,
            "problem": f"{problem.get('detail')} [{problem.get('code')}]" if problem else None,
            "primitive": record.get("primitive"),
            "backend": record.get("backend"),
            "circuits": _findings(record.get("findings") or {}),
            "tags": ", ".join(record.get("tags") or ()),
            "time limit": duration(record["time_limit_us"]) if record.get("time_limit_us") else None,
            "created": moment(record.get("created_us")),
            "started": moment(record.get("started_us")),
            "ended": moment(record.get("ended_us")),
            "used": _usage(record.get("usage") or {}),
            "cost": Money.from_json(cost) if cost else None,
            "quoted": f"{agreed['expected']}, at most {agreed['ceiling']}" if "expected" in agreed else None,
        },
        width=width,
    )


def _findings(findings: Mapping[str, Any]) -> str:
    totals = findings.get("totals") or {}
    words = {"pubs": "PUB", "executions": "execution", "shots": "shot"}
    told = [count(totals[word], text) for word, text in words.items() if totals.get(word)]
    widest = totals.get("qubits_max")
    return ", ".join([*([f"up to {count(widest, 'qubit')}"] if widest else []), *told])


def _usage(usage: Mapping[str, Any]) -> str:
    words = {"qpu_ms": "ms of QPU time", "cpu_ms": "ms of CPU time", "shots": "shots"}
    return ", ".join(f"{usage[word]:,} {text}" for word, text in words.items() if usage.get(word))


def _history_lines(changes: list[dict[str, Any]], width: int) -> list[str]:
    if not changes:
        return []
    rows = [(moment(each.get("at_us")), str(each.get("state")), str(each.get("reason") or "")) for each in changes]
    return ["", *table(("WHEN", "STATE", "REASON"), rows, width=width)]


def _result_lines(document: Mapping[str, Any], frame: Frame) -> Iterator[str]:
    pubs = document["pubs"]
    for number, pub in enumerate(pubs):
        if len(pubs) > 1:
            yield ("" if number == 0 else "\n") + f"PUB {number}"
        if "registers" in pub:
            yield from _sample_lines(registers_of(pub), frame)
        else:
            yield from _estimate_lines(decode_array(pub["evs"]), decode_array(pub["stds"]), frame.width)
        yield from told_lines(pub, frame.width)


def _sample_lines(registers: list[Register], frame: Frame) -> Iterator[str]:
    import numpy as np

    if not registers:
        yield "no classical registers"
        return
    if len(registers) > 1:
        yield "registers, left to right: " + " ".join(register.name for register in reversed(registers))
    places = list(np.ndindex(*registers[0].shape))
    for place in places[:MOST_SETS]:
        if place:
            yield f"parameter set {', '.join(map(str, place))}"
        yield from histogram(joint_counts(registers, place), width=frame.width, bar=frame.bar)
    if len(places) > MOST_SETS:
        yield f"and {len(places) - MOST_SETS} more parameter sets: --json has all"


def _estimate_lines(evs: Any, stds: Any, width: int) -> Iterable[str]:
    import numpy as np

    places = list(np.ndindex(*evs.shape))
    shown = places[: 5 * MOST_SETS]
    rows = [(", ".join(map(str, place)) or "-", f"{evs[place]:+.9f}", f"{stds[place]:.9f}") for place in shown]
    lines = table(("INDEX", "VALUE", "STANDARD ERROR"), rows, width=width, right=(1, 2))
    return lines if len(shown) == len(places) else [*lines, f"and {len(places) - len(shown)} more: --json has all"]
