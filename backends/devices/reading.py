"""Devices by name: hand-written models (`targets/devices/*.toml`) and IBM's snapshots (`targets/snapshots/*.json`).

Import-light. A model's file gives each figure as `{value, source}` or `{value, assumed}`; what is missing or has
neither is an error of the file. An operator's own models stand in the folder that QUBATOR_DEVICE_FILES names; worker
processes inherit the name.
"""

from __future__ import annotations

import json
import math
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
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

OWN = "QUBATOR_DEVICE_FILES"
"""The variable that names the folder of an operator's own models."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")

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


_BY_QUBIT = ("t1_us", "t2_us", "error_1q", "readout_error")


class WrongDevice(ValueError):  # noqa: N818 - named for what it says
    """A device's file that says too little or what cannot be; the text names the file and the figure."""


def models() -> tuple[str, ...]:
    """The names of the hand-written models, the operator's own last."""
    return (*_shipped(), *(path.stem for path in _own_files()))


@cache
def _shipped() -> tuple[str, ...]:
    return tuple(sorted(path.name.removesuffix(".toml") for path in _folder("devices").iterdir()))


def _own_files() -> list[Path]:
    folder = os.environ.get(OWN)
    return sorted(Path(folder).glob("*.toml")) if folder else []


def read_own(folder: Path) -> tuple[Device, ...]:
    """The devices of an operator's folder, all of them checked. Raises WrongDevice, naming the file."""
    if not folder.is_dir():
        raise WrongDevice(f"{folder} is no folder; name one with a .toml file for each device")
    found = []
    for path in sorted(folder.glob("*.toml")):
        try:
            device = model_of(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as wrong:
            raise WrongDevice(f"{path.name}: {wrong}") from wrong
        if device.name != path.stem or not _NAME.fullmatch(path.stem):
            detail = "must be called as the device in it, in small letters, digits and hyphens"
            raise WrongDevice(f"{path.name} {detail}; it names {device.name!r}")
        if device.name in (*_shipped(), *snapshots()) or device.name == "auto" or device.name.endswith(SNAPSHOT):
            raise WrongDevice(f"{path.name}: the name {device.name} is taken; choose another")
        found.append(device)
    return tuple(found)


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
    for path in _own_files():
        if path.stem == name:
            return model_of(tomllib.loads(path.read_text(encoding="utf-8")))
    if name in _shipped():
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
    pairs = _pairs(name, table["couplings"], count)
    each = _lists(name, table, {"error_2q": 0 if pairs is None else len(pairs)} | dict.fromkeys(_BY_QUBIT, count))
    if "t1_us" in number and number.get("t2_us", 0.0) > 2 * number["t1_us"]:
        raise WrongDevice(f"{name}: t2_us is {number['t2_us']:g}, at most twice t1_us ({2 * number['t1_us']:g}) can be")

    def spread_out(figure: str, place: str, index: int) -> float:
        if figure in each:
            return each[figure][index]
        deviation = spread * draw(1, f"{name}/{figure}/{place}", 0)
        return number[figure] * math.exp(deviation - spread**2 / 2)

    qubits = []
    for qubit in range(count):
        t1_ns = 1e3 * spread_out("t1_us", str(qubit), qubit)
        read = spread_out("readout_error", str(qubit), qubit)
        t2_ns = min(2 * t1_ns, 1e3 * spread_out("t2_us", str(qubit), qubit))
        qubits.append(QubitFigures(t1_ns, t2_ns, read, read, number["readout_ns"]))
    gates: list[GateFigures] = []
    for gate in table["native"]["value"]:
        width = {"cz": 2, "cx": 2, "ecr": 2, "iswap": 2, "ccz": 3}.get(gate, 1)
        if gate in VIRTUAL:
            gates += _everywhere(gate, 0.0, 0.0, None if pairs is None else range(count))
        elif width == 1 and pairs is not None:
            duration_ns = number["duration_1q_ns"]
            # One pulse, one figure: its gates are as good as each other.
            gates += [GateFigures(gate, (q,), spread_out("error_1q", str(q), q), duration_ns) for q in range(count)]
        elif pairs is None:
            gates.append(GateFigures(gate, None, number[f"error_{width}q"], number[f"duration_{width}q_ns"]))
        else:
            for place, pair in enumerate(pairs):
                error = spread_out("error_2q", "-".join(map(str, pair)), place)
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


def _lists(name: str, table: Mapping[str, Any], wanted: Mapping[str, int]) -> dict[str, list[float]]:
    """Figures given one by one: of each qubit, or of each coupling in the order in which these are listed."""
    found = {}
    for figure, count in wanted.items():
        value = table[figure].get("value")
        if isinstance(value, list):
            if len(value) != count or not all(map(_is_number, value)):
                raise WrongDevice(f"{name}: {figure} has {len(value)} values, {count} numbers are needed")
            found[figure] = [float(one) for one in value]
        elif not _is_number(value):
            raise WrongDevice(f"{name}: {figure} has no number as its value")
    return found


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
    if "pairs" in couplings:
        listed = [tuple(sorted(map(int, pair))) for pair in couplings["pairs"]]
        for pair in listed:
            if len(set(pair)) != 2 or not 0 <= pair[0] < pair[1] < count or listed.count(pair) > 1:
                raise WrongDevice(f"{name}: {list(pair)} is no coupling of two of {count} qubits, or is listed twice")
        return tuple((first, second) for first, second in listed)
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
