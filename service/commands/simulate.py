"""`qubatord simulate`: seeded worlds under a virtual clock, every law checked after every event."""

from __future__ import annotations

import json
import time
from dataclasses import fields

import click

from simulation.run import SimulationFailure
from simulation.simulate import Summary
from simulation.simulate import simulate as play
from simulation.world import WORLDS


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=100, show_default=True, help="How many worlds.")
@click.option("--seed", "first", type=click.IntRange(0), help="Run this one world (what a failure prints).")
@click.option("--world", type=click.Choice(sorted(WORLDS)), default="small", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def simulate(seeds: int, first: int | None, world: str, as_json: bool) -> None:
    """Run the real scheduler and ledger in simulated worlds full of faults. Exit code 1 when a law is broken."""
    wanted = range(seeds) if first is None else range(first, first + 1)
    begun = time.monotonic()
    try:
        summary = play(wanted, world)
    except SimulationFailure as broken:
        click.echo(str(broken), err=True)
        raise SystemExit(1) from broken
    seconds = time.monotonic() - begun
    if as_json:
        # Not asdict: it takes a Counter apart.
        told = {one.name: getattr(summary, one.name) for one in fields(summary)}
        click.echo(json.dumps({**told, "seconds": round(seconds, 2)}, indent=2))
    else:
        click.echo(in_words(summary, seconds))


def in_words(summary: Summary, seconds: float) -> str:
    """A summary in a few lines of at most 80 columns."""
    refused = sum(summary.refused.values())
    return (
        f"{summary.worlds} {summary.world} worlds, {summary.steps} events in {seconds:.1f} s\n"
        f"jobs: {summary.submitted} submitted, {refused} refused, {summary.admitted} admitted;\n"
        f"      {summary.succeeded} succeeded, {summary.failed} failed, {summary.cancelled} cancelled\n"
        f"attempts: {summary.attempts}, requeued {summary.requeued}, late or repeated reports {summary.old_news}, "
        f"restarts {summary.restarts}\n"
        "every law held after every event"
    )
