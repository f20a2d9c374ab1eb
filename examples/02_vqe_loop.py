"""A variational loop: the ground state energy of a small Ising chain by strictly sequential estimator calls.

The estimator implements Qiskit's BaseEstimatorV2, so any code that takes an estimator takes this one.
Needs QUBATOR_URL and QUBATOR_TOKEN in the environment (or `qubator login`).
"""

from __future__ import annotations

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits import ansatz
from qubator import Client, EstimatorV2


def main() -> None:
    """Gradient descent by parameter shift: 2 × parameters bindings in one PUB per step."""
    circuit = ansatz(2)
    energy = SparsePauliOp(["ZZ", "XI", "IX"], [-1.0, -0.7, -0.7])
    exact = float(np.linalg.eigvalsh(energy.to_matrix())[0])
    point = np.random.default_rng(3).uniform(-0.5, 0.5, circuit.num_parameters)
    shifts = np.concatenate([np.eye(len(point)), -np.eye(len(point))]) * np.pi / 2
    with Client() as client:
        estimator = EstimatorV2(client)
        for _ in range(40):
            values = estimator.run([(circuit, energy, point + shifts)]).result()[0].data.evs
            point = point - 0.4 * (values[: len(point)] - values[len(point) :]) / 2
        reached = float(estimator.run([(circuit, energy, point)]).result()[0].data.evs)
    print(f"energy {reached:.4f}, exact {exact:.4f}")
    assert reached < exact + 0.05, "the loop did not converge"


if __name__ == "__main__":
    main()
