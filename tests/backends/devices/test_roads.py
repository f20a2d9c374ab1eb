"""What is simulated of a circuit, and how outcomes are misread."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit

from backends.devices.roads import How, is_gate
from backends.devices.scheduling import IDLE
from backends.program import Op


def test_only_touched_qubits_are_simulated(bench: Any) -> None:
    noisy = bench.noisy(bench.ghz(3), bench.device("sherbrooke-snapshot"))
    assert len(noisy.lines) == noisy.program.qubits == 3
    assert noisy.outcome == noisy.heard
    assert not noisy.steering


def test_random_circuits_have_no_ending_and_steering_bits_are_known(bench: Any) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    noisy = bench.noisy(circuit, bench.line())
    assert noisy.outcome is None
    assert noisy.steering == {0}
    assert set(noisy.lines) == {0, 1}, "the qubit whose outcome steers is simulated though nothing happens to it"


def test_misreading_follows_the_two_errors(bench: Any) -> None:
    """40,000 bits; the bounds are five standard deviations."""
    device = bench.line(flips=(0.1, 0.3))
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.measure_all()
    noisy = bench.noisy(circuit, device)
    bits = np.zeros((40_000, 2), dtype=np.uint8)
    bits[:, 0] = 1
    noisy.misread(bits, np.random.default_rng(1))
    assert bench.near(int((bits[:, 0] == 0).sum()), 40_000, 0.3)
    assert bench.near(int((bits[:, 1] == 1).sum()), 40_000, 0.1)
    kept = np.ones((100, 2), dtype=np.uint8)
    noisy.misread(kept, np.random.default_rng(1), but=(0, 1))
    assert kept.all()


def test_what_counts_as_a_gate() -> None:
    assert is_gate(Op("x", (0,)))
    assert not any(is_gate(Op(name, (0,))) for name in (IDLE, "measure", "reset"))


def test_how_it_came_about_is_told() -> None:
    assert How("frames", "stim", "1").about()["bias"] == "none but rounding"
    told = How("trajectories", "aer", "1", "twirled", 0.9987654321, "slow").about()
    assert told == {
        "method": "trajectories",
        "engine": "aer",
        "engine_version": "1",
        "bias": "twirled",
        "fidelity_at_least": "0.998765",
        "note": "slow",
    }
