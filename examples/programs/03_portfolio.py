"""Which assets to hold within a budget: qiskit-finance and qiskit-optimization with SamplingVQE.

The program is the libraries' own tutorial; only the sampler is another one.
"""

from __future__ import annotations

from datetime import UTC, datetime

from qiskit.circuit.library import n_local
from qiskit_finance.applications.optimization import PortfolioOptimization
from qiskit_finance.data_providers import RandomDataProvider
from qiskit_optimization.algorithms import MinimumEigenOptimizer
from qiskit_optimization.minimum_eigensolvers import NumPyMinimumEigensolver, SamplingVQE
from qiskit_optimization.optimizers import COBYLA
from qiskit_optimization.utils import algorithm_globals

from qubator import SamplerV2


def main() -> None:
    """Four assets, two to be held, a month of made-up prices."""
    algorithm_globals.random_seed = 1234
    month = {"start": datetime(2026, 1, 1, tzinfo=UTC), "end": datetime(2026, 1, 31, tzinfo=UTC)}
    prices = RandomDataProvider(tickers=["A", "B", "C", "D"], seed=123, **month)
    prices.run()
    problem = PortfolioOptimization(
        expected_returns=prices.get_period_return_mean_vector(),
        covariances=prices.get_period_return_covariance_matrix(),
        risk_factor=0.5,
        budget=2,
    ).to_quadratic_program()
    ansatz = n_local(4, "ry", "cz", reps=2, entanglement="full")
    vqe = SamplingVQE(SamplerV2(seed=5), ansatz, COBYLA(maxiter=80))
    found = MinimumEigenOptimizer(vqe).solve(problem)
    exact = MinimumEigenOptimizer(NumPyMinimumEigensolver()).solve(problem)
    print(f"hold {found.x.astype(int).tolist()} at {found.fval:.5f}; the best there is: {exact.fval:.5f}")
    assert abs(found.fval - exact.fval) < 1e-6


if __name__ == "__main__":
    main()
