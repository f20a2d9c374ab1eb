"""A small device of seven qubits, and the proof that a compiled circuit does what the given one does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Statevector
from qiskit.transpiler import CouplingMap

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import forget

EDGES = [(0, 1), (1, 2), (1, 3), (3, 5), (4, 5), (5, 6)]
Proof = Callable[[QuantumCircuit, QuantumCircuit, tuple[int, ...], tuple[int, ...]], float]


@pytest.fixture(scope="session")
def calibrated() -> Calibrated:
    pairs = EDGES + [(second, first) for first, second in EDGES]
    basis = ["cz", "rz", "sx", "x", "id"]
    device = GenericBackendV2(7, basis, coupling_map=CouplingMap(pairs), control_flow=True, seed=5)
    return Calibrated(device.target)


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    forget()


@pytest.fixture(scope="session")
def proof() -> Proof:
    """How likely it is, from 0 to 1, that random inputs are the same after the compiled circuit and the inverse of the
    given one: qubit i goes in at initial[i] and comes out at final[i]. Only equal circuits have exactly 1."""

    def worst(
        given: QuantumCircuit, compiled: QuantumCircuit, initial: tuple[int, ...], final: tuple[int, ...]
    ) -> float:
        rng = np.random.default_rng(11)
        found = 1.0
        for _ in range(3):
            inputs = QuantumCircuit(given.num_qubits)
            for qubit in range(given.num_qubits):
                inputs.u(*rng.uniform(0, 6, 3).tolist(), qubit)
            whole = QuantumCircuit(compiled.num_qubits)
            whole.compose(inputs, initial, inplace=True)
            whole.compose(compiled, range(compiled.num_qubits), inplace=True)
            whole.compose(given.inverse(), final, inplace=True)
            whole.compose(inputs.inverse(), final, inplace=True)
            found = min(found, abs(Statevector(whole).data[0]) ** 2)
        return found

    return worst
