"""What a circuit that is to run as it is asks of a device: its operations, each with its qubits, once."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import QuantumCircuit

from backends.findings import Placed

PLACES_MAX = 20_000
"""More than any device offers; what goes on beyond them is left to whoever runs the circuit."""

_ALWAYS = frozenset({"barrier", "store", "break_loop", "continue_loop"})


def placed(circuit: QuantumCircuit) -> Placed:
    """In the order in which they come; branches and loops by name alone, with what is inside them."""
    found: dict[tuple[str, tuple[int, ...]], None] = {}
    _collect(circuit, range(circuit.num_qubits), found)
    return tuple(found)


def _collect(circuit: QuantumCircuit, places: Sequence[int], found: dict[tuple[str, tuple[int, ...]], None]) -> None:
    for instruction in circuit.data:
        if instruction.name in _ALWAYS or len(found) >= PLACES_MAX:
            continue
        qubits = tuple(places[circuit.find_bit(bit).index] for bit in instruction.qubits)
        if instruction.is_control_flow():
            found.setdefault((instruction.name, ()))
            for block in instruction.operation.blocks:
                _collect(block, qubits, found)
        else:
            found.setdefault((instruction.name, qubits))
