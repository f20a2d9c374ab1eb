"""The command `route`: where a circuit would run, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from qubator.cli_frame import Frame, framed
from qubator.cli_terms import job_terms, make_submission
from qubator.cli_text import clean, count, duration, pairs, table
from qubator.routes import Route

_PUBS_SHOWN = 3
_PARTS_SHOWN = 3
_MEBI = 1 << 10


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@job_terms
@framed
def route(frame: Frame, file: str, **terms: Any) -> None:
    """Say where the circuit in FILE would run, on which engines, and how long. Submits nothing."""
    found = frame.client().route_body(make_submission(file, **terms).to_json())
    frame.show(found.record, lambda: _lines(found, frame.width))


def _lines(found: Route, width: int) -> Iterator[str]:
    """The choice, the plan of `ideal`, and every backend's verdict."""
    if found.refusal is not None:
        text = f"The job would be refused: {found.refusal['detail']} [{found.refusal['code']}]"
        yield from textwrap.wrap(clean(text), width, break_on_hyphens=False)
    else:
        yield f"The job would run on {found.backend}" + (" (auto)." if found.asked == "auto" else ".")
    if not found.pubs:
        yield "The work is too long for its route on ideal to be told before it runs."
    for pub in found.pubs[:_PUBS_SHOWN]:
        yield ""
        yield from _pub(pub, width)
    if len(found.pubs) > _PUBS_SHOWN:
        yield f"… and {count(len(found.pubs) - _PUBS_SHOWN, 'PUB')} more (--json has all)"
    yield ""
    yield from _verdicts(found, width)


def _pub(pub: Mapping[str, Any], width: int) -> Iterator[str]:
    sets = pub["parameter_sets"]
    yield f"PUB {pub['pub']} on ideal" + (f", {sets} parameter sets" if sets > 1 else "")
    if pub["by"] != "router":
        yield from pairs({"by": pub["by"], "because": pub.get("why")}, width=width)
        return
    parts = pub["parts"]
    yield from pairs(
        {
            "reductions": ", ".join(pub["reductions"]) or "none",
            "left": _left(pub["components"]),
            "time": _time(pub["seconds"]),
            "surely": None if pub["sure"] else "no: each engine may give up, and then the job fails in its time",
        },
        width=width,
    )
    for part in parts[:_PARTS_SHOWN]:
        yield ""
        yield from _part(part, width)


def _left(components: int) -> str:
    return "nothing to simulate" if not components else count(components, "independent part")


def _part(part: Mapping[str, Any], width: int) -> Iterator[str]:
    found = part["features"]
    title = f"{found['qubits']} qubits, {count(found['gates'], 'gate')}"
    title += f" ({found['two_qubit_gates']} on several qubits, {found['non_clifford_gates']} non-Clifford)"
    yield title + (f", {part['times']} times" if part["times"] > 1 else "")
    wide = f"cut width {found['cut_width']}, branching {found['branching']}"
    yield f"{wide}, {count(found['mid_circuit'], 'event')} on the way, scrambling {found['scrambling']:g}"
    turns = _turns(part["tries"])
    rows = [
        (name, _time(one["seconds"]), _interval(one), _memory(one["memory_mib"]), turns.get(name, "-"))
        for one in part["candidates"]
        for name in (one["engine"],)
    ]
    yield from table(("ENGINE", "EXPECTED", "FROM … TO", "MEMORY", "TURN (AT MOST)"), rows, width=width, right=(1, 3))
    for engine, why in part["unfit"].items():
        yield from textwrap.wrap(f"{engine}: {clean(why)}", width, subsequent_indent="  ")


def _turns(tries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """For each engine its turns, and after how long it gives up there: "1 (4.0 ms), 3"."""
    found: dict[str, list[str]] = {}
    for number, one in enumerate(tries, 1):
        limit = one["at_most_s"]
        found.setdefault(one["engine"], []).append(f"{number}" if limit is None else f"{number} ({_time(limit)})")
    return {engine: ", ".join(turns) for engine, turns in found.items()}


def _verdicts(found: Route, width: int) -> Iterator[str]:
    rows = [(one.backend, "about " + duration(one.estimate_us or 0)) for one in found.verdicts if one.takes_it]
    if rows:
        yield from table(("BACKEND", "WOULD TAKE"), rows, width=width)
        yield ""
    rows = [(one.backend, one.why or "") for one in found.verdicts if not one.takes_it]
    if rows:
        yield from table(("BACKEND", "WHY NOT (--json has all of it)"), rows, width=width)


def _interval(one: Mapping[str, Any]) -> str:
    return f"{_time(one['least_s'])} … {_time(one['most_s'])}"


def _time(seconds: float | None) -> str:
    return "no end" if seconds is None else duration(max(1, round(seconds * 1_000_000)))


def _memory(mib: int | None) -> str:
    if mib is None:
        return "no end"
    return f"{mib} MiB" if mib < _MEBI else f"{mib / _MEBI:.3g} GiB" if mib < _MEBI**2 else f"{mib / _MEBI**2:.3g} TiB"
