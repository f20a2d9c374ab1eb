"""The command that follows a project: its jobs as they change, and warnings that its grants run out."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import click

from qubator.cli_frame import Frame, framed
from qubator.cli_text import clean, moment


@click.command()
@click.option(
    "--after", type=click.IntRange(min=0), metavar="NUMBER", help="Begin after this event; 0: with the first."
)
@framed
def events(frame: Frame, after: int | None) -> None:
    """Follow the project until Ctrl-C: changes of its jobs, warnings that its grants run out.

    With --json each event is one line of JSON; its number, `seq`, is what --after takes.
    """
    for event in frame.client().events(after):
        click.echo(json.dumps(event, ensure_ascii=False) if frame.as_json else _in_words(event, frame.width))


def _in_words(event: dict[str, Any], width: int) -> str:
    head = f"{moment(event.get('at_us'))}  "
    if event["event"] == "job":
        reason = f" ({event['reason']})" if event.get("reason") else ""
        said = f"{event['id']} {event['state']}{reason}"
    else:
        said = str(event.get("detail") or event["event"])
    indent = " " * len(head)
    return textwrap.fill(clean(said), width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
