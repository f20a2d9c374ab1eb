"""Commands about proof: the ledger's keys, and checking a receipt without the service."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import click

from qubator import cli_jobs
from qubator.cli_frame import JOB_FAILED, OK, Frame, framed
from qubator.receipt_proof import NotProven, verify_receipt


class _Receipts(click.Group):
    """`receipt ID` shows a receipt, as it always has; `receipt verify FILE` is a command of its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        leading = list(itertools.takewhile(lambda word: word in ("--json", "--explain"), args))
        args = [*args[len(leading) :], *leading]
        return super().parse_args(ctx, args)


@click.group(cls=_Receipts)
def receipt() -> None:
    """Show what a job cost (receipt ID), or check a kept receipt (verify)."""


receipt.add_command(cli_jobs.receipt, "show")


@receipt.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The ledger's public keys, kept from `qubator ledger key`. Without it the service is asked.",
)
@framed
def verify(frame: Frame, file: Path, key_file: Path | None) -> int:
    """Check a receipt: its hashes, its place in the ledger, the signatures, and that its figures are the postings'.

    Needs nothing but FILE (from `qubator receipt ID --json`) and the public keys. Exit code 1 when anything is off.
    """
    keys = frame.client().ledger_key() if key_file is None else key_file.read_text(encoding="utf-8")
    try:
        checked = verify_receipt(json.loads(file.read_bytes()), keys)
    except (NotProven, ValueError, AttributeError) as wrong:
        reason = wrong.detail if isinstance(wrong, NotProven) else f"{file} is no receipt: {wrong}"
        frame.show({"proven": False, "reason": reason}, list)
        click.echo(f"NOT PROVEN: {reason}", err=True)
        return JOB_FAILED
    lines = [*(f"checked: {line}" for line in checked), "the receipt is what the ledger says"]
    frame.show({"proven": True, "checked": checked}, lambda: lines)
    return OK


@click.group()
def ledger() -> None:
    """The ledger's public keys."""


@ledger.command()
@framed
def key(frame: Frame) -> None:
    """Print the public keys that sign the ledger. Keep them: `qubator ledger key > ledger.pub`."""
    text = frame.client().ledger_key()
    frame.show({"text": text}, text.splitlines)
