"""Pauli products measured on a device: in which bases, by which circuits, and their values from counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qiskit.circuit import ClassicalRegister, QuantumCircuit

from backends.mitigation.readout import Counts, ReadoutError

Term = tuple[tuple[int, str], ...]
"""A Pauli product as (qubit of the device, letter) without identities, in the order of qubits."""
_REGISTER = "basis"


@dataclass(frozen=True, slots=True)
class Basis:
    """Letters to measure, by qubit of the device, and the terms that this tells."""

    letters: tuple[tuple[int, str], ...]
    terms: tuple[int, ...]

    @property
    def qubits(self) -> tuple[int, ...]:
        """The measured qubits; qubit i of this list is classical bit i."""
        return tuple(qubit for qubit, _ in self.letters)


def terms_of(labels: Sequence[str], layout: Sequence[int]) -> list[Term]:
    """Labels of the given circuit as terms on the device: its qubit i ends on `layout[i]`."""
    return [
        tuple(sorted((layout[place], letter) for place, letter in enumerate(reversed(label)) if letter != "I"))
        for label in labels
    ]


def bases_of(terms: Sequence[Term]) -> list[Basis]:
    """As few bases as a greedy search finds: terms share one where they agree on every qubit they have in common.

    The identity belongs to none.
    """
    found: list[tuple[dict[int, str], list[int]]] = []
    for index, term in sorted(enumerate(terms), key=lambda entry: -len(entry[1])):
        if not term:
            continue
        for letters, members in found:
            if all(letters.get(qubit, letter) == letter for qubit, letter in term):
                letters.update(term)
                members.append(index)
                break
        else:
            found.append((dict(term), [index]))
    return [Basis(tuple(sorted(letters.items())), tuple(members)) for letters, members in found]


def measured(circuit: QuantumCircuit, basis: Basis) -> QuantumCircuit:
    """The circuit with its qubits turned into the basis and measured; gates are not yet the target's own."""
    made = QuantumCircuit(circuit.qubits)
    for instruction in circuit.data:
        made._append(instruction)
    register = ClassicalRegister(len(basis.letters), _REGISTER)
    made.add_register(register)
    for qubit, letter in basis.letters:
        if letter == "Y":
            made.sdg(qubit)
        if letter in "XY":
            made.h(qubit)
    for bit, (qubit, _) in zip(register, basis.letters, strict=True):
        made.measure(qubit, bit)
    return made


def value_of(
    term: Term, basis: Basis, counts: Counts, errors: Mapping[int, ReadoutError] | None
) -> tuple[float, float]:
    """A term's value and its standard error, corrected for readout errors where these are given."""
    place = {qubit: number for number, qubit in enumerate(basis.qubits)}
    weights = [(place[qubit], (1.0, -1.0) if errors is None else errors[qubit].weights) for qubit, _ in term]
    shots = sum(counts.values())
    first = second = 0.0
    for bits, count in counts.items():
        weight = math.prod(pair[bits[-1 - number] == "1"] for number, pair in weights)
        first += count * weight
        second += count * weight * weight
    mean = first / shots
    # The floor stands for outcomes that so few shots could not show.
    variance = max(second / shots - mean * mean, 1 / (shots + 1))
    return mean, math.sqrt(variance / shots)
