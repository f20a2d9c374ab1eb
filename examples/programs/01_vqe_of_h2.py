"""The ground state energy of the hydrogen molecule by VQE: qiskit-nature with PySCF, qiskit-algorithms.

The program is the libraries' own tutorial; only the estimator is another one.
"""

from __future__ import annotations

from qiskit_algorithms import VQE, NumPyMinimumEigensolver
from qiskit_algorithms.optimizers import SLSQP
from qiskit_nature.second_q.algorithms import GroundStateEigensolver
from qiskit_nature.second_q.circuit.library import UCCSD, HartreeFock
from qiskit_nature.second_q.drivers import PySCFDriver
from qiskit_nature.second_q.mappers import JordanWignerMapper

from qubator import EstimatorV2


def main() -> None:
    """Four qubits, three parameters; the gradient by finite differences."""
    molecule = PySCFDriver(atom="H 0 0 0; H 0 0 0.735", basis="sto3g").run()
    mapper = JordanWignerMapper()
    start = HartreeFock(molecule.num_spatial_orbitals, molecule.num_particles, mapper)
    ansatz = UCCSD(molecule.num_spatial_orbitals, molecule.num_particles, mapper, initial_state=start)
    vqe = VQE(EstimatorV2(), ansatz, SLSQP(), initial_point=[0.0] * ansatz.num_parameters)
    found = GroundStateEigensolver(mapper, vqe).solve(molecule).total_energies[0].real
    exact = GroundStateEigensolver(mapper, NumPyMinimumEigensolver()).solve(molecule).total_energies[0].real
    print(f"H2 at 0.735 Å: {found:.6f} Hartree by VQE, {exact:.6f} exactly")
    assert abs(found - exact) < 1e-4


if __name__ == "__main__":
    main()
