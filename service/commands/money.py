"""`qubatord wallet | budget | rate | request`, and `programme apply`: what the books allow beyond a plain grant."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from api.schemas.programme_file import WrongProgramme
from dispatcher.model import Caller, Refusal
from dispatcher.room import Room
from dispatcher.tariffs import NewRate
from ledger.model import MICRO, RESOURCES, in_words
from service.commands.admin import Money, granted, output_options, programme, project, room_of, show
from service.commands.run import data_options
from service.embedded import CONSOLE
from service.programme_files import plans_in, shipped


@programme.command("apply")
@click.argument("names", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@data_options
def programme_apply(names: tuple[str, ...], dry_run: bool, **options: Any) -> None:
    """Bring programmes to what TOML files say; again changes nothing.

    NAMES are files, or names of the worked programmes (see `programme examples`).
    """
    with room_of(options) as room:
        try:
            plans = [plan for name in names for plan in plans_in(name, room.zone, room.currency)]
        except WrongProgramme as wrong:
            raise click.ClickException(str(wrong)) from wrong
        done = granted(room.apply_programmes(CONSOLE, plans, dry_run=dry_run))
    for applied in done:
        where = applied.programme_id or "new"
        click.echo(f"{applied.name} ({where}), terms version {applied.version}")
        for change in applied.changes or ("nothing to change",):
            click.echo(f"  {change}")
    if dry_run:
        click.echo("nothing was changed: this was a dry run")


@programme.command("examples")
def programme_examples() -> None:
    """Names of the worked programmes."""
    for name in shipped():
        click.echo(name)


@project.command("describe")
@click.argument("project_id")
@click.option("--stage", default="", help="Stage of the startup, as programmes name them.")
@click.option("--founded", type=click.DateTime(["%Y-%m-%d"]), help="Day of its foundation.")
@click.option("--trait", "traits", multiple=True, help="What programmes may ask for; may be repeated.")
@click.option("--related", multiple=True, help="Backend or funder that is a related party; may be repeated.")
@data_options
@output_options
def project_describe(
    project_id: str,
    stage: str,
    founded: datetime | None,
    traits: tuple[str, ...],
    related: tuple[str, ...],
    output: str,
    **options: Any,
) -> None:
    """Write down what the terms of programmes ask about a startup."""
    with room_of(options) as room:
        founded_us = None if founded is None else _instant(founded, room)
        row = granted(room.describe_project(CONSOLE, project_id, stage, founded_us, traits, related))
    show([asdict(row)], ("id", "name", "stage", "founded_us", "traits", "related"), output)


def _instant(at: datetime, room: Room) -> int:
    """A moment of the facility's clocks, in µs."""
    return round(at.replace(tzinfo=room.zone).timestamp()) * MICRO


@click.group()
def wallet() -> None:
    """Wallets: the startups' own money."""


def _moved(direction: str, project_id: str, amount: int, key: str, output: str, options: dict[str, Any]) -> None:
    with room_of(options) as room:
        call = room.top_up if direction == "in" else room.pay_out
        booked = granted(call(CONSOLE, project_id, amount, key))
    show([{**booked, "id": booked["entry"]}], ("id", "amount", "available"), output)


@wallet.command("top-up")
@click.option("--project", "project_id", required=True)
@click.option("--amount", type=Money(), required=True, help="What came in.")
@click.option("--key", required=True, help="Number of the payment: booked once, however often it is sent.")
@data_options
@output_options
def wallet_top_up(project_id: str, amount: int, key: str, output: str, **options: Any) -> None:
    """Book a payment of a startup."""
    _moved("in", project_id, amount, key, output, options)


@wallet.command("pay-out")
@click.option("--project", "project_id", required=True)
@click.option("--amount", type=Money(), required=True, help="What goes back.")
@click.option("--key", required=True, help="Number of the payment: booked once, however often it is sent.")
@data_options
@output_options
def wallet_pay_out(project_id: str, amount: int, key: str, output: str, **options: Any) -> None:
    """Book a payment back to a startup."""
    _moved("out", project_id, amount, key, output, options)


@click.group()
def budget() -> None:
    """Budgets: a project's own limits for a member or a tag."""


