"""A line of five qubits, and devices with one kind of error each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator
from qiskit.transpiler import CouplingMap
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, coherent_unitary_error, depolarizing_error

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled, compile_circuit
from backends.compiling.options import CompileOptions
from backends.mitigation.trying import Runner


@pytest.fixture(scope="session")
def calibrated() -> Calibrated:
    line = [(qubit, qubit + 1) for qubit in range(4)]
    pairs = CouplingMap(line + [pair[::-1] for pair in line])
    device = GenericBackendV2(5, ["cz", "rz", "sx", "x", "id"], coupling_map=pairs, control_flow=True, seed=2)
    return Calibrated(device.target)


@pytest.fixture(scope="session")
def given() -> QuantumCircuit:
    circuit = efficient_su2(5, reps=2)
    angles = np.random.default_rng(3).uniform(0, 1, circuit.num_parameters)
    bound: QuantumCircuit = circuit.assign_parameters(angles)
    return bound


@pytest.fixture(scope="session")
def compiled(given: QuantumCircuit, calibrated: Calibrated) -> Compiled:
    return compile_circuit(given, calibrated, CompileOptions())


@pytest.fixture(scope="session")
def device() -> Callable[..., Runner]:
    """A runner with depolarising and coherent errors of CZ, errors of X and of readout, and detuned waiting qubits."""

    def made(
        depolarising: float = 0.0,
        coherent: float = 0.0,
        pulse: float = 0.0,
        readout: tuple[float, float] = (0.0, 0.0),
        detuning_hz: float = 0.0,
        dt_s: float = 1.0,
    ) -> Runner:
        model = NoiseModel()
        if depolarising:
            model.add_all_qubit_quantum_error(depolarizing_error(depolarising, 2), ["cz"])
        if pulse:
            model.add_all_qubit_quantum_error(depolarizing_error(pulse, 1), ["x"])
        if coherent:
            twist = QuantumCircuit(2)
            twist.rzz(coherent, 0, 1)
            model.add_all_qubit_quantum_error(coherent_unitary_error(Operator(twist).data), ["cz"])
        if any(readout):
            rows = [[1 - readout[0], readout[0]], [readout[1], 1 - readout[1]]]
            model.add_all_qubit_readout_error(ReadoutError(rows))
        simulator = AerSimulator(noise_model=model, seed_simulator=3, max_parallel_threads=1)

        def run(circuits: Sequence[QuantumCircuit], shots: int) -> list[dict[str, int]]:
            turned = [_detuned(circuit, detuning_hz, dt_s) for circuit in circuits]
            result = simulator.run(turned, shots=shots).result()
            return [result.get_counts(place) for place in range(len(circuits))]

        return run

    return made


def _detuned(circuit: QuantumCircuit, detuning_hz: float, dt_s: float) -> QuantumCircuit:
    """Each delay as the turn that a slow, unknown field makes in that time."""
    made = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.name == "delay":
            angle: Any = 2 * np.pi * detuning_hz * instruction.params[0] * dt_s
            made.rz(angle, instruction.qubits)
        else:
            made._append(instruction)
    return made
