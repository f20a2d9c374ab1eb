"""`qubatord project | token | funder | programme | grant | backend`: an operator's acts, at the machine itself.

They go through the same functions as the API and into the same audit log, as the actor "console".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatcher.model import GrantTerms, Refusal
from dispatcher.room import Room
from ledger.model import MICRO, MOST_MICRO, NATIVE, RESOURCES, in_words
from service.commands.run import data_options, existing, settings_of
from service.embedded import CONSOLE

DAY_US = 86_400_000_000

T = TypeVar("T")
Command = Callable[..., None]


def granted(answer: T | Refusal) -> T:
    """The answer, or a clean end of the command with the refusal's words."""
    if isinstance(answer, Refusal):
        raise click.ClickException(f"{answer.detail} [{answer.code}]")
    return answer


class Money(click.ParamType[int]):
    """An amount of the facility's money with at most six decimals, as micro-units; in native units a whole number.

    `least` micro-units of money are asked for at least.
    """

    name = "amount"

    def __init__(self, least: int = 1) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`12.5` → 12_500_000; beside `--asset qpu_ms` the number as it is."""
        if isinstance(value, int):
            return value
        if ctx is not None and ctx.params.get("asset") in NATIVE:
            return self._native(str(value).strip(), param, ctx)
        try:
            micro = Decimal(str(value)) * MICRO
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount", param, ctx)
        if not micro.is_finite() or micro != micro.to_integral_value() or micro < self._least:
            least = Decimal(self._least) / MICRO
            self.fail(f"{value!r}: at least {least:f}, with at most six decimals", param, ctx)
        if micro > MOST_MICRO:
            self.fail(f"{value!r}: at most {Decimal(MOST_MICRO) / MICRO}", param, ctx)
        return int(micro)

    def _native(self, text: str, param: click.Parameter | None, ctx: click.Context) -> int:
        digits = text.lstrip("0") if text.isascii() and text.isdecimal() else ""
        if not digits:
            self.fail(f"{text!r}: in {ctx.params['asset']} a whole number of at least 1", param, ctx)
        if len(digits) > len(str(MOST_MICRO)) or int(digits) > MOST_MICRO:
            self.fail(f"{text!r}: at most {MOST_MICRO}", param, ctx)
        return int(digits)


def asset_option(command: Command) -> Command:
    """What is pledged or granted; read before the amount, whose meaning depends on it."""
    return click.option(
        "--asset",
        type=click.Choice(sorted(NATIVE)),
        is_eager=True,
        help="A native unit instead of the facility's money.",
    )(command)


@contextmanager
def room_of(options: dict[str, Any]) -> Iterator[Room]:
    """The room over the database, without any process of the service."""
    service = existing(settings_of(options))
    try:
        yield service.room
    finally:
        service.stop()


GRANT_FIELDS = frozenset(GrantTerms.__dataclass_fields__)
MONEY_COLUMNS = frozenset({"amount", "granted", "settled", "held", "available", "expired"})


def show(rows: list[dict[str, Any]], columns: tuple[str, ...], output: str) -> None:
    """Rows as text of at most 80 columns, as JSON, or as bare ids for shell variables."""
    match output:
        case "json":
            click.echo(json.dumps(rows, indent=2, default=str))
        case "ids":
            for row in rows:
                click.echo(row["id"])
        case _:
            _print([[_cell(row, column) for column in columns] for row in rows], columns)


def _print(cells: list[list[str]], columns: tuple[str, ...]) -> None:
    """One row, and rows too wide for a table, as a line a field: ids that are folded cannot be copied."""
    console = Console()
    titles = [_heading(column) for column in columns]
    widths = [max(map(cell_len, stack)) for stack in zip(titles, *cells, strict=True)]
    if len(cells) == 1 or sum(widths) + 2 * (len(widths) - 1) > console.width:
        label = max(map(len, titles))
        blocks = ["\n".join(f"{t:{label}}  {c}".rstrip() for t, c in zip(titles, row, strict=True)) for row in cells]
        click.echo("\n\n".join(blocks))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title)
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def _heading(column: str) -> str:
    return column.removesuffix("_us").replace("_", " ")


def _cell(row: dict[str, Any], column: str) -> str:
    value = row[column]
    if value is None:
        return "-"
    if column in MONEY_COLUMNS and "asset" in row:
        return in_words(value, row["asset"])
    if column.endswith("_us"):
        return datetime.fromtimestamp(value / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return str(value) or "-"


def output_options(command: Command) -> Command:
    """How the answer is printed; the command receives `output`: table, json or ids."""
    for option in (
        click.option("-q", "--quiet", "output", flag_value="ids", help="Print only the id."),
        click.option("--json", "output", flag_value="json", help="Print JSON."),
        click.option("--table", "output", flag_value="table", default="table", hidden=True),
    ):
        command = option(command)
    return command


@click.group()
def project() -> None:
    """Projects: the startups."""


@project.command("create")
@click.argument("name")
@click.option("--weight", type=int, default=100, show_default=True, help="Share beside other projects.")
@data_options
@output_options
def project_create(name: str, weight: int, output: str, **options: Any) -> None:
    """Make a project."""
    with room_of(options) as room:
        row = granted(room.create_project(CONSOLE, name, weight))
    show([asdict(row)], ("id", "name", "weight"), output)


@project.command("list")
@data_options
@output_options
def project_list(output: str, **options: Any) -> None:
    """List projects."""
    with room_of(options) as room:
        rows = room.list_projects(CONSOLE)
    show([asdict(row) for row in rows], ("id", "name", "weight"), output)


@click.group()
def token() -> None:
    """Tokens: who may call."""


@token.command("create")
@click.option("--project", "project_id", help="Project of the token; none for operators and auditors.")
@click.option("--name", required=True, help="Whose token it is: a new member of this name is made.")
@click.option("--role", type=click.Choice(["member", "admin", "operator", "auditor"]), default="member")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Until it expires.")
@data_options
@output_options
def token_create(project_id: str | None, name: str, role: Any, days: int, output: str, **options: Any) -> None:
    """Make a member with a token. The secret is shown this once; -q prints nothing else."""
    with room_of(options) as room:
        member = granted(room.create_member(CONSOLE, project_id, name, role))
        expires_us = room.now_us() + days * DAY_US
        row, secret = granted(room.create_token(CONSOLE, project_id, member.id, role, name, expires_us))
    match output:
        case "json":
            click.echo(json.dumps({**asdict(row), "secret": secret}, indent=2))
        case "ids":
            click.echo(secret)
        case _:
            show([asdict(row)], ("id", "member_id", "role", "label"), output)
            click.echo(f"secret (shown this once): {secret}")


@token.command("list")
@click.option("--project", "project_id", help="Project; without it the facility's own tokens.")
@data_options
@output_options
def token_list(project_id: str | None, output: str, **options: Any) -> None:
    """List tokens, without secrets."""
    with room_of(options) as room:
        rows = granted(room.list_tokens(CONSOLE, project_id))
    columns = ("id", "role", "label", "expires_us", "revoked_us")
    show([asdict(row) for row in rows], columns, output)


@token.command("revoke")
@click.argument("token_id")
@data_options
def token_revoke(token_id: str, **options: Any) -> None:
    """End a token now."""
    with room_of(options) as room:
        granted(room.revoke_token(CONSOLE, token_id))
    click.echo(f"{token_id} is revoked")


@click.group()
def funder() -> None:
    """Funders: who pays."""


@funder.command("create")
@click.argument("name")
@data_options
@output_options
def funder_create(name: str, output: str, **options: Any) -> None:
    """Make a funder."""
    with room_of(options) as room:
        row = granted(room.create_funder(CONSOLE, name))
    show([asdict(row)], ("id", "name"), output)


@funder.command("list")
@data_options
@output_options
def funder_list(output: str, **options: Any) -> None:
    """List funders."""
    with room_of(options) as room:
        rows = granted(room.list_funders(CONSOLE))
    show([asdict(row) for row in rows], ("id", "name"), output)


@click.group()
def programme() -> None:
    """Programmes: budgets of funders."""


@programme.command("create")
@click.argument("name")
@click.option("--funder", "funder_ids", required=True, multiple=True, help="ID, or ID=WEIGHT of one of several.")
@click.option("--budget", type=Money(), required=True, help="In the facility's money, or in whole units of the asset.")
@asset_option
@data_options
@output_options
def programme_create(
    name: str, funder_ids: tuple[str, ...], budget: int, asset: str | None, output: str, **options: Any
) -> None:
    """Make a programme with its budget."""
    funders = [_share(one) for one in funder_ids]
    with room_of(options) as room:
        row = granted(room.create_programme(CONSOLE, name, funders, asset or room.currency, budget))
    show([asdict(row)], ("id", "funder_id", "name", "asset"), output)


def _share(text: str) -> tuple[str, int]:
    """`fun_1=3` → a funder and its weight; 1 where none is named."""
    funder_id, _, weight = text.partition("=")
    if weight and not (weight.isdecimal() and int(weight) > 0):
        raise click.BadParameter(f"{text!r}: a weight is a whole number of at least 1", param_hint="--funder")
    return funder_id, int(weight or 1)


@programme.command("list")
@data_options
@output_options
def programme_list(output: str, **options: Any) -> None:
    """List programmes and what of their budgets is not yet granted."""
    with room_of(options) as room:
        rows = granted(room.list_programmes(CONSOLE))
    shown = [{**asdict(row), "available": available} for row, available in rows]
    show(shown, ("id", "name", "available"), output)


@click.group()
def grant() -> None:
    """Grants: what a project may use."""


@grant.command("issue")
@click.option("--project", "project_id", required=True)
@click.option("--programme", "programme_id", required=True)
@click.option("--amount", type=Money(), required=True, help="In the facility's money, or in whole units of the asset.")
@asset_option
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Valid from now.")
@click.option("--priority", type=int, default=0, show_default=True, help="Lower is used first.")
@click.option("--resource", "resources", multiple=True, type=click.Choice(RESOURCES), help="Pays for these only.")
@click.option("--backend", "backends", multiple=True, help="Pays for these only.")
@click.option("--member", "members", multiple=True, metavar="ID", help="Pays for these members' jobs only.")
@data_options
@output_options
def grant_issue(days: int, output: str, **given: Any) -> None:
    """Give a project a grant out of a programme."""
    options = {name: given.pop(name) for name in list(given) if name not in GRANT_FIELDS}
    with room_of(options) as room:
        now = room.now_us()
        given["asset"] = given["asset"] or room.currency
        wanted = GrantTerms(**given, valid_from_us=now, valid_until_us=now + days * DAY_US)
        row = granted(room.issue_grant(CONSOLE, wanted))
    show([asdict(row)], ("id", "project_id", "programme_id", "amount", "valid_until_us"), output)


@grant.command("list")
@click.option("--project", "project_id", required=True)
@data_options
@output_options
def grant_list(project_id: str, output: str, **options: Any) -> None:
    """Where each grant of a project stands."""
    with room_of(options) as room:
        balance = granted(room.balance(CONSOLE, project_id))
    columns = ("id", "granted", "settled", "held", "available")
    show(balance["grants"], columns, output)


@click.group()
def backend() -> None:
    """Backends: what runs circuits."""


@backend.command("list")
@data_options
@output_options
def backend_list(output: str, **options: Any) -> None:
    """List backends."""
    with room_of(options) as room:
        rows = room.backends()
    show([{**row, "id": row["name"]} for row in rows], ("name", "state", "state_reason", "queued", "slots"), output)


@backend.command("set")
@click.argument("name")
@click.argument("state", type=click.Choice(["online", "draining", "offline"]))
@click.option("--reason", default="", help="Shown to everybody who waits.")
@data_options
def backend_set(name: str, state: Any, reason: str, **options: Any) -> None:
    """Open, drain or stop a backend."""
    with room_of(options) as room:
        if granted(room.set_backend_state(CONSOLE, name, state, reason)) is None:
            raise click.ClickException(f"there is no backend {name}")
    click.echo(f"{name} is {state}")


COMMANDS = (project, token, funder, programme, grant, backend)