@budget.command("set")
@click.option("--project", "project_id", required=True)
@click.option("--member", "member_id", help="Id of the member.")
@click.option("--tag", help="Tag of jobs.")
@click.option("--limit", type=Money(), required=True, help="For a calendar year.")
@data_options
@output_options
def budget_set(
    project_id: str, member_id: str | None, tag: str | None, limit: int, output: str, **options: Any
) -> None:
    """Set a limit; what jobs may still cost counts too."""
    kind, key = _one_of(member_id, tag)
    with room_of(options) as room:
        row = granted(room.set_budget(CONSOLE, project_id, kind, key, limit))
        show([_budget(row, room)], ("kind", "key", "limit", "claimed", "left"), output)


@budget.command("list")
@click.option("--project", "project_id", required=True)
@data_options
@output_options
def budget_list(project_id: str, output: str, **options: Any) -> None:
    """List limits and what is left of them this year."""
    with room_of(options) as room:
        rows = [_budget(row, room) for row in granted(room.list_budgets(CONSOLE, project_id))]
    if rows or output != "table":
        show(rows, ("kind", "key", "limit", "claimed", "left"), output)
    else:
        click.echo("no budgets")


@budget.command("remove")
@click.option("--project", "project_id", required=True)
@click.option("--member", "member_id")
@click.option("--tag")
@data_options
def budget_remove(project_id: str, member_id: str | None, tag: str | None, **options: Any) -> None:
    """Take a limit away."""
    kind, key = _one_of(member_id, tag)
    with room_of(options) as room:
        granted(room.remove_budget(CONSOLE, project_id, kind, key))
    click.echo(f"no limit for {kind} {key} any more")


def _one_of(member_id: str | None, tag: str | None) -> tuple[str, str]:
    if (member_id is None) == (tag is None):
        raise click.UsageError("name either --member or --tag")
    return ("member", member_id) if member_id is not None else ("tag", tag or "")


def _budget(row: dict[str, Any], room: Room) -> dict[str, Any]:
    money = {name: in_words(row[name], room.currency) for name in ("limit", "claimed", "left")}
    return {**row, **money, "id": f"{row['kind']}:{row['key']}"}


@click.group()
def rate() -> None:
    """Rates: the prices."""


@rate.command("list")
@data_options
@output_options
def rate_list(output: str, **options: Any) -> None:
    """The whole rate card, with what is over and what is to come."""
    with room_of(options) as room:
        rows = [{**asdict(line), "price": in_words(line.unit_price, room.currency)} for line in room.rates()]
    show(rows, ("id", "resource", "price", "quantum", "backend", "hours", "valid_from_us", "valid_until_us"), output)


@rate.command("add")
@click.option("--resource", type=click.Choice(RESOURCES), required=True)
@click.option("--price", type=click.IntRange(0), required=True, help="Micro-units for each started quantum.")
@click.option("--quantum", type=click.IntRange(1), default=1, show_default=True, help="Native units.")
@click.option("--backend", default="*", show_default=True, help="A backend, or its class: simulator.")
@click.option("--hours", default="0-24", show_default=True, help="Band of the day; 22-6 goes over midnight.")
@click.option("--from", "from_", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="[now]")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="[for ever]")
@data_options
@output_options
def rate_add(
    resource: str,
    price: int,
    quantum: int,
    backend: str,
    hours: str,
    from_: datetime | None,
    until: datetime | None,
    output: str,
    **options: Any,
) -> None:
    """Add a line: it wins over earlier ones from its first moment on. No line is ever changed."""
    start, dash, end = hours.partition("-")
    if not (dash and start.isdecimal() and end.isdecimal()):
        raise click.BadParameter(f"{hours!r}: a band is such as 8-20", param_hint="--hours")
    with room_of(options) as room:
        start_us, end_us = (None if at is None else _instant(at, room) for at in (from_, until))
        wanted = NewRate(resource, price, quantum, backend, (int(start), int(end)), start_us, end_us)
        [line] = granted(room.add_rates(CONSOLE, [wanted]))
        row = {**asdict(line), "price": in_words(line.unit_price, room.currency)}
    show([row], ("id", "resource", "price", "quantum", "backend", "hours", "valid_from_us", "valid_until_us"), output)


@click.group()
def request() -> None:
    """Requests: acts on money that a second operator must approve.

    Who acts is told by an operator's token in --token or QUBATOR_TOKEN; without one it is the console.
    """


