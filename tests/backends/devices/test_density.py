"""Density matrices against Qiskit's own evolution of the same channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Operator, SuperOp

from backends.devices import density
from backends.devices.roads import Noisy, is_gate
from backends.engines.lowering import lowered

_GATES = {"x", "sx", "rz", "cz", "cx"}


def by_hand(noisy: Noisy) -> np.ndarray:
    """The same with Qiskit's quantum information: each gate's matrix, each channel's superoperator."""
    state = DensityMatrix.from_label("0" * len(noisy.lines))
    for op in noisy.schedule.operations:
        if is_gate(op):
            for step in lowered((noisy.local(op),), _GATES):
                circuit = QuantumCircuit(len(step.qubits))
                getattr(circuit, step.name)(*step.params, *range(len(step.qubits)))
                state = state.evolve(Operator(circuit), list(step.qubits))
        for qubits, channel in noisy.noise.of(op):
            state = state.evolve(SuperOp(channel.superoperator), [noisy.lines[qubit] for qubit in qubits])
    return np.asarray(state.probabilities())


@pytest.mark.parametrize("name", ["nairobi-snapshot", "generic", "wukong-like"])
def test_probabilities_are_those_of_the_channels(bench: Any, name: str) -> None:
    circuit = QuantumCircuit(4)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.t(1)
    circuit.cx(1, 2)
    circuit.h(1)
    circuit.cx(2, 3)
    circuit.sx(3)
    circuit.measure_all()
    noisy = bench.noisy(circuit, bench.device(name))
    assert np.allclose(density.probabilities(noisy), by_hand(noisy), atol=1e-9)


def test_a_one_decays_with_t1(bench: Any) -> None:
    """exp(-30/100) of the ones is left after 30 µs, on the matrix exactly and in the shots within five deviations."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.delay(30, 0, "us")
    circuit.measure_all()
    # A delay at the end is waited for by the readout.
    noisy = bench.noisy(circuit, bench.line(t1_ns=100_000.0, t2_ns=200_000.0))
    wanted = math.exp(-30 / 100)
    assert density.probabilities(noisy)[1] == pytest.approx(wanted, abs=1e-3)
    found = density.sample(noisy, 20_000, 3)
    assert bench.near(int(found.bits.sum()), 20_000, density.probabilities(noisy)[1])


def test_what_is_read_is_the_probabilities_through_the_readout(bench: Any) -> None:
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.measure_all()
    noisy = bench.noisy(circuit, bench.line(flips=(0.1, 0.3), t1_ns=1e12, t2_ns=1e12))
    read = density.read_probabilities(noisy, [2, 0])
    assert read == pytest.approx([0.9 * 0.3, 0.1 * 0.3, 0.9 * 0.7, 0.1 * 0.7], abs=1e-6)
    bits = density.sample(noisy, 20_000, 5).bits
    assert bench.near(bench.share(bits, [0b001]), 20_000, 0.7 * 0.9 * 0.9)


def test_several_qubits_are_read_in_the_order_asked(bench: Any) -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.x(2)
    circuit.measure_all()
    noisy = bench.noisy(circuit, bench.line(t1_ns=1e12, t2_ns=1e12))
    assert len(noisy.lines) == 3
    qubits = sorted(noisy.lines)
    plain = density.probabilities(noisy)
    for order in ([0, 1, 2], [2, 0, 1], [1, 2], [2]):
        read = density.read_probabilities(noisy, [qubits[place] for place in order])
        wanted = np.zeros(1 << len(order))
        for outcome, odds in enumerate(plain):
            wanted[sum((outcome >> place & 1) << bit for bit, place in enumerate(order))] += odds
        assert read == pytest.approx(wanted, abs=1e-9)


def test_how_long_it_takes_grows_with_the_matrix(bench: Any) -> None:
    device = bench.device("guadalupe-snapshot")
    assert density.seconds(bench.noisy(bench.ghz(10), device)) > 20 * density.seconds(bench.noisy(bench.ghz(5), device))
    assert density.how().bias == ""
