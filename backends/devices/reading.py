"""Devices by name: hand-written models (`targets/devices/*.toml`) and IBM's snapshots (`targets/snapshots/*.json`).

Import-light. A model's file gives each figure as `{value, source}` or `{value, assumed}`; what is missing or has
neither is an error of the file.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from backends.devices.drifting import draw
from backends.devices.model import ASSUMED, VIRTUAL, Device, Drift, GateFigures, Overheads, QubitFigures
from backends.devices.pruning import pruned

SNAPSHOT = "-snapshot"
"""How the names of devices end that replay a snapshot: they are not the machine."""

FLEET = ("nairobi", "guadalupe", "prague", "sherbrooke", "fez")
"""The snapshots that are offered without being asked for, 7 to 156 qubits."""

DEAD = frozenset({"kyoto"})
"""Snapshots without one coupling that works."""

_FIGURES = (
    *("qubits", "couplings", "native", "t1_us", "t2_us", "error_1q", "error_2q", "readout_error"),
    *("duration_1q_ns", "duration_2q_ns", "readout_ns", "reset_ns", "feedback_ns", "dynamic"),
    *("rep_delay_us", "job_overhead_ms", "spread", "drift"),
)
_SNAPSHOT_STATED = (
    *("qubits", "couplings", "native", "t1_us", "t2_us", "errors", "durations", "readout_error", "reset_ns"),
    "dynamic",
)
_SNAPSHOT_ASSUMED = (
    ("feedback_ns", "assumed: 1 µs, the snapshot has no figure"),
    ("job_overhead_ms", "assumed: 100 ms to load a circuit, the snapshot has no figure"),
    ("drift", "assumed: standard deviation 0.12 of the logarithm, a tenth of it new every day"),
)


class WrongDevice(ValueError):  # noqa: N818 - named for what it says
    """A device's file that says too little or what cannot be; the text names the file and the figure."""


