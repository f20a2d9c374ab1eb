"""Readout errors taken out of counts by M3 (mthree): calibration circuits on given qubits, then the counts corrected.

The program is mthree's own; only the backend is another one.
"""

from __future__ import annotations

import mthree
from qiskit import QuantumCircuit, transpile

from qubator import Client


def main() -> None:
    """A GHZ state of five qubits. On a simulator without readout errors the calibration finds none."""
    backend = Client().backend()
    circuit = QuantumCircuit(5)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    compiled = transpile(circuit, backend)
    counts = backend.run(compiled, shots=4000, seed_simulator=1).result().get_counts()
    mapping = mthree.utils.final_measurement_mapping(compiled)
    mitigation = mthree.M3Mitigation(backend)
    mitigation.cals_from_system(mapping, shots=4000)
    corrected = mitigation.apply_correction(counts, mapping, return_mitigation_overhead=True)
    parity, error = corrected.expval_and_stddev("ZZZZI")
    print(f"<ZZZZI> {parity:.3f} ± {error:.3f} after mitigation; it is 1 in a perfect GHZ state")
    assert abs(parity - 1) < 5 * error + 0.02


if __name__ == "__main__":
    main()
