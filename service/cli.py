"""`qubatord`: run the service or a part of it, and do at the machine what an operator does."""

from __future__ import annotations

import click

from service.commands import admin, audit, closes, engines, money, report, requests, run, simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="qubator-service", prog_name="qubatord")
def cli() -> None:
    """Qubator's service. `qubatord up` runs everything on this machine.

    Settings come from QUBATOR_… environment variables or from options. The data folder (QUBATOR_DATA) is
    ./qubator-data unless set.
    """


for command in (
    *run.COMMANDS,
    *admin.COMMANDS,
    *engines.COMMANDS,
    *money.COMMANDS,
    requests.request,
    *closes.COMMANDS,
    *report.COMMANDS,
    audit.audit,
    simulate.simulate,
):
    cli.add_command(command)
