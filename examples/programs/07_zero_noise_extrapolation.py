"""Zero-noise extrapolation with mitiq: the circuit run at several noise levels, the value extrapolated to none.

The program is mitiq's own; only the executor runs elsewhere. mitiq is under the GPL and wants a NumPy of its own:
it stays in an environment of its own, beside the service.
"""

from __future__ import annotations

from mitiq import zne
from qiskit import QuantumCircuit, transpile

from qubator import Client


def main() -> None:
    """A mirror circuit ends where it began: <ZZ> is 1 without noise, at every noise level of a perfect simulator."""
    backend = Client().backend()
    circuit = QuantumCircuit(2)
    for _ in range(3):
        circuit.h(0)
        circuit.cx(0, 1)
    circuit = circuit.compose(circuit.inverse())

    def expectation(folded: QuantumCircuit) -> float:
        measured = folded.copy()
        measured.measure_all()
        compiled = transpile(measured, backend, optimization_level=0)
        counts = backend.run(compiled, shots=2000, seed_simulator=1).result().get_counts()
        return sum(count * (-1) ** bits.count("1") for bits, count in counts.items()) / 2000

    value = zne.execute_with_zne(circuit, expectation, scale_noise=zne.scaling.fold_global)
    print(f"<ZZ> {value:.3f} after extrapolation, {expectation(circuit):.3f} as it is")
    assert abs(value - 1) < 0.1


if __name__ == "__main__":
    main()