def models() -> tuple[str, ...]:
    """The names of the hand-written models."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in _folder("devices").iterdir()))


@cache
def snapshots() -> tuple[str, ...]:
    """The names of all snapshots but the dead ones."""
    names = {path.name.removesuffix(".json") for path in _folder("snapshots").iterdir()}
    return tuple(sorted(f"{name}{SNAPSHOT}" for name in names - DEAD))


def fleet(further: Sequence[str] = ()) -> tuple[str, ...]:
    """The devices on offer: the models, the default snapshots, and those that the operator asks for.

    `further` holds names of snapshots, with or without their ending, or "all". Raises WrongDevice for an unknown one.
    """
    offered = dict.fromkeys((*models(), *(f"{name}{SNAPSHOT}" for name in FLEET)))
    for name in further:
        wanted = snapshots() if name == "all" else (name if name.endswith(SNAPSHOT) else f"{name}{SNAPSHOT}",)
        for one in wanted:
            if one not in snapshots():
                known = ", ".join(each.removesuffix(SNAPSHOT) for each in snapshots())
                raise WrongDevice(f"there is no snapshot {name!r}; there are {known}")
            offered[one] = None
    return tuple(offered)


@cache
def device_of(name: str) -> Device | None:
    """The device of that name, offered or not, without what is dead; None when there is none."""
    if name in models():
        return model_of(tomllib.loads(_folder("devices").joinpath(f"{name}.toml").read_text(encoding="utf-8")))
    if name in snapshots():
        file = _folder("snapshots").joinpath(f"{name.removesuffix(SNAPSHOT)}.json")
        return snapshot_of(json.loads(file.read_text(encoding="utf-8")))
    return None


def _folder(name: str) -> Any:
    return files("backends").joinpath("targets", name)


def model_of(table: Mapping[str, Any]) -> Device:
    """A device of a hand-written file. Raises WrongDevice."""
    name = str(table.get("name", "a device"))
    missing = [figure for figure in _FIGURES if figure not in table]
    if missing:
        raise WrongDevice(f"{name}: no {', '.join(missing)}")
    figures = [figure for figure in table if isinstance(table[figure], Mapping)]
    sources = tuple((figure, _source(name, figure, table[figure])) for figure in figures)
    count = int(table["qubits"]["value"])
    drift = Drift(0, *(float(table["drift"][word]) for word in ("times", "errors", "memory")))
    spread = float(table["spread"]["value"])
    number = {figure: float(table[figure]["value"]) for figure in figures if _is_number(table[figure].get("value"))}
    if number["t2_us"] > 2 * number["t1_us"]:
        raise WrongDevice(f"{name}: t2_us is {number['t2_us']:g}, at most twice t1_us ({2 * number['t1_us']:g}) can be")

    def spread_out(figure: str, place: str) -> float:
        deviation = spread * draw(1, f"{name}/{figure}/{place}", 0)
        return number[figure] * math.exp(deviation - spread**2 / 2)

    qubits = []
    for qubit in range(count):
        t1_ns = 1e3 * spread_out("t1_us", str(qubit))
        read = spread_out("readout_error", str(qubit))
        t2_ns = min(2 * t1_ns, 1e3 * spread_out("t2_us", str(qubit)))
        qubits.append(QubitFigures(t1_ns, t2_ns, read, read, number["readout_ns"]))
    gates: list[GateFigures] = []
    pairs = _pairs(name, table["couplings"], count)
    for gate in table["native"]["value"]:
        width = {"cz": 2, "cx": 2, "ecr": 2, "iswap": 2, "ccz": 3}.get(gate, 1)
        if gate in VIRTUAL:
            gates += _everywhere(gate, 0.0, 0.0, None if pairs is None else range(count))
        elif width == 1 and pairs is not None:
            duration_ns = number["duration_1q_ns"]
            # One pulse, one figure: its gates are as good as each other.
            gates += [GateFigures(gate, (q,), spread_out("error_1q", str(q)), duration_ns) for q in range(count)]
        elif pairs is None:
            gates.append(GateFigures(gate, None, number[f"error_{width}q"], number[f"duration_{width}q_ns"]))
        else:
            for pair in pairs:
                error = spread_out("error_2q", "-".join(map(str, pair)))
                gates += [GateFigures(gate, way, error, number["duration_2q_ns"]) for way in (pair, pair[::-1])]
    return pruned(
        Device(
            name=name,
            title=str(table["title"]),
            description=str(table["description"]),
            kind=table["kind"],
            qubits=tuple(qubits),
            gates=tuple(gates),
            overheads=Overheads(
                1e3 * number["rep_delay_us"], number["reset_ns"], round(1e3 * number["job_overhead_ms"])
            ),
            feedback_ns=number["feedback_ns"],
            dynamic=bool(table["dynamic"]["value"]),
            calibrated=str(table["calibrated"]),
            drift=drift,
            sources=sources,
        )
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _source(name: str, figure: str, entry: Mapping[str, Any]) -> str:
    if ("source" in entry) == ("assumed" in entry):
        raise WrongDevice(f"{name}: {figure} needs either a source or a reason why it is assumed")
    return str(entry["source"]) if "source" in entry else f"{ASSUMED}: {entry['assumed']}"


def _everywhere(name: str, error: float, duration_ns: float, qubits: Sequence[int] | None) -> list[GateFigures]:
    if qubits is None:
        return [GateFigures(name, None, error, duration_ns)]
    return [GateFigures(name, (qubit,), error, duration_ns) for qubit in qubits]


def _pairs(name: str, couplings: Mapping[str, Any], count: int) -> tuple[tuple[int, int], ...] | None:
    """Couplings of a grid, row by row; None where any two qubits may meet."""
    if couplings.get("all"):
        return None
    rows, columns = couplings["grid"]
    if rows * columns != count:
        raise WrongDevice(f"{name}: a grid of {rows} by {columns} has {rows * columns} qubits, not {count}")
    across = [(row * columns + c, row * columns + c + 1) for row in range(rows) for c in range(columns - 1)]
    down = [(row * columns + c, (row + 1) * columns + c) for row in range(rows - 1) for c in range(columns)]
    without = {(int(first), int(second)) for first, second in couplings["without"]}
    if unknown := without - {*across, *down}:
        raise WrongDevice(f"{name}: the grid has no coupling {sorted(unknown)[0]}")
    return tuple(pair for pair in (*across, *down) if pair not in without)


def snapshot_of(kept: Mapping[str, Any]) -> Device:
    """A device of a condensed snapshot, without what is dead in it."""
    qubits = []
    for t1_us, t2_us, reads_1_of_0, reads_0_of_1, readout_ns, frequency_hz in kept["qubits"]:
        t2_ns = 1e3 * min(t2_us, 2 * t1_us)
        frequency = frequency_hz or None
        qubits.append(QubitFigures(1e3 * t1_us, t2_ns, reads_1_of_0, reads_0_of_1, readout_ns, frequency))
    gates = [
        GateFigures(name, tuple(row[:-2]), 0.0 if name in VIRTUAL else row[-2], 0.0 if name in VIRTUAL else row[-1])
        for name, rows in kept["gates"].items()
        for row in rows
    ]
    origin = f"IBM's calibration of {kept['taken']}, as shipped with {kept['package']} (Apache-2.0)"
    sources = [(figure, origin) for figure in _SNAPSHOT_STATED]
    rep_delay_us = kept["rep_delay_us"]
    sources.append(("rep_delay_us", origin if rep_delay_us else "assumed: 250 µs, the snapshot has no figure"))
    name = f"{kept['name']}{SNAPSHOT}"
    family = kept["family"] or "early"
    device = Device(
        name=name,
        title=f"{str(kept['name']).title()}, a snapshot",
        description=f"IBM's {family} processor {kept['name']} as calibrated on {kept['taken']}, simulated.",
        kind="superconducting",
        qubits=tuple(qubits),
        gates=tuple(gates),
        overheads=Overheads(1e3 * (rep_delay_us or 250.0), kept["reset_ns"], 100_000),
        feedback_ns=1e3,
        dynamic=kept["dynamic"],
        calibrated=kept["taken"],
        drift=Drift(0, 0.12, 0.12, 0.9),
        sources=(*sources, *_SNAPSHOT_ASSUMED),
        dt_ns=kept["dt_ns"],
    )
    return pruned(device)
