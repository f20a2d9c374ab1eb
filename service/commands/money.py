"""`qubatord wallet | budget | rate`, `programme apply`, `project describe`: what subsidies and prices are made of."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any

import click

from api.schemas.programme_file import WrongProgramme
from dispatcher.room import Room
from dispatcher.tariffs import NewRate
from ledger.model import MICRO, RESOURCES, in_words
from ledger.price import UNITS
from ledger.rates import RateLine
from service.commands.admin import Money, granted, output_options, programme, project, room_of, show
from service.commands.run import data_options
from service.embedded import CONSOLE
from service.programme_files import plans_in, shipped
from store.rows import ProjectRow

WIDTH = 80
PROFILE = ("stage", "founded", "traits", "related")


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
            click.echo(textwrap.fill(change, WIDTH, initial_indent="  ", subsequent_indent="      "))
        warn(applied.warnings)
    if dry_run:
        click.echo("nothing was changed: this was a dry run")


@programme.command("examples")
def programme_examples() -> None:
    """Names of the worked programmes."""
    for name in shipped():
        click.echo(name)


@project.command("describe")
@click.argument("project_id")
@click.option("--stage", help="Stage of the startup, as programmes name them.")
@click.option("--founded", type=click.DateTime(["%Y-%m-%d"]), help="Day of its foundation.")
@click.option("--trait", "traits", multiple=True, help="What programmes may ask for; may be repeated.")
@click.option("--related", multiple=True, help="Backend or funder that is a related party; may be repeated.")
@click.option("--clear", multiple=True, type=click.Choice(PROFILE), help="Forget what was said of it.")
@data_options
@output_options
def project_describe(
    project_id: str,
    stage: str | None,
    founded: datetime | None,
    traits: tuple[str, ...],
    related: tuple[str, ...],
    clear: tuple[str, ...],
    output: str,
    **options: Any,
) -> None:
    """Write down what the terms of programmes ask about a startup.

    What is not named stays as it is.
    """
    with room_of(options) as room:
        row = room.get_project(CONSOLE, project_id) or ProjectRow("", "", 1, 0)
        row = granted(
            room.describe_project(
                CONSOLE,
                project_id,
                "" if "stage" in clear else row.stage if stage is None else stage,
                None if "founded" in clear else row.founded_us if founded is None else _instant(founded, room),
                () if "traits" in clear else traits or row.traits,
                () if "related" in clear else related or row.related,
            )
        )
        unasked, zone = room.unasked(CONSOLE, project_id), room.zone
    warn(unasked)
    shown = {**asdict(row), "founded": None if row.founded_us is None else _day(row.founded_us, zone)}
    show([shown], ("id", "name", "stage", "founded", "traits", "related"), output)


def warn(sentences: Sequence[str]) -> None:
    """Tell, beside the answer, what may be a slip."""
    for sentence in sentences:
        click.echo(textwrap.fill(f"warning: {sentence}", WIDTH, subsequent_indent="  "), err=True)


def _day(at_us: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at_us // MICRO, zone).strftime("%Y-%m-%d")


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
    if booked["again"] and output == "table":
        click.echo("it had been booked before; nothing was booked again")
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
@click.option("--limit", type=Money(least=0), required=True, help="For a calendar year; 0 lets nothing through.")
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


RATE_COLUMNS = ("id", "resource", "price", "backend", "hours", "from", "until")


def _rate(line: RateLine, room: Room) -> dict[str, Any]:
    """A line as a row: JSON has the figures, a table the words."""
    per = "" if line.quantum == 1 else f"{line.quantum} "
    price = f"{in_words(line.unit_price, room.currency)} per {per}{UNITS[line.resource]}"
    hours = "{}-{}".format(*line.hours)
    ends = {"from": line.valid_from_us or None, "until": line.valid_until_us}
    told = {name: None if at is None else _moment(at, room.zone) for name, at in ends.items()}
    return {**asdict(line), "price": price, "hours": hours, **told}


def _moment(at_us: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at_us // MICRO, zone).strftime("%Y-%m-%d %H:%M")


@rate.command("list")
@data_options
@output_options
def rate_list(output: str, **options: Any) -> None:
    """The whole rate card, with what is over and what is to come; hours and days are the facility's."""
    with room_of(options) as room:
        rows = [_rate(line, room) for line in room.rates()]
    show(rows, RATE_COLUMNS, output)


@rate.command("add")
@click.option("--resource", type=click.Choice(RESOURCES), required=True)
@click.option("--price", type=Money(least=0), required=True, help="Of each started quantum, as 0.0005.")
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
        row = _rate(granted(room.add_rates(CONSOLE, [wanted]))[0], room)
    show([row], RATE_COLUMNS, output)


COMMANDS = (wallet, budget, rate)
