"""Readout errors of single qubits, measured on the device and undone.

Values of Pauli products are corrected exactly by the inverse of the product of single-qubit error matrices, which is a
weight for each bit. Distributions are corrected as M3 does (Nation et al., PRX Quantum 2, 040326): the matrix is
restricted to the bit strings that were seen, its columns are normalised, and a linear system is solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from scipy.sparse.linalg import LinearOperator, bicgstab

from backends.mitigation.decoupling import Unfit

Counts = Mapping[str, int]
METHOD = "inverse of single-qubit error matrices"
METHOD_M3 = "M3 (matrix restricted to the observed bit strings)"
_LEAST_CONTRAST = 0.05
_DENSE_STRINGS = 1024
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class ReadoutError:
    """One qubit: how likely 0 is read as 1, and 1 as 0."""

    one_for_zero: float
    zero_for_one: float

    @property
    def weights(self) -> tuple[float, float]:
        """What a 0 and a 1 count in the corrected value of Z; 1 and -1 without errors."""
        contrast = 1 - self.one_for_zero - self.zero_for_one
        difference = self.one_for_zero - self.zero_for_one
        return (1 + difference) / contrast, (-1 + difference) / contrast


def calibration_circuits(width: int, qubits: Sequence[int]) -> list[QuantumCircuit]:
    """Two circuits that measure these qubits of a device: all in 0, all in 1."""
    circuits = []
    for ones in (False, True):
        circuit = QuantumCircuit(width, len(qubits))
        if ones:
            circuit.x(list(qubits))
            circuit.barrier()
        circuit.measure(list(qubits), range(len(qubits)))
        circuits.append(circuit)
    return circuits


def errors_of(zeros: Counts, ones: Counts, qubits: Sequence[int]) -> dict[int, ReadoutError]:
    """Each qubit's errors from the counts of the two calibration circuits; half a count is added to each outcome."""
    found = {}
    for place, qubit in enumerate(qubits):
        wrong = [
            (0.5 + sum(count for bits, count in counts.items() if bits[-1 - place] == bad)) / (1 + sum(counts.values()))
            for counts, bad in ((zeros, "1"), (ones, "0"))
        ]
        if 1 - wrong[0] - wrong[1] < _LEAST_CONTRAST:
            raise Unfit(f"qubit {qubit} reads 0 and 1 nearly alike, which nothing can undo")
        found[qubit] = ReadoutError(*wrong)
    return found


def quasi_distribution(counts: Counts, errors: Sequence[ReadoutError]) -> dict[str, float]:
    """Corrected shares of the bit strings seen, which add up to 1 and may be below 0; `errors` by clbit, 0 first."""
    strings = sorted(counts)
    total = sum(counts.values())
    if not strings or not total:
        return {}
    bits = np.array([[int(letter) for letter in reversed(string)] for string in strings], dtype=np.uint8)
    seen = np.array([counts[string] / total for string in strings])
    matrix = _Restricted(bits, errors)
    if len(strings) <= _DENSE_STRINGS:
        solved = np.linalg.solve(matrix.columns(0, len(strings)), seen)
    else:
        size = len(strings)
        operator = LinearOperator((size, size), matvec=matrix.times, dtype=float)
        preconditioner = LinearOperator((size, size), matvec=lambda vector: vector / matrix.diagonal, dtype=float)
        solved, failed = bicgstab(operator, seen, rtol=_TOLERANCE, M=preconditioner, maxiter=100)
        if failed:
            raise Unfit("the corrected distribution was not found in 100 rounds")
    return dict(zip(strings, (solved / solved.sum()).tolist(), strict=True))


class _Restricted:
    """How likely each seen string is read when another seen one was there; columns add up to 1."""

    def __init__(self, bits: NDArray[np.uint8], errors: Sequence[ReadoutError]) -> None:
        self._bits = bits
        # log P(read | there) = Σ over clbits of one of four numbers: two matrix products tell all pairs.
        table = np.log(
            np.clip(
                [[[1 - e.one_for_zero, e.zero_for_one], [e.one_for_zero, 1 - e.zero_for_one]] for e in errors], 1e-15, 1
            )
        ).reshape(-1, 2, 2)
        self._zero, self._one = table[:, 0, :], table[:, 1, :]
        self._batch = max(1, 2**22 // max(1, len(bits)))
        raw = [self._raw(start, start + self._batch) for start in range(0, len(bits), self._batch)]
        self._sums = np.concatenate([part.sum(axis=0) for part in raw])
        own = np.arange(len(bits))
        self.diagonal = (
            np.exp(np.where(bits == 0, self._zero[:, 0], self._one[:, 1]).sum(axis=1)) / self._sums[own]
            if bits.shape[1]
            else np.ones(len(bits))
        )

    def columns(self, start: int, end: int) -> NDArray[np.float64]:
        """Some columns of the matrix."""
        found: NDArray[np.float64] = self._raw(start, end) / self._sums[start:end]
        return found

    def times(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Matrix times vector, without ever holding the matrix."""
        vector = np.ravel(vector)
        total = np.zeros(len(self._bits))
        for start in range(0, len(vector), self._batch):
            total += self.columns(start, start + self._batch) @ vector[start : start + self._batch]
        return total

    def _raw(self, start: int, end: int) -> NDArray[np.float64]:
        there = self._bits[start:end].astype(float)
        if_zero = (1 - there) * self._zero[:, 0] + there * self._zero[:, 1]
        if_one = (1 - there) * self._one[:, 0] + there * self._one[:, 1]
        read = self._bits.astype(float)
        found: NDArray[np.float64] = np.exp((1 - read) @ if_zero.T + read @ if_one.T)
        return found
