"""Writes docs/reference.md from the code it describes. `make reference` runs it; a test says when it is out of date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from api.problems import PROBLEMS
from backends.catalogue import catalogue
from backends.limits import Limits
from dispatcher.rules import DEFAULT_RATES, Rules
from ledger.price import TITLES, UNITS
from scheduler.policy import Policy
from service.cli import cli
from service.settings import Settings

HEAD = """# Reference

Made from the code by `make reference`. The HTTP API describes itself at `/docs` and `/openapi.json`.

## States of a job

| state | meaning | next |
|---|---|---|
| queued | admitted, its ceiling held; waits for a place | running, cancelled, failed |
| running | an attempt executes | succeeded, failed, cancelling, queued (after a fault) |
| cancelling | a cancel was asked for and the attempt is being stopped | cancelled |
| succeeded | result stored, hold settled at the actual use | |
| failed | ended without a result; `problem` says why and whether it was charged | |
| cancelled | ended on request; what was used until then is charged | |
"""


BY_CORES = {"slots": "one fewer than the cores", "inspectors": "2, or 1 on one core"}


def settings_table() -> Iterator[str]:
    """Environment variables of the service."""
    yield "\n## Settings\n\n| variable | default | meaning |\n|---|---|---|\n"
    for name, field in Settings.model_fields.items():
        default = BY_CORES.get(name, field.default)
        yield f"| `QUBATOR_{name.upper()}` | {default} | {field.description or name.replace('_', ' ')} |\n"


def commands_table() -> Iterator[str]:
    """Commands of `qubatord`."""
    yield "\n## Commands of `qubatord`\n\n| command | what it does |\n|---|---|\n"
    for name, command in sorted(cli.commands.items()):
        if isinstance(command, click.Group):
            for sub, under in sorted(command.commands.items()):
                yield f"| `{name} {sub}` | {under.get_short_help_str(120)} |\n"
        else:
            yield f"| `{name}` | {command.get_short_help_str(120)} |\n"


def numbers_table() -> Iterator[str]:
    """Limits of payloads and numbers of the scheduler and of the price."""
    yield "\n## Limits of a payload\n\n| limit | value |\n|---|---|\n"
    for name, number in Limits().to_json().items():
        yield f"| {name} | {number:,} |\n" if isinstance(number, int) else f"| {name} | {number} |\n"
    yield "\n## The scheduler's numbers\n\n| name | value |\n|---|---|\n"
    policy = Policy()
    for one in fields(policy):
        yield f"| {one.name} | {getattr(policy, one.name):,} |\n"
    rules = Rules()
    yield "\n## Time limits of a job, in seconds\n\n| unless set | longest |\n|---|---|\n"
    shortest, longest = rules.time_limit_us // 10**6, rules.time_limit_max_us // 10**6
    yield f"| {shortest}, or four times the expected run time | {longest:,} |\n"
    yield "\n## The built-in rate card, in micro-yuan\n\n| resource | price | for each started |\n|---|---|---|\n"
    for rate in DEFAULT_RATES:
        yield f"| {TITLES[rate.resource]} | {rate.unit_price:,} | {rate.quantum:,} {UNITS[rate.resource]} |\n"


def backends_table() -> Iterator[str]:
    """The backends, in the order `auto` tries them."""
    yield "\n## Backends\n\n| name | qubits at most | what it is |\n|---|---|---|\n"
    for spec in catalogue():
        yield f"| `{spec.name}` | {spec.qubits_max} | {spec.description} |\n"


def problems_table() -> Iterator[str]:
    """The one table of problems."""
    yield "\n## Problems\n\n| code | status | meaning | what to do |\n|---|---|---|---|\n"
    for problem in PROBLEMS.values():
        yield f"| `{problem.code}` | {problem.status} | {problem.meaning} | {problem.next_step} |\n"


def reference() -> str:
    """The whole page."""
    parts = (settings_table(), commands_table(), backends_table(), numbers_table(), problems_table())
    return HEAD + "".join(line for part in parts for line in part)


if __name__ == "__main__":
    page = Path(__file__).with_name("reference.md")
    if "--check" in sys.argv:
        sys.exit(0 if page.read_text() == reference() else f"{page.name} is out of date: run `make reference`")
    page.write_text(reference())
