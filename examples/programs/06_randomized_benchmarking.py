"""The error of a Clifford gate by randomized benchmarking: qiskit-experiments.

The program is the library's own tutorial; only backend and sampler are others.
"""

from __future__ import annotations

from qiskit_experiments.library import StandardRB

from qubator import Client, SamplerV2


def main() -> None:
    """One qubit, sequences of up to 100 Cliffords. On a simulator without errors the fit finds hardly any."""
    backend = Client().backend()
    experiment = StandardRB((0,), lengths=[1, 10, 30, 60, 100], backend=backend, num_samples=3, seed=5)
    experiment.analysis.set_options(gate_error_ratio=None, plot=False)
    result = experiment.run(sampler=SamplerV2(backend, seed=5)).block_for_results()
    assert result.status().name == "DONE", result.errors()
    (error,) = (row for row in result.analysis_results(dataframe=True).itertuples() if row.name == "EPC")
    print(f"error per Clifford {error.value}")
    assert abs(error.value.nominal_value) < 1e-3


if __name__ == "__main__":
    main()
