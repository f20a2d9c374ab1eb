"""What is shown of a device: figures a compiler reads, their day, and what is assumed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backends.devices.drifting import calibrated_on
from backends.devices.record import brief, record


def test_a_device_is_shown_with_the_day_of_its_figures(bench: Any) -> None:
    stated = bench.device("sherbrooke-snapshot")
    shown = record(calibrated_on(stated, date(2026, 11, 20)), stated)
    assert (shown["device"]["calibrated"], shown["device"]["stated"]) == ("2026-11-20", "2025-02-26")
    assert (shown["device"]["qubits_live"], shown["device"]["couplings"]) == (125, 134)
    assert shown["device"]["dead_qubits"] == [84, 92]
    assert len(shown["device"]["dead_couplings"]) == 10
    assert shown["device"]["assumptions"].keys() == {"feedback_ns", "job_overhead_ms", "drift"}
    assert len(shown["qubits"]) == 127
    assert len(shown["coupling_map"]) == 134
    assert [84] not in [gate["qubits"] for gate in shown["gates"]]
    assert {gate["name"] for gate in shown["gates"]} == {"ecr", "rz", "sx", "x", "measure", "reset"}


def test_figures_as_stated_are_those_of_the_file(bench: Any) -> None:
    stated = bench.device("nairobi-snapshot")
    shown = record(stated, stated)
    assert shown["qubits"][0] == {
        "t1_us": 89.12,
        "t2_us": 15.79,
        "reads_1_of_0": 0.037,
        "reads_0_of_1": 0.079,
        "readout_ns": 5561.0,
        "frequency_hz": 5259456000.0,
    }
    read = next(gate for gate in shown["gates"] if (gate["name"], gate["qubits"]) == ("measure", [0]))
    assert read == {"name": "measure", "qubits": [0], "error": pytest.approx(0.058), "duration_ns": 5561.0}


def test_gates_for_any_qubits_say_so(bench: Any) -> None:
    atoms = bench.device("neutral-atom-like")
    shown = record(atoms, atoms)
    assert shown["coupling_map"] is None
    assert {gate["name"]: gate["qubits"] for gate in shown["gates"]} == dict.fromkeys(("ccz", "cz", "rz", "sx", "x"))
    assert brief(atoms) == {
        "device": {
            "kind": "neutral_atom",
            "qubits_live": 100,
            "couplings": None,
            "dynamic": False,
            "assumed": [figure for figure, _ in atoms.assumptions],
        }
    }
