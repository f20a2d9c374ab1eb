"""Which way is taken, what is told of it, and that everything runs where Aer alone is installed."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit.circuit import QuantumCircuit

from backends.devices import choosing, frames
from backends.engines.port import Budget
from backends.rejected import Rejected
from backends.router.features import features_of


def magic(width: int, layers: int = 2) -> QuantumCircuit:
    circuit = QuantumCircuit(width)
    for _ in range(layers):
        for qubit in range(width):
            circuit.u(0.3, 0.1 * qubit, 0.2, qubit)
        for qubit in range(width - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def way(bench: Any, circuit: QuantumCircuit, device: str, shots: int = 20) -> Any:
    return choosing.sample(bench.noisy(circuit, bench.device(device)), shots, 1, Budget()).how


def test_small_circuits_are_exact_wide_clifford_circuits_are_frames_the_rest_are_trajectories(bench: Any) -> None:
    assert way(bench, magic(4), "nairobi-snapshot").method == "density matrix"
    assert way(bench, bench.ghz(12), "guadalupe-snapshot").method == "Pauli frames"
    assert way(bench, magic(12), "guadalupe-snapshot").method == "trajectories on a dense state"
    shallow = way(bench, magic(40, layers=1), "fez-snapshot", shots=4)
    assert shallow.method == "trajectories on a matrix product state"
    assert 0.99 < shallow.fidelity < 1


def test_a_circuit_that_branches_is_no_matrix_of_probabilities(bench: Any) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.u(0.3, 0.1, 0.2, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    noisy = bench.noisy(circuit, bench.device("nairobi-snapshot"))
    assert not choosing.is_exact(noisy)
    assert choosing.sample(noisy, 20, 1, Budget()).how.method == "trajectories on a dense state"


def test_without_stim_trajectories_do_and_say_so(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "available", lambda: False)
    how = way(bench, bench.ghz(20), "sherbrooke-snapshot")
    assert how.method.startswith("trajectories")
    assert how.engine == "aer"
    assert how.note == "Stim, which runs such circuits sooner, is not installed"
    assert how.bias == frames.BIAS


def test_what_frames_cannot_follow_says_why(bench: Any) -> None:
    circuit = QuantumCircuit(11, 2)
    circuit.h(range(11))
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.cregs[0], 3)):
        circuit.x(2)
    circuit.measure(2, 0)
    assert way(bench, circuit, "nighthawk-snapshot").note.startswith(
        "not on Stim: a condition that is no parity of outcomes"
    )


def test_what_fits_into_no_memory_is_refused(bench: Any) -> None:
    noisy = bench.noisy(magic(30, layers=20), bench.device("fez-snapshot"))
    with pytest.raises(Rejected, match="use fewer qubits or gates") as caught:
        choosing.quickest(features_of(noisy.program), 100, Budget(1 << 24))
    assert caught.value.code == "backend_infeasible"
