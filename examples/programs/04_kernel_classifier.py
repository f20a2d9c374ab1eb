"""A classifier on a quantum kernel: qiskit-machine-learning and scikit-learn.

The program is the libraries' own tutorial; only the sampler is another one.
"""

from __future__ import annotations

from qiskit.circuit.library import zz_feature_map
from qiskit_machine_learning.algorithms import QSVC
from qiskit_machine_learning.kernels import FidelityQuantumKernel
from qiskit_machine_learning.state_fidelities import ComputeUncompute
from qiskit_machine_learning.utils import algorithm_globals
from sklearn.datasets import make_moons
from sklearn.preprocessing import minmax_scale

from qubator import SamplerV2


def main() -> None:
    """Two interleaved half moons; every kernel entry is an overlap of two states."""
    algorithm_globals.random_seed = 3
    points, kinds = make_moons(n_samples=36, noise=0.05, random_state=3)
    points = minmax_scale(points, (0, 1.5))
    fidelity = ComputeUncompute(SamplerV2(seed=3))
    kernel = FidelityQuantumKernel(feature_map=zz_feature_map(2, reps=1), fidelity=fidelity)
    classifier = QSVC(quantum_kernel=kernel, C=50)
    classifier.fit(points[:24], kinds[:24])
    score = classifier.score(points[24:], kinds[24:])
    print(f"{score:.0%} of points it had not seen are told apart")
    assert score >= 0.75


if __name__ == "__main__":
    main()
