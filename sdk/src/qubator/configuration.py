"""What programs written for older backends read from `backend.configuration()`: a few figures by their old names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Configuration:
    """A backend in the words of Qiskit's former BackendConfiguration."""

    backend_name: str
    num_qubits: int
    basis_gates: tuple[str, ...]
    coupling_map: tuple[tuple[int, int], ...] | None
    simulator: bool
    max_shots: int | None
    max_experiments: int
    dt: float | None = None
    memory: bool = True
    conditional: bool = True
    local: bool = False
    open_pulse: bool = False

    @property
    def n_qubits(self) -> int:
        """The number of qubits, by its other name."""
        return self.num_qubits

    @property
    def max_circuits(self) -> int:
        """How many circuits one call takes, by its other name."""
        return self.max_experiments
