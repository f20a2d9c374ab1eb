"""Targets made of records: what compilers may use, and what they are told of it."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit, transpile

from qubator.target import target_of

OPEN = {"name": "aer", "qubits_max": 30, "basis_gates": ["h", "rz", "cx", "barrier", "unitary", "mcx"]}
LINE = {
    "name": "line",
    "qubits_max": 3,
    "basis_gates": ["sx", "rz", "cz", "ccx"],
    "coupling_map": [[0, 1], [1, 0], [1, 2]],
}
DEVICE = {
    **LINE,
    "dt_ns": 2,
    "qubits": [{"t1_us": 50, "t2_us": 40, "frequency_hz": 5e9}, {"t1_us": 60}, {}],
    "gates": [
        {"name": "sx", "qubits": [0], "error": 0.001, "duration_ns": 30},
        {"name": "sx", "qubits": [1], "error": 0.002, "duration_ns": 30},
        {"name": "cz", "qubits": [0, 1], "error": 0.01, "duration_ns": 60},
        {"name": "measure", "qubits": [0], "error": 0.03, "duration_ns": 1000},
        {"name": "measure", "qubits": [1], "error": 0.04, "duration_ns": 1000},
    ],
}


def test_without_couplings_every_gate_is_for_any_qubits() -> None:
    target = target_of(OPEN)
    assert target.build_coupling_map() is None
    assert {"h", "rz", "cx", "measure", "reset", "delay", "if_else", "while_loop", "for_loop", "switch_case"} == set(
        target.operation_names
    )
    assert target.instruction_supported("cx", (29, 3))


def test_couplings_say_where_two_qubits_may_meet() -> None:
    target = target_of(LINE)
    assert sorted(target.build_coupling_map().get_edges()) == [(0, 1), (1, 0), (1, 2)]
    assert not target.instruction_supported("cz", (2, 1))
    assert target.instruction_supported("rz", (2,))
    assert "ccx" not in target.operation_names, "there is no place for three qubits"
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    compiled = transpile(circuit, target=target, optimization_level=1, seed_transpiler=1)
    assert set(compiled.count_ops()) <= {"rz", "sx", "cz"}


def test_figures_say_how_good_and_how_long_and_what_is_broken() -> None:
    target = target_of(DEVICE)
    assert target.dt == pytest.approx(2e-9)
    assert target["cz"][(0, 1)].error == 0.01
    assert target["measure"][(1,)].duration == pytest.approx(1e-6)
    assert not target.instruction_supported("cz", (1, 2)), "a gate with figures is where its figures are"
    assert not target.instruction_supported("sx", (2,))
    assert [each.t1 for each in target.qubit_properties] == [pytest.approx(50e-6), pytest.approx(60e-6), None]
    assert target.qubit_properties[0].frequency == 5e9
    assert target.durations().get("cz", (0, 1), "dt") == 30


def test_branches_are_kept_by_compilers() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.swap(0, 1)
    compiled = transpile(circuit, target=target_of(OPEN), optimization_level=1)
    assert compiled.count_ops()["if_else"] == 1
