"""`qubatord ledger close | closes`: months whose balances are final."""

from __future__ import annotations

import json
from typing import Any

import click

from service.commands.admin import granted, output_options, room_of, show
from service.commands.ledger import ledger
from service.commands.run import data_options
from service.embedded import CONSOLE

COLUMNS = ("month", "last_seq", "closed_us", "closed_by", "sha256")


@ledger.command("close")
@click.argument("month")
@data_options
@output_options
def ledger_close(month: str, output: str, **options: Any) -> None:
    """Close a month (2026-11) for ever: its balances are final."""
    with room_of(options) as room:
        close = granted(room.close_month(CONSOLE, month))
    if output == "json":
        click.echo(json.dumps(close, indent=2))
    else:
        show([{**close, "id": close["month"]}], COLUMNS, output)


@ledger.command("closes")
@click.option("--check", is_flag=True, help="Work the totals out again from the entries; exit code 1 if any differ.")
@data_options
@output_options
def ledger_closes(check: bool, output: str, **options: Any) -> None:
    """List the closed months with their totals' SHA-256."""
    with room_of(options) as room:
        found = granted(room.closes(CONSOLE))
        changed = room.changed_closes() if check else []
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    elif found:
        show([{**close, "id": close["month"]} for close in found], COLUMNS, output)
    for month in changed:
        click.echo(f"VIOLATION the totals of the closed month {month} do not follow from the entries", err=True)
    if changed:
        raise SystemExit(1)
    if check and output == "table":
        click.echo(f"{len(found)} closed months follow from the entries")


COMMANDS = (ledger,)
