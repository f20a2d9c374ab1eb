"""The largest cut of a graph by QAOA: qiskit-optimization and qiskit-algorithms.

The program is the libraries' own tutorial; only the sampler is another one.
"""

from __future__ import annotations

import networkx as nx
from qiskit_optimization.algorithms import MinimumEigenOptimizer
from qiskit_optimization.applications import Maxcut
from qiskit_optimization.minimum_eigensolvers import QAOA, NumPyMinimumEigensolver
from qiskit_optimization.optimizers import COBYLA
from qiskit_optimization.utils import algorithm_globals

from qubator import SamplerV2


def main() -> None:
    """Six corners, eight edges, two layers."""
    algorithm_globals.random_seed = 7
    graph = nx.Graph([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (0, 3), (1, 4)])
    problem = Maxcut(graph).to_quadratic_program()
    qaoa = QAOA(SamplerV2(seed=7), COBYLA(maxiter=40), reps=2, initial_point=[0.4, 0.4, 0.4, 0.4])
    found = MinimumEigenOptimizer(qaoa).solve(problem)
    exact = MinimumEigenOptimizer(NumPyMinimumEigensolver()).solve(problem)
    print(f"largest cut {found.fval:g} edges by QAOA, {exact.fval:g} exactly; sides {found.x.astype(int).tolist()}")
    assert found.fval == exact.fval


if __name__ == "__main__":
    main()
