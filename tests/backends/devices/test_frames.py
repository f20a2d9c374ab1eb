"""Pauli frames: what they tell agrees with the density matrix of the same twirled noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from backends.devices import density, frames
from backends.devices.noise import Channel
from backends.engines.port import Unsuited

SHOTS = 40_000


def clifford(width: int, seed: int) -> QuantumCircuit:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(width)
    for layer in range(8):
        for qubit in range(width):
            getattr(circuit, ("h", "s", "sx", "y")[rng.integers(4)])(qubit)
        for qubit in range(layer % 2, width - 1, 2):
            circuit.cz(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("seed", range(3))
def test_frames_follow_the_density_matrix_of_the_twirled_noise(bench: Any, seed: int) -> None:
    """Every outcome of four qubits within five deviations: a false alarm once in 12,000 runs of these 48 outcomes."""
    device = bench.line(4, error_1q=0.004, error_2q=0.03, flips=(0.02, 0.05), t1_ns=20_000.0, t2_ns=15_000.0)
    noisy = bench.noisy(clifford(4, seed), device)
    twirled = bench.twirled(noisy)
    odds = density.read_probabilities(twirled, [noisy.heard[bit] for bit in range(4)])
    bits = frames.sample(noisy, SHOTS, seed).bits
    for outcome in range(16):
        assert bench.near(bench.share(bits, [outcome]), SHOTS, float(odds[outcome])), outcome


def test_errors_strike_the_qubit_they_belong_to(bench: Any) -> None:
    """A coupling whose second qubit alone decays: the first keeps its 1."""
    device = bench.line(2)
    noisy = bench.noisy(clifford(2, 0), device)
    channel = Channel(((1.0, 1.0), (0.5, 0.5)), 1.0)
    writer = frames.on_stim.Writer()
    frames._append(writer, [0, 1], channel)
    writer.add("M", [0, 1])
    record = writer.circuit().compile_sampler(seed=1).sample(4_000)
    assert record[:, 0].sum() == 0
    assert bench.near(int(record[:, 1].sum()), 4_000, 0.25)
    assert noisy.lines == {0: 0, 1: 1}


def test_an_outcome_steers_a_gate(bench: Any) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    clean = frames.sample(bench.noisy(circuit, bench.line(t1_ns=1e12, t2_ns=1e12)), 100, 1).bits
    assert clean.tolist() == [[1, 1]] * 100
    misread = frames.sample(bench.noisy(circuit, bench.line(t1_ns=1e12, t2_ns=1e12, flips=(0.0, 0.2))), 20_000, 1).bits
    # The steering outcome is misread by the mean, 0.1; the last one by its own 0.2 where it is 1.
    assert bench.near(int((misread[:, 0] == 0).sum()), 20_000, 0.1)
    assert bench.near(int((misread[:, 1] == 1).sum()), 20_000, 0.9 * 0.8)


def test_what_is_no_clifford_circuit_is_left_to_others(bench: Any) -> None:
    circuit = QuantumCircuit(1)
    circuit.t(0)
    circuit.h(0)
    circuit.t(0)
    circuit.sx(0)
    circuit.measure_all()
    with pytest.raises(Unsuited, match="no Clifford gate"):
        frames.sample(bench.noisy(circuit, bench.line()), 10, 1)


def test_a_seed_repeats_every_shot(bench: Any) -> None:
    noisy = bench.noisy(bench.ghz(30), bench.device("prague-snapshot"))
    assert np.array_equal(frames.sample(noisy, 500, 7).bits, frames.sample(noisy, 500, 7).bits)
    assert not np.array_equal(frames.sample(noisy, 500, 7).bits, frames.sample(noisy, 500, 8).bits)
    assert frames.available()
    assert frames.how().bias.startswith("noise is twirled")
