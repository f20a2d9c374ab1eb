"""`qubatord simulate`: seeded worlds under a virtual clock, every invariant checked after every event."""

from __future__ import annotations

import json
import time

import click

from simulation.world import WORLDS


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=100, show_default=True, help="How many worlds.")
@click.option("--seed", "first", type=click.IntRange(0), help="Run this one world (what a failure prints).")
@click.option("--world", type=click.Choice(sorted(WORLDS)), default="small", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def simulate(seeds: int, first: int | None, world: str, as_json: bool) -> None:
    """Run the real scheduler and ledger in simulated worlds full of faults. Exit code 1 when an invariant breaks."""
    from simulation.campaign import BrokenWorld, simulate_seeds

    wanted = range(seeds) if first is None else range(first, first + 1)
    begun = time.monotonic()
    try:
        summary = simulate_seeds(wanted, WORLDS[world])
    except BrokenWorld as broken:
        click.echo(str(broken), err=True)
        raise SystemExit(1) from broken
    seconds = time.monotonic() - begun
    if as_json:
        click.echo(json.dumps({**summary, "seconds": round(seconds, 2)}, indent=2))
        return
    counted = ", ".join(f"{count} {what}" for what, count in summary.items())
    click.echo(f"{counted}; every invariant held after every event ({seconds:.1f} s)")
