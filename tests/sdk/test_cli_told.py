"""What a person reads below the counts of a device: compiler, simulation, and the twin's verdict on each method."""

from __future__ import annotations

from typing import Any

from qubator.cli_told import told_lines

COMPILED = {"compiler": "Qiskit level 3, seed 4", "two_qubit_gates": 2, "depth": 5, "predicted_success": 0.98594}
SIMULATION = [{"method": "Pauli frames", "bias": "twirled"}, {"method": "density matrix", "bias": "none but rounding"}]
METHODS = [
    {"method": "dynamical_decoupling", "applied": False, "why": "it made the twin worse, not applied",
     "twin_error_before": 0.124, "twin_error_after": 0.1281},
    {"method": "measure_mitigation", "applied": True, "twin_error_before": 0.124, "twin_error_after": 0.02782},
    {"method": "zne", "applied": False, "why": "nothing is measured; what cannot be tried is not applied"},
]  # fmt: skip


def shown(**metadata: Any) -> list[str]:
    return list(told_lines({"metadata": metadata}, 80))


def test_a_mitigated_result_tells_all_in_80_columns() -> None:
    lines = shown(compiled=COMPILED, simulation=SIMULATION, mitigation={"methods": METHODS})
    assert lines[0] == ""
    assert all(len(line) <= 80 for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "compiled Qiskit level 3, seed 4: 2 two-qubit gates, depth 5, predicted success 98.6 %" in text
    assert "simulated Pauli frames; bias: twirled and 1 density matrix; bias: none but rounding" in text
    assert "dynamical decoupling it made the twin worse, not applied (its error went from 0.124 to 0.128)" in text
    assert "measure mitigation applied: it helped the twin (its error went from 0.124 to 0.0278)" in text
    assert text.endswith("zne nothing is measured; what cannot be tried is not applied")


def test_engines_without_noise_add_nothing() -> None:
    assert shown() == []
    assert shown(simulation=[{"method": "statevector"}]) == []
    assert list(told_lines({}, 80)) == []
