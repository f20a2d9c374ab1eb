"""A PennyLane circuit and its gradient through PennyLane's own Qiskit device.

The program is the plugin's own; only the backend is another one. The plugin wants an older Qiskit: it stays in an
environment of its own; the client and the service agree on a version of QPY by themselves.
"""

from __future__ import annotations

import pennylane as qml
from pennylane import numpy as np

from qubator import Client


def main() -> None:
    """Two qubits, one angle, the gradient by parameter shift."""
    backend = Client().backend()
    device = qml.device("qiskit.remote", wires=2, backend=backend)

    @qml.set_shots(shots=4000)
    @qml.qnode(device, diff_method="parameter-shift")
    def energy(angle: float) -> float:
        qml.RY(angle, wires=0)
        qml.CNOT(wires=[0, 1])
        return qml.expval(qml.PauliZ(1))

    angle = np.array(0.7, requires_grad=True)
    value, slope = float(energy(angle)), float(qml.grad(energy)(angle))
    print(f"<Z> {value:.3f}, slope {slope:.3f}; exactly {np.cos(0.7):.3f} and {-np.sin(0.7):.3f}")
    assert abs(value - np.cos(0.7)) < 0.1
    assert abs(slope + np.sin(0.7)) < 0.1


if __name__ == "__main__":
    main()
