"""Makes `targets/snapshots/*.json` out of the calibration snapshots that qiskit-ibm-runtime ships for its fake devices.

Run by hand where that package is installed (`pip install qiskit-ibm-runtime`): `make snapshots`. It reads the files of
the package and imports none of it. What is kept is a fortieth of the original: see docs/decisions/0013.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata, util
from pathlib import Path
from typing import Any

SNAPSHOTS = Path(__file__).resolve().parents[1] / "targets" / "snapshots"
_PACKAGE = "qiskit_ibm_runtime"
_NS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
_UNITS = {**_NS, "": 1.0, "Hz": 1.0, "MHz": 1e6, "GHz": 1e9}
_BRANCHES = frozenset({"if_else", "switch_case"})


def condensed(configuration: Mapping[str, Any], properties: Mapping[str, Any], version: str) -> dict[str, Any]:
    """One device's snapshot with what a simulation needs, four digits each."""
    basis = [name for name in configuration["basis_gates"] if name not in ("id", "reset", "delay")]
    gates: dict[str, list[list[Any]]] = {name: [] for name in basis}
    resets = [0.0]
    for gate in properties["gates"]:
        figures = _figures(gate["parameters"])
        if gate["gate"] == "reset":
            resets.append(figures.get("gate_length", 0.0))
        if gate["gate"] in gates:
            error, length_ns = figures.get("gate_error", 1.0), figures.get("gate_length", 0.0)
            gates[gate["gate"]].append([*gate["qubits"], _short(error), _short(length_ns)])
    family = configuration.get("processor_type") or {}
    return {
        "name": str(configuration["backend_name"]).removeprefix("ibmq_").removeprefix("ibm_"),
        "family": " ".join(f"{family.get('family', '')} {family.get('revision', '')}".split()),
        "package": f"qiskit-ibm-runtime {version}",
        "taken": str(properties["last_update_date"])[:10],
        "dt_ns": configuration.get("dt"),
        "rep_delay_us": _short(configuration.get("default_rep_delay") or 0.0) or None,
        "reset_ns": _short(max(resets)),
        "dynamic": not _BRANCHES.isdisjoint(configuration.get("supported_instructions") or ()),
        # t1_us, t2_us, reads_1_of_0, reads_0_of_1, readout_ns, frequency_hz
        "qubits": [_qubit(_figures(qubit)) for qubit in properties["qubits"]],
        "gates": {name: rows for name, rows in gates.items() if rows},
    }


def _qubit(figures: Mapping[str, float]) -> list[float]:
    error = figures.get("readout_error", 1.0)
    return [
        _short(figures.get("T1", 0.0) / 1e3),
        _short(figures.get("T2", figures.get("T1", 0.0)) / 1e3),
        _short(figures.get("prob_meas1_prep0", error)),
        _short(figures.get("prob_meas0_prep1", error)),
        _short(figures.get("readout_length", 0.0)),
        _short(figures.get("frequency", 0.0), 7),
    ]


def _figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Numbers by name in nanoseconds, Hertz or without unit; what is missing is left out."""
    return {
        row["name"]: float(row["value"]) * _UNITS.get(row.get("unit") or "", 1.0)
        for row in rows
        if row["value"] is not None
    }


def _short(number: float, digits: int = 4) -> float:
    return float(f"{number:.{digits}g}")


def snapshots_in(folder: Path, version: str) -> Iterator[dict[str, Any]]:
    """Every device of the package's folder of backends, by name."""
    for configuration in sorted(folder.glob("*/conf_*.json")):
        properties = configuration.with_name(configuration.name.replace("conf_", "props_"))
        if properties.exists():
            conf, props = (json.loads(path.read_text(encoding="utf-8")) for path in (configuration, properties))
            yield condensed(conf, props, version) | {"name": configuration.parent.name}


def write(snapshots: Iterator[dict[str, Any]], folder: Path) -> int:
    """One file a device, a line a gate and qubit list; how many were written."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for snapshot in snapshots:
        lines = [f" {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in snapshot.items()]
        (folder / f"{snapshot['name']}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        count += 1
    return count


def main() -> None:
    """Renew the files from the package that is installed here."""
    found = util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        sys.exit("qiskit-ibm-runtime is not installed here; pip install qiskit-ibm-runtime, then run this again")
    backends = Path(next(iter(found.submodule_search_locations))) / "fake_provider" / "backends"
    version = metadata.version("qiskit-ibm-runtime")
    sys.stdout.write(f"{write(snapshots_in(backends, version), SNAPSHOTS)} snapshots of {version} written\n")


if __name__ == "__main__":
    main()
