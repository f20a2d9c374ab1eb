"""A twin of a circuit: the same gates in the same places, but with angles moved so that its answer is known exactly.

Small circuits keep half of their angles and are answered by a state; wide ones have Clifford angles only and are
answered by a tableau. Of a few drawn twins the one is taken whose values tell most: one whose values all vanish would
show no loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Pauli, SparsePauliOp, StabilizerState, Statevector

from backends.mitigation.decoupling import Unfit
from backends.mitigation.measuring import Term

SMALL_QUBITS = 10
_DRAWS = 12
_QUARTER = math.pi / 2
_ROTATIONS = frozenset({"rz", "rx", "ry", "p", "u1", "rzz", "rxx", "ryy", "rzx", "u", "u3", "u2", "r"})
_ENOUGH = 0.5
"""Mean square of the values from which a twin is taken at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """The circuit, the exact values of the terms, and what it is, for the result."""

    circuit: QuantumCircuit
    values: NDArray[np.float64]
    qubits: int
    kept: int

    def to_json(self) -> dict[str, Any]:
        """For a result's metadata."""
        small = self.qubits <= SMALL_QUBITS
        return {
            "kind": "near-Clifford" if self.kept else "Clifford",
            "exact_by": "statevector" if small else "stabilizer",
            "qubits": self.qubits,
            "angles_kept": self.kept,
        }


def twin_of(circuit: QuantumCircuit, terms: Sequence[Term], seed: int) -> Twin:
    """A twin of a bound circuit without measurements; raises Unfit where there is none."""
    if any(each.is_control_flow() or each.clbits for each in circuit.data):
        raise Unfit("a circuit that measures or branches on its way has no twin with a known answer")
    active = _active(circuit, terms)
    rng = np.random.default_rng(seed)
    best: Twin | None = None
    for _ in range(_DRAWS):
        drawn, kept = _draw(circuit, rng, share=0.5 if len(active) <= SMALL_QUBITS else 0.0)
        values = _exact(drawn, terms, active)
        if best is None or np.mean(values**2) > np.mean(best.values**2):
            best = Twin(drawn, values, len(active), kept)
        if np.mean(best.values**2) >= _ENOUGH:
            break
    assert best is not None
    if not np.any(np.abs(best.values) > 0.1):
        raise Unfit("no twin was found whose values differ from 0")
    return best


def _draw(circuit: QuantumCircuit, rng: np.random.Generator, share: float) -> tuple[QuantumCircuit, int]:
    """Each angle kept by chance, else moved to a multiple of π/2 beside it, the nearer the likelier."""
    made = circuit.copy_empty_like()
    kept = 0
    for instruction in circuit.data:
        angles = instruction.params
        if instruction.name not in _ROTATIONS or all(_is_clifford(angle) for angle in angles):
            made._append(instruction)
            continue
        if rng.random() < share:
            kept += 1
            made._append(instruction)
            continue
        moved = [math.floor(angle / _QUARTER + rng.random()) * _QUARTER for angle in angles]
        operation = instruction.operation.to_mutable()
        operation.params = moved
        made._append(instruction.replace(operation=operation, params=moved))
    return made, kept


def _is_clifford(angle: float) -> bool:
    return abs(angle / _QUARTER - round(angle / _QUARTER)) < 1e-9


def _active(circuit: QuantumCircuit, terms: Sequence[Term]) -> list[int]:
    number = {bit: place for place, bit in enumerate(circuit.qubits)}
    touched = {number[bit] for each in circuit.data if each.name not in ("barrier", "delay") for bit in each.qubits}
    return sorted(touched | {qubit for term in terms for qubit, _ in term})


def _exact(circuit: QuantumCircuit, terms: Sequence[Term], active: Sequence[int]) -> NDArray[np.float64]:
    """The terms' values, with the qubits that nothing touches left out."""
    place = {qubit: number for number, qubit in enumerate(active)}
    number = {bit: index for index, bit in enumerate(circuit.qubits)}
    compact = QuantumCircuit(len(active))
    for instruction in circuit.data:
        if instruction.name not in ("barrier", "delay"):
            compact.append(instruction.operation, [place[number[bit]] for bit in instruction.qubits])
    labels = [_label(term, place) for term in terms]
    if len(active) <= SMALL_QUBITS:
        state = Statevector(compact)
        return np.array([state.expectation_value(SparsePauliOp(label)).real if label else 1.0 for label in labels])
    try:
        tableau = StabilizerState(compact)
    except QiskitError as error:
        raise Unfit("a circuit this wide with fixed gates beyond the Clifford group has no twin") from error
    return np.array([float(np.real(tableau.expectation_value(Pauli(label)))) for label in labels])


def _label(term: Term, place: dict[int, int]) -> str:
    letters = ["I"] * len(place)
    for qubit, letter in term:
        letters[-1 - place[qubit]] = letter
    return "".join(letters)