REQUEST_COLUMNS = ("id", "kind", "subject", "state", "asked_by", "decided_by", "reason")
_TOKEN = click.option("--token", envvar="QUBATOR_TOKEN", help="Whose act it is.")
_REASON = click.option("--reason", required=True, help="Recorded in the ledger.")


def _actor(room: Room, token: str | None) -> Caller:
    if not token:
        return CONSOLE
    found = room.authenticate(token)
    return granted(found) if isinstance(found, Refusal) else found


def _ask(
    kind: Any, subject: str, body: dict[str, Any], reason: str, token: str | None, options: dict[str, Any]
) -> None:
    output = options.pop("output")
    with room_of(options) as room:
        row = granted(room.ask(_actor(room, token), kind, subject, body, reason))
    show([asdict(row)], REQUEST_COLUMNS, output)


@request.command("increase")
@click.argument("grant_id")
@click.option("--amount", type=Money(), required=True)
@_REASON
@_TOKEN
@data_options
@output_options
def request_increase(grant_id: str, amount: int, reason: str, token: str | None, **options: Any) -> None:
    """More for a grant, out of its programme."""
    _ask("increase", grant_id, {"amount": amount}, reason, token, options)


@request.command("claw-back")
@click.argument("grant_id")
@click.option("--amount", type=Money(), required=True)
@_REASON
@_TOKEN
@data_options
@output_options
def request_claw_back(grant_id: str, amount: int, reason: str, token: str | None, **options: Any) -> None:
    """Take back what a grant has available."""
    _ask("claw_back", grant_id, {"amount": amount}, reason, token, options)


@request.command("transfer")
@click.argument("grant_id")
@click.argument("to_grant_id")
@click.option("--amount", type=Money(), required=True)
@_REASON
@_TOKEN
@data_options
@output_options
def request_transfer(
    grant_id: str, to_grant_id: str, amount: int, reason: str, token: str | None, **options: Any
) -> None:
    """From one grant of a programme to another."""
    _ask("transfer", grant_id, {"amount": amount, "to_grant_id": to_grant_id}, reason, token, options)


@request.command("correct")
@click.argument("job_id")
@click.option("--qpu-ms", type=click.IntRange(0), required=True, help="What the job really used.")
@click.option("--shots", type=click.IntRange(0), required=True)
@click.option("--cpu-ms", type=click.IntRange(0), default=0)
@click.option("--storage-mib-h", type=click.IntRange(0), default=0)
@_REASON
@_TOKEN
@data_options
@output_options
def request_correct(
    job_id: str,
    qpu_ms: int,
    shots: int,
    cpu_ms: int,
    storage_mib_h: int,
    reason: str,
    token: str | None,
    **options: Any,
) -> None:
    """Charge a settled job less: every payer gets back what it paid too much."""
    usage = {"qpu_ms": qpu_ms, "shots": shots, "cpu_ms": cpu_ms, "storage_mib_h": storage_mib_h}
    _ask("correct", job_id, {"usage": usage}, reason, token, options)


@request.command("list")
@click.option("--state", type=click.Choice(["open", "approved", "refused"]))
@data_options
@output_options
def request_list(state: Any, output: str, **options: Any) -> None:
    """List requests."""
    with room_of(options) as room:
        rows = [asdict(row) for row in granted(room.list_requests(CONSOLE, state))]
    if rows or output != "table":
        show(rows, REQUEST_COLUMNS, output)
    else:
        click.echo("no requests")


@request.command("approve")
@click.argument("request_id")
@_TOKEN
@data_options
def request_approve(request_id: str, token: str | None, **options: Any) -> None:
    """Approve and post a request of another operator."""
    with room_of(options) as room:
        granted(room.decide_request(_actor(room, token), request_id, approve=True))
    click.echo(f"{request_id} is approved and posted")


@request.command("refuse")
@click.argument("request_id")
@_TOKEN
@data_options
def request_refuse(request_id: str, token: str | None, **options: Any) -> None:
    """Refuse a request, or take one's own back."""
    with room_of(options) as room:
        granted(room.decide_request(_actor(room, token), request_id, approve=False))
    click.echo(f"{request_id} is refused")


COMMANDS = (wallet, budget, rate, request)
