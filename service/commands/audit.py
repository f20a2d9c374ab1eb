"""`qubatord audit`: do the books balance, and does every job have the settlement it should have?"""

from __future__ import annotations

import json
from typing import Any

import click

from dispatcher.auditor import audit_store
from service.commands.run import data_options, existing, settings_of


@click.command()
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def audit(as_json: bool, **options: Any) -> None:
    """Check every invariant of the books and the jobs. Exit code 1 when one is broken.

    Reads one snapshot, so it may run beside the service.
    """
    service = existing(settings_of(options))
    try:
        report = audit_store(service.database)
    finally:
        service.stop()
    if as_json:
        click.echo(json.dumps({"counts": report.counts, "violations": report.violations}, indent=2))
    else:
        counted = ", ".join(f"{count} {what}" for what, count in report.counts.items())
        click.echo(f"checked {counted}")
        for violation in report.violations:
            click.echo(f"VIOLATION {violation}")
        click.echo("the books balance" if not report.violations else f"{len(report.violations)} violations")
    if report.violations:
        raise SystemExit(1)
