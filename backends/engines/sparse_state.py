"""The terms of a sparse state, and what gates do to them: permutations and phases cost a pass, branching a sort."""

from __future__ import annotations

import cmath
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.engines.port import Budget, GaveUp, Unsuited
from backends.matrices import matrix_of
from backends.program import Op

QUBITS_MAX = 62
TERMS_MAX = 1 << 21
_BYTES_PER_TERM = 160
_DROPPED = 1e-30
"""Squared amplitudes below this are rounding: what interference has cancelled."""
_GATE_QUBITS_MAX = 8
_GATE_S, _TERM_S, _SORTED_S = 2e-5, 5e-8, 2e-7
"""What a gate takes: in all, for each term, and for each term that has to be sorted among the others."""

_FLIPS = {"x": 0, "cx": 1, "ccx": 2}
_SWAPS = {"swap": 0, "cswap": 1}
_PHASES = {"z": cmath.pi, "s": cmath.pi / 2, "sdg": -cmath.pi / 2, "t": cmath.pi / 4, "tdg": -cmath.pi / 4}
_CONTROLLED = {"ch": "h", "csx": "sx", "crx": "rx", "cry": "ry"}


class State:
    """The terms, and how many there have been at once."""

    __slots__ = ("_seconds_max", "_terms_max", "amplitudes", "indices", "peak", "seconds")

    def __init__(self, width: int, budget: Budget) -> None:
        if width > QUBITS_MAX:
            raise Unsuited(f"{width} qubits are busy, at most {QUBITS_MAX} can be")
        self.indices: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.amplitudes: NDArray[np.complex128] = np.ones(1, dtype=np.complex128)
        self.peak = 1
        self.seconds = 0.0
        self._seconds_max = budget.seconds
        self._terms_max = min(TERMS_MAX, budget.memory_bytes // _BYTES_PER_TERM)

    def apply(self, op: Op) -> None:
        """One gate."""
        self.spend(1)
        name, qubits = op.name, op.qubits
        if name in _FLIPS or name == "mcx":
            self._flip(qubits[:-1], qubits[-1])
        elif name in _PHASES:
            self.amplitudes = self._turned(_mask(qubits), _PHASES[name])
        elif name in ("p", "cp", "mcp"):
            self.amplitudes = self._turned(_mask(qubits), op.params[0].real)
        elif name in ("cz", "ccz"):
            self.amplitudes = self._turned(_mask(qubits), cmath.pi)
        elif name in ("rz", "crz"):
            self._turn_both(qubits, op.params[0].real)
        elif name == "rzz":
            odd = ((self.indices >> qubits[0]) ^ (self.indices >> qubits[1])) & 1
            self.amplitudes = self.amplitudes * np.exp(0.5j * op.params[0] * (2 * odd - 1))
        elif name in _SWAPS:
            self._swap(qubits[:-2], qubits[-2], qubits[-1])
        elif name in _CONTROLLED:
            self._branch(qubits[:1], qubits[1:], matrix_of(Op(_CONTROLLED[name], (0,), op.params)))
        else:
            if len(qubits) > _GATE_QUBITS_MAX:
                raise Unsuited(f'"{name}" on {len(qubits)} qubits is too wide')
            self._branch((), qubits, matrix_of(op))

    def spend(self, passes: int, *, sorted_terms: int = 0) -> None:
        """Count work: by formula and not by a clock, so that answers are the same everywhere."""
        self.seconds += passes * (_GATE_S + _TERM_S * len(self.indices)) + _SORTED_S * sorted_terms
        if self.seconds > self._seconds_max:
            raise GaveUp(f"its work exceeds {self._seconds_max:.2g} s, at {len(self.indices)} terms")

    def value(self, pauli: Sequence[tuple[int, str]]) -> float:
        """The expectation value of one product."""
        flips = _mask([qubit for qubit, letter in pauli if letter in "XY"])
        signs = _mask([qubit for qubit, letter in pauli if letter in "YZ"])
        ys = sum(letter == "Y" for _, letter in pauli)
        weights = self.amplitudes * _parity_signs(self.indices & signs)
        if not flips:
            return float(np.real(np.vdot(self.amplitudes, weights)))
        order = np.argsort(self.indices)
        ordered = self.indices[order]
        targets = self.indices ^ flips
        places = np.minimum(np.searchsorted(ordered, targets), len(ordered) - 1)
        found = ordered[places] == targets
        partners = np.where(found, self.amplitudes[order[places]], 0)
        return float(np.real(1j**ys * np.vdot(partners, weights)))

    def _flip(self, controls: Sequence[int], target: int) -> None:
        if controls:
            mask = _mask(controls)
            self.indices = self.indices ^ (((self.indices & mask) == mask).astype(np.int64) << target)
        else:
            self.indices = self.indices ^ (1 << target)

    def _swap(self, controls: Sequence[int], left: int, right: int) -> None:
        unequal = ((self.indices >> left) ^ (self.indices >> right)) & 1
        if controls:
            mask = _mask(controls)
            unequal &= ((self.indices & mask) == mask).astype(np.int64)
        self.indices = self.indices ^ (unequal << left) ^ (unequal << right)

    def _turned(self, mask: int, turn: float) -> NDArray[np.complex128]:
        turned: NDArray[np.complex128] = np.where(
            (self.indices & mask) == mask, self.amplitudes * cmath.exp(1j * turn), self.amplitudes
        )
        return turned

    def _turn_both(self, qubits: Sequence[int], turn: float) -> None:
        angles = turn * (((self.indices >> qubits[-1]) & 1) - 0.5)
        if len(qubits) > 1:
            angles = angles * ((self.indices >> qubits[0]) & 1)
        self.amplitudes = self.amplitudes * np.exp(1j * angles)

    def _branch(self, controls: Sequence[int], targets: Sequence[int], matrix: NDArray[np.complex128]) -> None:
        """A matrix on some qubits: terms that agree elsewhere are gathered in rows, and each row is multiplied."""
        indices, amplitudes = self.indices, self.amplitudes
        rest: tuple[NDArray[np.int64], NDArray[np.complex128]] | None = None
        if controls:
            mask = _mask(controls)
            chosen = (indices & mask) == mask
            if not chosen.any():
                return
            rest = indices[~chosen], amplitudes[~chosen]
            indices, amplitudes = indices[chosen], amplitudes[chosen]
        self.spend(0, sorted_terms=len(indices))
        columns = np.zeros(len(indices), dtype=np.int64)
        for place, qubit in enumerate(targets):
            columns |= ((indices >> qubit) & 1) << place
        bases, rows = np.unique(indices & ~_mask(targets), return_inverse=True)
        size = 1 << len(targets)
        if len(bases) * size > 2 * self._terms_max:
            raise GaveUp(f"more than {self._terms_max} basis states have an amplitude")
        gathered = np.zeros((len(bases), size), dtype=np.complex128)
        gathered[rows, columns] = amplitudes
        spread = np.zeros(size, dtype=np.int64)
        for place, qubit in enumerate(targets):
            spread |= ((np.arange(size) >> place) & 1) << qubit
        amplitudes = (gathered @ matrix.T).ravel()
        indices = (bases[:, None] | spread[None, :]).ravel()
        kept = amplitudes.real**2 + amplitudes.imag**2 > _DROPPED
        if not kept.all():
            indices, amplitudes = indices[kept], amplitudes[kept]
        if rest is not None:
            indices, amplitudes = np.concatenate((indices, rest[0])), np.concatenate((amplitudes, rest[1]))
        if len(indices) > self._terms_max:
            raise GaveUp(f"more than {self._terms_max} basis states have an amplitude")
        self.indices, self.amplitudes = indices, amplitudes
        self.peak = max(self.peak, len(indices))


def _mask(qubits: Sequence[int]) -> int:
    return sum(1 << qubit for qubit in qubits)


def _parity_signs(masked: NDArray[np.int64]) -> NDArray[np.float64]:
    """-1 where an odd number of bits is set."""
    folded = masked.copy()
    for shift in (32, 16, 8, 4, 2, 1):
        folded ^= folded >> shift
    return np.asarray(1.0 - 2.0 * (folded & 1), dtype=np.float64)
