"""Commands about who we are and what we may spend: login, quota, statement, version."""

from __future__ import annotations

import sys
from typing import Any

import click

from qubator.cli_frame import Frame, framed
from qubator.cli_money import grant_lines, quota_lines
from qubator.cli_text import moment, pairs, table
from qubator.client import Client
from qubator.errors import NotConfigured, QubatorError
from qubator.money import decimal
from qubator.profile import DEFAULT_PROFILE, check_token, check_url, save_profile
from qubator.quota import FIGURES, Quota

MONTH_FIGURES = (
    *("opening", "issued", "transferred_in", "transferred_out", "withdrawn", "settled", "corrected", "expired"),
    *("rolled_over", "closing"),
)


@click.command()
@click.argument("url", required=False)
@click.option("--url", "url_option", metavar="URL", help="The URL, as an option.")
@click.option("--profile", metavar="NAME", help="Name of the profile to write (default: default).")
@framed
def login(frame: Frame, url: str | None, url_option: str | None, profile: str | None) -> None:
    """Store the service's URL and your token in a profile, after checking them.

    The token is asked for at a terminal, and read from standard input otherwise (`qubator login URL < token.txt`).
    """
    interactive = sys.stdin.isatty()
    address = url or url_option or frame.url or (click.prompt("URL of the service", err=True) if interactive else "")
    if not address:
        raise click.UsageError("name the URL of the service: qubator login URL")
    check_url(address)
    typed = click.prompt("Token (not shown)", hide_input=True, err=True) if interactive else sys.stdin.readline()
    token = str(typed).strip()
    if not token:
        raise NotConfigured("there is no token on standard input", code="token_missing")
    check_token(token)
    me = Client(address, token).me()
    name = profile or frame.profile or DEFAULT_PROFILE
    path = save_profile(name, address, token)
    who = me.get("member_id") or (me.get("member") or {}).get("id") or "?"
    project = me.get("project_id") or "the whole facility"
    frame.show(
        {"profile": name, "path": str(path), "url": address.rstrip("/"), "me": me},
        lambda: [f"Signed in at {address} as {who} ({me.get('role')}) of {project}.", f"Profile {name!r} in {path}."],
    )


@click.command()
@click.option("--project", default="me", metavar="ID", help="For operators: whose quota.")
@framed
def quota(frame: Frame, project: str) -> None:
    """Show what is spent, in flight, committed and still available, per grant, and how long it will last."""
    found = frame.client().quota(project)
    frame.show(found.record, lambda: quota_lines(found, frame.width))


@click.command()
@click.argument("month", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Print the month's statement as CSV.")
@click.option("--project", default="me", metavar="ID", help="For operators: whose statement.")
@framed
def statement(frame: Frame, month: str | None, as_csv: bool, project: str) -> None:
    """Show the account statement: as of now, or of a MONTH (2026-11).

    Of now it tells grants, jobs, and what the facility absorbed; of a month what each grant began with, paid and ended
    with.
    """
    if as_csv:
        if month is None:
            raise click.UsageError("name the month: qubator statement 2026-11 --csv")
        click.echo(frame.client().statement_csv(month, project=project), nl=False)
        return
    record = frame.client().statement(month, project=project)
    if month is None:
        frame.show(record, lambda: _statement_lines(record, frame.width))
    else:
        frame.show(record, lambda: _month_lines(record, frame.width))


@click.command()
@framed
def version(frame: Frame) -> None:
    """Show the versions of this client and of the service."""
    from qubator import __version__

    client = frame.client(anonymous=True)
    try:
        service: dict[str, Any] = {"url": client.url, **client.service_version()}
    except QubatorError:
        frame.show({"client": __version__, "service": None}, lambda: [f"client {__version__}"])
        raise
    plain = {word: value for word, value in service.items() if isinstance(value, str | int)}
    lines = pairs({"client": __version__, **plain}, width=frame.width)
    frame.show({"client": __version__, "service": service}, lambda: lines)


def _month_lines(record: dict[str, Any], width: int) -> list[str]:
    state = "closed: it stays as it is" if record.get("closed") else "open: it may still change"
    lines = pairs({"project": record.get("project_id"), "month": f"{record.get('month')} ({state})"}, width=width)
    for line in record.get("lines", ()):
        shown = [word for word in MONTH_FIGURES if line[word] or word in ("opening", "closing")]
        rows = [(word.replace("_", " "), _amount(line[word], line["asset"])) for word in shown]
        lines += ["", *table((str(line["payer"]), str(line["asset"])), rows, width=width, right=(1,))]
    for each in record.get("corrections", ()):
        change = _amount(each["price"], record["asset"])
        lines += ["", f"corrected {each['job_id']} by {change} {record['asset']}: {each['reason']}"]
    return lines


def _amount(amount: int, asset: str) -> str:
    """Money in whole units, everything native as it is counted: assets of money are written in capitals."""
    return decimal(amount) if asset.isupper() else str(amount)


def _statement_lines(record: dict[str, Any], width: int) -> list[str]:
    found = Quota.from_json(record)
    jobs = ", ".join(f"{count} {state}" for state, count in (record.get("jobs") or {}).items() if count)
    lines = pairs(
        {"project": record.get("project_id"), "as of": moment(record.get("at_us")), "jobs": jobs or "none"}, width=width
    )
    rows = [(word, decimal(getattr(found, word).micro)) for word in FIGURES]
    absorbed = record.get("absorbed_by_facility")
    if isinstance(absorbed, int) and absorbed:
        rows.append(("absorbed by the facility", decimal(absorbed)))
    return [
        *lines,
        "",
        *table(("", found.granted.asset), rows, width=width, right=(1,)),
        *grant_lines(found.grants, width),
    ]
