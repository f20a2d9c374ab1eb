"""Trajectories on Aer: the same twirled noise as the frames, by every method, in dynamic circuits too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from backends.devices import density, trajectories
from backends.devices.trajectories import Location, draw, plan_of, struck
from backends.engines.on_aer import AerMethod
from backends.program import Op

SHOTS = 3_000
METHODS: tuple[AerMethod, ...] = ("statevector", "matrix_product_state", "stabilizer")


def layered(width: int, *, clifford: bool) -> QuantumCircuit:
    circuit = QuantumCircuit(width)
    for layer in range(5):
        for qubit in range(width):
            circuit.sx(qubit) if clifford else circuit.u(0.4 + layer, 0.2 * qubit, 0.7, qubit)
        for qubit in range(layer % 2, width - 1, 2):
            circuit.cz(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("method", METHODS)
def test_they_follow_the_density_matrix_of_the_twirled_noise(bench: Any, method: AerMethod) -> None:
    """Every outcome of three qubits within five deviations: a false alarm once in 70,000 runs of these 24 outcomes."""
    device = bench.line(3, error_1q=0.004, error_2q=0.03, flips=(0.02, 0.05), t1_ns=20_000.0, t2_ns=15_000.0)
    noisy = bench.noisy(layered(3, clifford=method == "stabilizer"), device)
    twirled = bench.twirled(noisy)
    odds = density.read_probabilities(twirled, [noisy.heard[bit] for bit in range(3)])
    order = (2, 0, 1) if method == "matrix_product_state" else None
    found = trajectories.sample(noisy, SHOTS, 5, method, order)
    for outcome in range(8):
        assert bench.near(bench.share(found.bits, [outcome]), SHOTS, float(odds[outcome])), outcome
    assert found.how.method.startswith("trajectories on a")
    assert (found.how.fidelity < 1) == (method == "matrix_product_state")


def test_conditional_gates_bring_their_noise_only_when_they_act(bench: Any) -> None:
    """A gate that always fails, behind a condition that holds for half of the shots."""
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    device = bench.line(2, error_1q=0.3, t1_ns=1e12, t2_ns=1e12)
    noisy = bench.noisy(circuit, device)
    bits = trajectories.sample(noisy, SHOTS, 3, "statevector").bits
    quiet, acted = bits[bits[:, 0] == 0], bits[bits[:, 0] == 1]
    assert quiet[:, 1].sum() == 0
    # An average error e is a Pauli error with odds of 1.5 e, two thirds of which flip the outcome.
    assert bench.near(int((acted[:, 1] == 0).sum()), len(acted), 0.3)


def test_misread_outcomes_steer(bench: Any) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    noisy = bench.noisy(circuit, bench.line(2, flips=(0.2, 0.0), t1_ns=1e12, t2_ns=1e12))
    bits = trajectories.sample(noisy, SHOTS, 3, "statevector").bits
    assert bench.near(int(bits[:, 0].sum()), SHOTS, 0.1)
    # Bit 1 is a true 1 where bit 0 was misread, and a true 0 elsewhere, misread with 0.2.
    assert bench.near(int(bits[:, 1].sum()), SHOTS, 0.1 + 0.9 * 0.2)


def test_errors_are_drawn_by_their_odds_and_alike_shots_are_run_once() -> None:
    odds = np.array([0.1, 0.0, 0.3])
    found = draw(
        [Location(0, (0,), odds), Location(0, (0,), np.array([0.0, 0.0, 0.0]))], 20_000, np.random.default_rng(1)
    )
    assert set(found) == {(), ((0, 1),), ((0, 3),)}
    assert sorted(shot for shots in found.values() for shot in shots) == list(range(20_000))
    for pattern, wanted in (((0, 1),), 0.1), (((0, 3),), 0.3):
        assert abs(len(found[pattern]) - 20_000 * wanted) < 5 * (20_000 * wanted * (1 - wanted)) ** 0.5
    assert draw([], 3, np.random.default_rng(1)) == {(): [0, 1, 2]}


def test_errors_stand_where_they_struck(bench: Any) -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    plan = plan_of(bench.noisy(circuit, bench.line(2, error_1q=0.01, error_2q=0.01)), "statevector")
    plain = [op.name for op in plan.operations]
    assert plain == ["x", "cz", "measure", "x"]
    couple = next(n for n, location in enumerate(plan.locations) if len(location.lines) == 2)
    flip = next(n for n, location in enumerate(plan.locations) if location.around)
    last = len(plan.locations) - 1
    assert plan.locations[last].condition == plan.operations[-1].condition
    made = list(struck(plan, ((couple, 2 + 4 * 3), (flip, 1), (last, 3))))
    assert [(op.name, op.qubits) for op in made] == [
        ("x", (0,)),
        ("cz", (0, 1)),
        ("y", (0,)),
        ("z", (1,)),
        ("x", (0,)),
        ("measure", (0,)),
        ("x", (0,)),
        ("x", (1,)),
        ("z", (1,)),
    ]
    assert made[-1].condition == plan.operations[-1].condition
    assert isinstance(made[0], Op)


def test_a_seed_repeats_every_shot(bench: Any) -> None:
    noisy = bench.noisy(layered(5, clifford=False), bench.device("nairobi-snapshot"))
    first, again, other = (trajectories.sample(noisy, 300, seed, "statevector").bits for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
