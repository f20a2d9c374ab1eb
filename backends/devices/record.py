"""A device as the service shows it: figures, their day, and which of them nobody has published. Import-light."""

from __future__ import annotations

from typing import Any

from backends.devices.model import Device


def brief(device: Device) -> dict[str, Any]:
    """What stands in the list of backends."""
    edges = device.edges
    return {
        "device": {
            "kind": device.kind,
            "qubits_live": len(device.live),
            "couplings": None if edges is None else len({frozenset(edge) for edge in edges}),
            "dynamic": device.dynamic,
            "assumed": [figure for figure, _ in device.assumptions],
        }
    }


def record(device: Device, stated: Device) -> dict[str, Any]:
    """Everything: the device at a calibration, beside the one its files state.

    `coupling_map`, `gates` and `qubits` are what a compiler reads; a gate whose `qubits` is null may act on any.
    """
    gates = [
        {
            "name": gate.name,
            "qubits": None if gate.qubits is None else list(gate.qubits),
            "error": _short(gate.error),
            "duration_ns": gate.duration_ns,
        }
        for gate in device.gates
    ]
    if device.edges is not None:
        for number in device.live:
            qubit = device.qubits[number]
            error, duration_ns = _short(qubit.readout_error), qubit.readout_ns
            gates.append({"name": "measure", "qubits": [number], "error": error, "duration_ns": duration_ns})
            gates.append({"name": "reset", "qubits": [number], "error": 0.0, "duration_ns": device.overheads.reset_ns})
    shown = brief(device)
    shown["device"] |= {
        "calibrated": device.calibrated,
        "stated": stated.calibrated,
        "dead_qubits": list(device.dead_qubits),
        "dead_couplings": [list(pair) for pair in device.dead_edges],
        "feedback_ns": device.feedback_ns,
        "rep_delay_ns": device.overheads.rep_delay_ns,
        "reset_ns": device.overheads.reset_ns,
        "job_overhead_us": device.overheads.job_us,
        "sources": dict(device.sources),
        "assumptions": dict(device.assumptions),
    }
    return shown | {
        "coupling_map": None if device.edges is None else [list(edge) for edge in device.edges],
        "gates": gates,
        "qubits": [
            {
                "t1_us": _short(qubit.t1_ns / 1e3),
                "t2_us": _short(qubit.t2_ns / 1e3),
                "reads_1_of_0": _short(qubit.reads_1_of_0),
                "reads_0_of_1": _short(qubit.reads_0_of_1),
                "readout_ns": qubit.readout_ns,
                "frequency_hz": qubit.frequency_hz,
            }
            for qubit in device.qubits
        ],
        "dt_ns": device.dt_ns,
        "control_flow": device.dynamic,
    }


def _short(number: float) -> float:
    return float(f"{number:.6g}")
