"""Where another compiler may work: the unitary stretches of a circuit between what it must not see.

Measurements at the end and the barriers before them are set aside first, so that a circuit which measures each qubit
as soon as it is done stays one stretch. Any other barrier, measurement, reset or delay ends a stretch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.quantum_info import Statevector
from qiskit.transpiler import PassManager, generate_preset_pass_manager

BASIS = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "cx", "cz")
"""What stretches consist of: every compiler here knows these."""
_UNITARY = frozenset({*BASIS, "id"})
_CHECKED_QUBITS = 10
_CLOSE = 1e-7

Rewrite = Callable[[QuantumCircuit], QuantumCircuit]


class NotRewritten(Exception):  # noqa: N818 - an expected no
    """Another compiler cannot have this circuit, or gave back another one; the text says why."""


def is_dynamic(circuit: QuantumCircuit) -> bool:
    """Whether the circuit decides on its way: branches, loops, stored values."""
    return circuit.num_identifiers > 0 or any(
        each.is_control_flow() or each.name == "store" for each in circuit.data if not each.is_standard_gate()
    )


def unrolled(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit over the gates of `BASIS`, its qubits and bits as they were."""
    flat: QuantumCircuit = _unroller().run(circuit)
    return flat


def rewritten(flat: QuantumCircuit, rewrite: Rewrite) -> QuantumCircuit:
    """The circuit with each unitary stretch rewritten; raises NotRewritten. Small stretches are checked to be equal."""
    body, ending = _ending(flat)
    made = flat.copy_empty_like()
    stretch = QuantumCircuit(flat.qubits)
    for instruction in body:
        if instruction.name in _UNITARY:
            stretch._append(instruction)
            continue
        _add(made, stretch, rewrite)
        stretch = QuantumCircuit(flat.qubits)
        made._append(instruction)
    _add(made, stretch, rewrite)
    for instruction in ending:
        made._append(instruction)
    return made


@cache
def _unroller() -> PassManager:
    return generate_preset_pass_manager(0, basis_gates=list(BASIS))


def _ending(circuit: QuantumCircuit) -> tuple[list[CircuitInstruction], list[CircuitInstruction]]:
    """What comes before the last measurements, and these."""
    body: list[CircuitInstruction] = []
    ending: list[CircuitInstruction] = []
    touched: set[Any] = set()
    read: set[Any] = set()
    for instruction in reversed(circuit.data):
        last = instruction.name in ("measure", "barrier") and not touched.intersection(instruction.qubits)
        if last and not read.intersection(instruction.clbits):
            ending.append(instruction)
            continue
        body.append(instruction)
        touched.update(instruction.qubits)
        read.update(instruction.clbits)
    return body[::-1], ending[::-1]


def _add(made: QuantumCircuit, stretch: QuantumCircuit, rewrite: Rewrite) -> None:
    if not stretch.data:
        return
    shorter = rewrite(stretch)
    if not _alike(stretch, shorter):
        raise NotRewritten("gave back a circuit that does something else")
    made.compose(shorter, qubits=made.qubits, copy=False, inplace=True)


def _alike(before: QuantumCircuit, after: QuantumCircuit) -> bool:
    """Whether both do the same to a random state, up to a phase; wide and symbolic ones are believed."""
    if before.num_parameters or not 0 < before.num_qubits <= _CHECKED_QUBITS:
        return set(after.parameters) <= set(before.parameters)
    rng = np.random.default_rng(before.num_qubits)
    drawn = rng.normal(size=2**before.num_qubits) + 1j * rng.normal(size=2**before.num_qubits)
    state = Statevector(drawn / np.linalg.norm(drawn))
    wanted, found = state.evolve(before).data, state.evolve(after).data
    overlap = np.vdot(found, wanted)
    # The distance, not the overlap: that would forgive an angle that is wrong by its square root.
    return bool(np.linalg.norm(wanted - found * overlap / max(abs(overlap), _CLOSE)) < _CLOSE)
