"""The script that condenses the package's snapshots, on a device of two qubits written the package's way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from backends.devices.reading import snapshot_of
from backends.devices.snapshots import condensed, snapshots_in, write

ROOT = Path(__file__).resolve().parents[3]


def figure(name: str, value: float | None, unit: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "date": "2025-01-02T03:04:05Z"}


def qubit(t1_us: float) -> list[dict[str, Any]]:
    return [
        figure("T1", t1_us, "us"),
        figure("T2", 3 * t1_us, "us"),
        figure("frequency", 5.0123456789, "GHz"),
        figure("readout_error", 0.02),
        figure("prob_meas0_prep1", 0.03),
        figure("prob_meas1_prep0", 0.01),
        figure("readout_length", 1.3, "us"),
    ]


def gate(name: str, *qubits: int, error: float, length_ns: float) -> dict[str, Any]:
    parameters = [figure("gate_error", error), figure("gate_length", length_ns, "ns")]
    return {"gate": name, "qubits": list(qubits), "parameters": parameters}


CONFIGURATION = {
    "backend_name": "ibm_pair",
    "n_qubits": 2,
    "basis_gates": ["id", "rz", "sx", "cx", "reset"],
    "processor_type": {"family": "Falcon", "revision": "9"},
    "dt": 0.5,
    "default_rep_delay": 249.99999,
    "supported_instructions": ["cx", "if_else"],
}
PROPERTIES = {
    "last_update_date": "2025-01-02T03:04:05Z",
    "qubits": [qubit(100.0), qubit(123.456789)],
    "gates": [
        gate("rz", 0, error=0.0, length_ns=0.0),
        gate("rz", 1, error=0.0, length_ns=0.0),
        gate("sx", 0, error=0.000123456, length_ns=35.555),
        gate("sx", 1, error=0.0002, length_ns=35.555),
        gate("cx", 0, 1, error=0.0123456, length_ns=300.0),
        gate("id", 0, error=0.1, length_ns=35.0),
        gate("reset", 0, error=0.0, length_ns=1234.5678),
    ],
}


def test_what_is_kept_is_what_a_device_needs() -> None:
    kept = condensed(CONFIGURATION, PROPERTIES, "9.9")
    assert kept == {
        "name": "pair",
        "family": "Falcon 9",
        "package": "qiskit-ibm-runtime 9.9",
        "taken": "2025-01-02",
        "dt_ns": 0.5,
        "rep_delay_us": 250.0,
        "reset_ns": 1235.0,
        "dynamic": True,
        "qubits": [
            [100.0, 300.0, 0.01, 0.03, 1300.0, 5012346000.0],
            [123.5, 370.4, 0.01, 0.03, 1300.0, 5012346000.0],
        ],
        "gates": {
            "rz": [[0, 0.0, 0.0], [1, 0.0, 0.0]],
            "sx": [[0, 0.0001235, 35.55], [1, 0.0002, 35.55]],
            "cx": [[0, 1, 0.01235, 300.0]],
        },
    }
    device = snapshot_of(kept)
    assert (device.name, device.native, device.edges) == ("pair-snapshot", ("cx", "rz", "sx"), ((0, 1),))
    assert device.qubits[0].t2_ns == 200_000, "no more than twice T1"
    assert dict(device.sources)["t1_us"].endswith("as shipped with qiskit-ibm-runtime 9.9 (Apache-2.0)")


def test_a_folder_of_the_package_becomes_a_folder_of_files(tmp_path: Path) -> None:
    place = tmp_path / "backends" / "pair"
    place.mkdir(parents=True)
    (place / "conf_pair.json").write_text(json.dumps(CONFIGURATION))
    (place / "props_pair.json").write_text(json.dumps(PROPERTIES))
    (tmp_path / "backends" / "half").mkdir()
    (tmp_path / "backends" / "half" / "conf_half.json").write_text(json.dumps(CONFIGURATION))
    assert write(snapshots_in(tmp_path / "backends", "9.9"), tmp_path / "out") == 1
    written = json.loads((tmp_path / "out" / "pair.json").read_text())
    assert written == condensed(CONFIGURATION, PROPERTIES, "9.9")


def test_without_the_package_it_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backends.devices.snapshots"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "pip install qiskit-ibm-runtime" in done.stderr
