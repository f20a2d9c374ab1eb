"""`qubatord ledger verify | checkpoint | key | new-key`: prove at the machine itself that the past was not changed."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dispatcher.closed_months import changed_closes
from dispatcher.keys import CannotSign, public_text
from dispatcher.verifier import Verdict, verify_ledger
from ledger.notes import BadNote
from ledger.verification import Violation
from service.commands.run import data_options, existing, settings_of
from service.embedded import CONSOLE
from store import closes
from store.database import Database
from store.errors import StoreError

REASON_LENGTH_MAX = 500


@click.group()
def ledger() -> None:
    """The books as a whole: verify and sign them, close months."""


@ledger.command()
@data_options
@click.option(
    "--key",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Public keys you have kept, instead of those in the data folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(key_file: Path | None, as_json: bool, **options: Any) -> None:
    """Check chain, tree, checkpoints, balances, invariants and closed months. Exit code 1 when one is broken.

    Reads snapshots, so it may run beside the service. Whoever does not trust this machine brings --key.
    """
    settings = settings_of(options)
    service = existing(settings)
    begun = time.monotonic()
    try:
        given = None if key_file is None else key_file.read_text(encoding="utf-8")
        verdict = verify_ledger(service.database, settings.url, settings.data.resolve(), given)
        verdict = _with_closes(verdict, service.database)
    except (BadNote, UnicodeDecodeError) as wrong:
        raise click.ClickException(f"{key_file} holds no public keys of a ledger: {wrong}") from wrong
    except OSError as wrong:
        said = f"{wrong.filename} cannot be read ({wrong.strerror}): without its checkpoints nothing is proven"
        raise click.ClickException(said) from wrong
    finally:
        service.stop()
    seconds = time.monotonic() - begun
    click.echo(json.dumps(_as_json(verdict, seconds), indent=2) if as_json else in_words(verdict, seconds))
    if verdict.violations:
        raise SystemExit(1)


@ledger.command()
@data_options
def checkpoint(**options: Any) -> None:
    """Sign a checkpoint over all entries now, and print it."""
    service = existing(settings_of(options))
    try:
        assert service.ground.notary is not None
        row = service.ground.notary.sign()
    except (CannotSign, StoreError) as refused:
        raise click.ClickException(str(refused)) from refused
    finally:
        service.stop()
    if row is None:
        raise click.ClickException("the ledger is empty: there is nothing to sign")
    click.echo(row.note, nl=False)


@ledger.command()
@data_options
def key(**options: Any) -> None:
    """Print the public keys that sign this ledger: what an auditor keeps."""
    service = existing(settings_of(options))
    try:
        assert service.ground.notary is not None
        found = service.ground.notary.public_keys()
    except (CannotSign, BadNote) as refused:
        raise click.ClickException(str(refused)) from refused
    finally:
        service.stop()
    if not found:
        raise click.ClickException("no key has been made yet: `qubatord ledger checkpoint` signs the first checkpoint")
    click.echo(public_text(found), nl=False)


@ledger.command("new-key")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why; it is signed with the change and shown to auditors."
)
@click.option("--lost", is_flag=True, help="The present keys are lost for good: announce new ones without them.")
@data_options
def new_key(reason: str, lost: bool, **options: Any) -> None:
    """Have new keys sign from now on; the present ones hand over. Stop the dispatcher first.

    What was signed so far stays verifiable: the public keys of all times stay in the list, with the number of entries
    up to which each one signed.
    """
    wanted = " ".join(reason.split())
    if not 1 <= len(wanted) <= REASON_LENGTH_MAX:
        raise click.ClickException(f"--reason has {len(wanted)} characters; 1 to {REASON_LENGTH_MAX} are allowed")
    service = existing(settings_of(options))
    try:
        leadership = service.database.lead()
        if leadership is None:
            raise click.ClickException("a dispatcher is running and signs with the present keys: stop it, then repeat")
        with leadership:
            assert service.ground.notary is not None
            handover = service.ground.notary.change_keys(wanted, lost=lost, actor=CONSOLE.member_id)
            public = service.ground.notary.public_keys()
    except (CannotSign, StoreError) as refused:
        raise click.ClickException(str(refused)) from refused
    finally:
        service.stop()
    name, before = handover.keys[0].name, [key.name for key in public if key.retired_at is not None][-1]
    done = f"announced, {before} being lost" if lost else f"handed over to by {before}"
    click.echo(f"{name} signs from now on, {done} after {handover.size} entries", err=True)
    click.echo("tell auditors: their list of public keys is now the following", err=True)
    click.echo(public_text(public), nl=False)


def _with_closes(verdict: Verdict, database: Database) -> Verdict:
    """The verdict, with that on the closed months added to it."""
    try:
        with database.read() as conn:
            count, changed = len(closes.list_closes(conn)), changed_closes(conn)
    except Exception as broken:  # rows that somebody has changed may raise anything
        said = f"the closed months cannot be worked out, for a row cannot be read: {broken}"
        return replace(verdict, violations=[*verdict.violations, Violation(said)])
    found = [
        Violation(f"the totals of the closed month {month} do not follow from the entries that it covers")
        for month in changed
    ]
    return replace(verdict, counts={**verdict.counts, "closed months": count}, violations=[*verdict.violations, *found])


def in_words(verdict: Verdict, seconds: float) -> str:
    """What was checked, what is wrong, and how long it took."""
    counts = verdict.counts
    lines = [
        f"{counts['entries']:,} entries: each has the hash of its columns and of the entry before, none is missing",
        f"{counts['tree nodes']:,} stored nodes of the tree compared with the entries",
        f"{counts['checkpoints']:,} checkpoints and {counts['checkpoint files']:,} files of them: signatures and roots",
    ]
    if "accounts" in counts:
        lines.append(
            f"{counts['accounts']:,} balances against the sum of all entries; every invariant of "
            f"{counts['holds']:,} holds and {counts['grants']:,} grants"
        )
    if "closed months" in counts:
        lines.append(f"{counts['closed months']:,} closed months: their totals against the entries that they cover")
    lines = [f"checked {line}" for line in lines]
    lines += [f"note: {remark}" for remark in verdict.remarks]
    lines += [f"VIOLATION {violation}" for violation in verdict.violations]
    found = len(verdict.violations)
    lines.append(f"{found} violations" if found else "the ledger is whole: nothing in it has been changed")
    return "\n".join([*lines, f"took {seconds:.1f} s"])


def _as_json(verdict: Verdict, seconds: float) -> dict[str, Any]:
    violations = [
        {"text": one.text, "entry_id": one.entry_id, "seq": one.seq, "says": str(one)} for one in verdict.violations
    ]
    return {
        "counts": verdict.counts,
        "violations": violations,
        "remarks": verdict.remarks,
        "seconds": round(seconds, 2),
    }
