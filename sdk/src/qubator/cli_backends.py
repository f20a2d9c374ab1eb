"""The command about backends: all of them in a table, or one device with its figures and what is assumed of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import click

from qubator.cli_frame import Frame, framed
from qubator.cli_text import duration, pairs, table
from qubator.client import Client

_ENTANGLING = frozenset({"cz", "cx", "ecr", "iswap", "rzz"})


@click.command()
@click.argument("name", required=False)
@click.option("--calibration", metavar="DAY", help="Of a device: figures of a day (2026-11-20), or stated.")
@click.option("--history", type=click.IntRange(1, 31), metavar="DAYS", help="Of a device: its figures day by day.")
@framed
def backends(frame: Frame, name: str | None, calibration: str | None, history: int | None) -> None:
    """List the backends and whether they take work, or show one with all that is known of it: qubator backends NAME."""
    if history is not None:
        if name is None or calibration is not None:
            raise click.UsageError("name the device, without a day: qubator backends NAME --history DAYS")
        days = _days(frame.client(), name, history)
        frame.show({"days": days}, lambda: _drifted(days, frame.width))
        return
    if name is not None:
        record = frame.client().backend_record(name, calibration=calibration)
        frame.show(record, lambda: list(_one(record, frame.width)))
        return
    if calibration is not None:
        raise click.UsageError("name the device: qubator backends NAME --calibration DAY")
    found = frame.client().backends()
    rows = [
        (
            str(each["name"]),
            str(each.get("state", "online")),
            str(each.get("qubits_max") or ""),
            str(each.get("state_reason") or each.get("description") or each.get("title") or ""),
        )
        for each in found
    ]
    headers = ("BACKEND", "STATE", "QUBITS", "DESCRIPTION")
    frame.show({"backends": found}, lambda: table(headers, rows, width=frame.width, right=(2,)))


def _days(client: Client, name: str, count: int) -> list[dict[str, Any]]:
    """The medians of a device's figures today and on the days before, the newest first."""
    record = client.backend_record(name)
    if not record.get("device"):
        raise click.UsageError(f"{name} is no device: its figures do not drift")
    today = date.fromisoformat(record["device"]["calibrated"])
    days = [(today - timedelta(days=back)).isoformat() for back in range(1, count)]
    return [medians(record), *(medians(client.backend_record(name, calibration=day)) for day in days)]


def medians(record: Mapping[str, Any]) -> dict[str, Any]:
    """The day, the medians over all live qubits and couplings, and which coupling was worst."""
    dead = set(record["device"].get("dead_qubits") or ())
    live = [qubit for number, qubit in enumerate(record["qubits"]) if number not in dead]
    entangling = [gate for gate in record["gates"] if gate["name"] in _ENTANGLING]
    worst = max(entangling, key=lambda gate: gate["error"])
    return {
        "day": record["device"]["calibrated"],
        "t1_us": statistics.median(qubit["t1_us"] for qubit in live),
        "t2_us": statistics.median(qubit["t2_us"] for qubit in live),
        "readout_error": statistics.median((qubit["reads_1_of_0"] + qubit["reads_0_of_1"]) / 2 for qubit in live),
        "error_2q": statistics.median(gate["error"] for gate in entangling),
        "worst_error_2q": worst["error"],
        "worst_coupling": worst["qubits"],
    }


def _drifted(days: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    rows = [
        (
            str(each["day"]),
            _time(1e3 * each["t1_us"]),
            _time(1e3 * each["t2_us"]),
            f"{100 * each['readout_error']:.2f} %",
            f"{100 * each['error_2q']:.3f} %",
            f"{100 * each['worst_error_2q']:.2f} %"
            + ("" if each["worst_coupling"] is None else f" at {'-'.join(map(str, each['worst_coupling']))}"),
        )
        for each in days
    ]
    headers = ("DAY", "T1", "T2", "READOUT", "TWO-QUBIT", "WORST")
    return ["Medians of the device's figures, day by day:", *table(headers, rows, width=width, right=(1, 2, 3, 4))]


def _one(record: Mapping[str, Any], width: int) -> Iterator[str]:
    """A backend as name and value lines; a device with its figures, then what is assumed, then the sources."""
    device = record.get("device") or {}
    state = " ".join(filter(None, (str(record.get("state", "online")), record.get("state_reason"))))
    shown: dict[str, object] = {
        "name": record["name"],
        "title": record.get("title"),
        "about": record.get("description"),
        "state": state,
        "qubits": record.get("qubits_max"),
    }
    if not device:
        yield from pairs({**shown, "gates": ", ".join(record.get("basis_gates") or ())}, width=width)
        return
    couplings = device.get("couplings")
    drifted = "" if device["calibrated"] == device["stated"] else f", drifting around those of {device['stated']}"
    shown |= {
        "qubits": f"{record.get('qubits_max')}, {device['qubits_live']} work",
        "couplings": "any two qubits" if couplings is None else couplings,
        "kind": str(device["kind"]).replace("_", " "),
        "dynamic": "yes" if device["dynamic"] else "no: measures at the end only",
        "figures": f"of {device['calibrated']}{drifted}",
        "each shot": f"{_time(device['rep_delay_ns'])} between shots, {_time(device['reset_ns'])} to reset",
        "each job": duration(device["job_overhead_us"]),
    }
    yield from pairs(shown, width=width)
    yield ""
    yield from table(("FIGURE", "BEST", "MEDIAN", "WORST"), list(_figures(record)), width=width, right=(1, 2, 3))
    assumed = device.get("assumptions") or {}
    if assumed:
        yield from ("", "Assumed, for nobody has published it:")
        yield from pairs({name: str(why).removeprefix("assumed: ") for name, why in assumed.items()}, width=width)
    known: dict[str, list[str]] = {}
    for name, source in (device.get("sources") or {}).items():
        if name not in assumed:
            known.setdefault(str(source), []).append(name)
    if known:
        yield from ("", "Sources:")
        yield from pairs({", ".join(names): source for source, names in known.items() if len(names) == 1}, width=width)
        for source, names in known.items():
            if len(names) > 1:
                yield from pairs({"from": source, "": ", ".join(names)}, width=width)


def _figures(record: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Coherence, readout and gates, each with its best, its median and its worst."""
    dead = set(record["device"].get("dead_qubits") or ())
    live = [qubit for number, qubit in enumerate(record.get("qubits") or ()) if number not in dead]
    for word in ("t1", "t2"):
        yield (word.upper(), *(_time(1e3 * each) for each in _three([qubit[f"{word}_us"] for qubit in live], best=max)))
    errors = [(qubit["reads_1_of_0"] + qubit["reads_0_of_1"]) / 2 for qubit in live]
    yield ("readout error", *(f"{100 * each:.2f} %" for each in _three(errors, best=min)))
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for gate in record.get("gates") or ():
        if gate["name"] not in ("measure", "reset") and gate["duration_ns"]:
            by_name.setdefault(str(gate["name"]), []).append(gate)
    for name, gates in sorted(by_name.items()):
        yield (
            f"{name} error",
            *(f"{100 * each:.3f} %" for each in _three([gate["error"] for gate in gates], best=min)),
        )
        yield (f"{name} time", *(_time(each) for each in _three([gate["duration_ns"] for gate in gates], best=min)))


def _three(values: Sequence[float], *, best: Any) -> tuple[float, float, float]:
    worst = min if best is max else max
    return best(values), statistics.median(values), worst(values)


def _time(time_ns: float) -> str:
    """Nanoseconds for people."""
    for size, word in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if time_ns >= size:
            return f"{time_ns / size:.4g} {word}"
    return f"{time_ns:.4g} ns"
