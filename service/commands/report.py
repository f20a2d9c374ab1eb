"""`qubatord report statement | funder | focus`: the books by month, for people and for spreadsheets."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dispatcher.tables import funder_csv, statement_csv
from ledger.model import in_words
from service.commands.admin import granted, room_of, show
from service.commands.run import data_options
from service.embedded import CONSOLE

Command = Callable[..., None]
Document = Mapping[str, Any]


def form_options(command: Command) -> Command:
    """How the report is written; the command receives `form`: table, json or csv."""
    for option in (
        click.option("--csv", "form", flag_value="csv", help="Print CSV."),
        click.option("--json", "form", flag_value="json", help="Print JSON."),
        click.option("--table", "form", flag_value="table", default="table", hidden=True),
    ):
        command = option(command)
    return command


@click.group()
def report() -> None:
    """Reports: what was granted, used, corrected and expired, by month."""


@report.command("statement")
@click.argument("project_id")
@click.argument("month")
@data_options
@form_options
def report_statement(project_id: str, month: str, form: str, **options: Any) -> None:
    """A project's MONTH (2026-11), payer by payer."""
    with room_of(options) as room:
        found = granted(room.month_statement(CONSOLE, project_id, month))
    _write(found, form, statement_csv, _statement)


@report.command("funder")
@click.argument("funder_id")
@click.option("--from", "first", required=True, metavar="MONTH", help="The first month: 2026-01.")
@click.option("--to", "last", required=True, metavar="MONTH", help="The last month: 2026-12.")
@data_options
@form_options
def report_funder(funder_id: str, first: str, last: str, form: str, **options: Any) -> None:
    """What a funder's programmes granted, and what became of it."""
    with room_of(options) as room:
        found = granted(room.funder_report(CONSOLE, funder_id, first, last))
    _write(found, form, funder_csv, _funder)


@report.command("focus")
@click.argument("project_id")
@click.argument("month")
@click.option("--version", type=click.Choice(["1.2", "1.3"]), default="1.3", show_default=True, help="Of FOCUS.")
@click.option("--metadata", is_flag=True, help="Print the metadata that belongs to the rows, as JSON.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not to standard output.")
@data_options
def report_focus(
    project_id: str, month: str, version: str, metadata: bool, output: Path | None, **options: Any
) -> None:
    """A project's MONTH as FOCUS, the open specification of cost and usage, in CSV."""
    with room_of(options) as room:
        if metadata:
            text = json.dumps(granted(room.focus_metadata(CONSOLE, project_id, month, version)), indent=2) + "\n"
            if output is None:
                click.echo(text, nl=False)
            else:
                output.write_text(text, encoding="utf-8")
            return
        with granted(room.focus(CONSOLE, project_id, month, version)) as rows:
            if output is None:
                sys.stdout.flush()
                for piece in iter(lambda: rows.read(1 << 16), b""):
                    click.echo(piece, nl=False)
            else:
                with output.open("wb") as file:
                    shutil.copyfileobj(rows, file)


def _write(found: Document, form: str, as_csv: Callable[[Document], str], as_table: Callable[[Document], None]) -> None:
    match form:
        case "json":
            click.echo(json.dumps(found, indent=2))
        case "csv":
            click.echo(as_csv(found), nl=False)
        case _:
            state = "closed" if found["closed"] else "open"
            click.echo(f"{found['from_month']} to {found['to_month']} ({found['zone']}), {state}")
            as_table(found)


def _statement(found: Document) -> None:
    if not found["lines"]:
        click.echo("no grant and no wallet stood or moved")
        return
    columns = ("payer", "opening", "issued", "settled", "corrected", "expired", "closing")
    show(_in_words(found["lines"], columns), columns, "table")
    for each in found["corrections"]:
        when = "of an earlier month" if each["earlier_month"] else "of this month"
        click.echo(f"correction {each['entry_id']} of job {each['job_id']} {when}: {each['reason']}")


def _funder(found: Document) -> None:
    columns = ("programme_id", "budget", "granted", "held", "captured", "breakage", "remaining")
    show(_in_words(found["programmes"], columns), columns, "table")
    for each in found["expiring"]:
        amount = in_words(each["amount"], each["asset"])
        click.echo(f"expiring in {each['days']} days: {amount} of {len(each['grants'])} grants")


def _in_words(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """The columns with every amount in words."""
    return [
        {name: in_words(row[name], row["asset"]) if isinstance(row[name], int) else row[name] for name in columns}
        for row in rows
    ]


COMMANDS = (report,)
