"""`qubatord request`: acts on money that one operator asks for and another approves."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import click

from dispatcher.model import Caller, Refusal
from dispatcher.room import Room
from ledger.model import NATIVE, in_words
from service.commands.admin import Money, granted, output_options, room_of, show
from service.commands.run import data_options
from service.embedded import CONSOLE
from store.rows import RequestRow


@click.group()
def request() -> None:
    """Requests: acts on money that a second operator must approve.

    Who asks, approves or refuses is told by their own token, in --token or QUBATOR_TOKEN: the machine's console is
    nobody in particular.
    """


COLUMNS = ("id", "what", "subject", "state", "asked_by", "decided_by", "reason")
_TOKEN = click.option("--token", envvar="QUBATOR_TOKEN", required=True, help="Whose act it is [QUBATOR_TOKEN].")
_AMOUNT = click.option("--amount", required=True, help="In the grant's asset.")
_REASON = click.option("--reason", required=True, help="Recorded in the ledger.")


def _actor(room: Room, token: str) -> Caller:
    return granted(room.authenticate(token))


def _ask(
    kind: Any, subject: str, body: dict[str, Any], reason: str, token: str, output: str, options: dict[str, Any]
) -> None:
    with room_of(options) as room:
        actor = _actor(room, token)
        if "amount" in body:
            body = {**body, "amount": _units(body["amount"], granted(room.grant(actor, subject)).asset)}
        row = _row(granted(room.ask(actor, kind, subject, body, reason)), room)
    show([row], COLUMNS, output)


def _units(amount: str, asset: str) -> int:
    """An amount of money with decimals, or a whole number of native units."""
    if asset not in NATIVE:
        return Money().convert(amount, None, None)
    if not re.fullmatch(r"[0-9]{1,16}", amount):
        raise click.BadParameter(f"{amount!r}: the grant is in {asset}, of which there are whole numbers")
    return int(amount)


def _row(row: RequestRow, room: Room) -> dict[str, Any]:
    """A request with what it does in words: whoever approves must see how much, and where it goes."""
    if row.kind == "correct":
        what = "correct to " + ", ".join(f"{name} {used}" for name, used in row.body["usage"].items() if used)
        return {**asdict(row), "what": what if any(row.body["usage"].values()) else "correct to nothing"}
    found = room.grant(CONSOLE, row.subject)
    amount = in_words(row.body["amount"], room.currency if isinstance(found, Refusal) else found.asset)
    to = f" to {row.body['to_grant_id']}" if row.kind == "transfer" else ""
    return {**asdict(row), "what": f"{row.kind.replace('_', ' ')} {amount}{to}"}


@request.command("increase")
@click.argument("grant_id")
@_AMOUNT
@_REASON
@_TOKEN
@data_options
@output_options
def request_increase(grant_id: str, amount: str, reason: str, token: str, output: str, **options: Any) -> None:
    """More for a grant, out of its programme."""
    _ask("increase", grant_id, {"amount": amount}, reason, token, output, options)


@request.command("claw-back")
@click.argument("grant_id")
@_AMOUNT
@_REASON
@_TOKEN
@data_options
@output_options
def request_claw_back(grant_id: str, amount: str, reason: str, token: str, output: str, **options: Any) -> None:
    """Take back what a grant has available."""
    _ask("claw_back", grant_id, {"amount": amount}, reason, token, output, options)


@request.command("transfer")
@click.argument("grant_id")
@click.argument("to_grant_id")
@_AMOUNT
@_REASON
@_TOKEN
@data_options
@output_options
def request_transfer(
    grant_id: str, to_grant_id: str, amount: str, reason: str, token: str, output: str, **options: Any
) -> None:
    """From one grant of a programme to another."""
    _ask("transfer", grant_id, {"amount": amount, "to_grant_id": to_grant_id}, reason, token, output, options)


@request.command("correct")
@click.argument("job_id")
@click.option("--qpu-ms", type=click.IntRange(0), help="What the job really used; what is not named stays.")
@click.option("--shots", type=click.IntRange(0))
@click.option("--cpu-ms", type=click.IntRange(0))
@click.option("--gpu-ms", type=click.IntRange(0))
@click.option("--storage-mib-h", type=click.IntRange(0))
@_REASON
@_TOKEN
@data_options
@output_options
def request_correct(
    job_id: str,
    qpu_ms: int | None,
    shots: int | None,
    cpu_ms: int | None,
    gpu_ms: int | None,
    storage_mib_h: int | None,
    reason: str,
    token: str,
    output: str,
    **options: Any,
) -> None:
    """Charge a settled job less: every payer gets back what it paid too much."""
    named = {"qpu_ms": qpu_ms, "shots": shots, "cpu_ms": cpu_ms, "gpu_ms": gpu_ms, "storage_mib_h": storage_mib_h}
    usage = {name: used for name, used in named.items() if used is not None}
    if not usage:
        raise click.UsageError("name what the job really used, such as --qpu-ms 20")
    _ask("correct", job_id, {"usage": usage}, reason, token, output, options)


@request.command("list")
@click.option("--state", type=click.Choice(["open", "approved", "refused"]))
@data_options
@output_options
def request_list(state: Any, output: str, **options: Any) -> None:
    """List requests."""
    with room_of(options) as room:
        rows = [_row(row, room) for row in granted(room.list_requests(CONSOLE, state))]
    if rows or output != "table":
        show(rows, COLUMNS, output)
    else:
        click.echo("no requests")


@request.command("approve")
@click.argument("request_id")
@_TOKEN
@data_options
def request_approve(request_id: str, token: str, **options: Any) -> None:
    """Approve and post a request of another operator."""
    with room_of(options) as room:
        granted(room.decide_request(_actor(room, token), request_id, approve=True))
    click.echo(f"{request_id} is approved and posted")


@request.command("refuse")
@click.argument("request_id")
@_TOKEN
@data_options
def request_refuse(request_id: str, token: str, **options: Any) -> None:
    """Refuse a request, or take one's own back."""
    with room_of(options) as room:
        granted(room.decide_request(_actor(room, token), request_id, approve=False))
    click.echo(f"{request_id} is refused")
