"""`qubatord engine`: who runs the parts of circuits on the backend `ideal`, and who is trusted to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from service.commands.admin import granted, output_options, room_of, show
from service.commands.run import data_options
from service.embedded import CONSOLE


@click.group()
def engine() -> None:
    """Engines: who runs the parts of circuits on the backend ideal."""


@engine.command("list")
@data_options
@output_options
def engine_list(output: str, **options: Any) -> None:
    """List engines with their version and how often shadow runs compared and contradicted them."""
    with room_of(options) as room:
        rows = room.engines()
    columns = ("name", "version", "state", "reason", "compared", "disagreed")
    show([{**row, "id": row["name"], "version": row["version"] or "absent"} for row in rows], columns, output)


@engine.command("set")
@click.argument("name")
@click.argument("state", type=click.Choice(["trusted", "quarantined"]))
@click.option("--reason", default="", help="Shown with the engine.")
@data_options
def engine_set(name: str, state: str, reason: str, **options: Any) -> None:
    """Put an engine under quarantine, or trust it again."""
    with room_of(options) as room:
        if granted(room.set_engine_state(CONSOLE, name, state, reason)) is None:
            raise click.ClickException(f"there is no engine {name}")
    click.echo(f"{name} is {state}")


@engine.command("disagreements")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@data_options
@output_options
def engine_disagreements(limit: int, output: str, **options: Any) -> None:
    """List answers that another engine contradicted twice, the newest first."""
    with room_of(options) as room:
        rows = granted(room.disagreements(CONSOLE, limit, None))
    if output == "json" or rows:
        columns = ("seq", "at_us", "job_id", "engine", "other", "alarm", "guilty")
        shown = []
        for row in rows:
            finding = {**row.finding, "guilty": ", ".join(row.finding["guilty"]) or "unknown"}
            shown.append({**asdict(row), **finding, "id": row.seq})
        show(shown, columns, output)
    else:
        click.echo("no engine was contradicted")


COMMANDS = (engine,)
