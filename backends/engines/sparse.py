"""Our own exact sparse state: the basis states that have an amplitude, and their amplitudes, in NumPy.

For programs in which few qubits branch, as arithmetic over a superposition of a few numbers: gates that permute basis
states or turn phases cost a pass over the terms, only gates that branch can add any. The number of terms is capped, so
a wrong guess costs little.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.engines.ending import ending_of
from backends.engines.port import Budget, Expected, GaveUp, How, Pauli, Sampled, Unsuited
from backends.engines.traits import Traits
from backends.matrices import matrix_of
from backends.program import Op, Program

QUBITS_MAX = 62
TERMS_MAX = 1 << 21
_BYTES_PER_TERM = 160
_DROPPED = 1e-30
"""Squared amplitudes below this are rounding: what interference has cancelled."""
_GATE_QUBITS_MAX = 8

_FLIPS = {"x": 0, "cx": 1, "ccx": 2}
_SWAPS = {"swap": 0, "cswap": 1}
_PHASES = {"z": cmath.pi, "s": cmath.pi / 2, "sdg": -cmath.pi / 2, "t": cmath.pi / 4, "tdg": -cmath.pi / 4}
_CONTROLLED = {"ch": "h", "csx": "sx", "crx": "rx", "cry": "ry"}


class Sparse:
    """Terms in no order, each basis state at most once."""

    name = "sparse"
    licence = "Apache-2.0"
    version = "1"

    def available(self) -> bool:
        """It is ours."""
        return True

    def obstacle(self, traits: Traits) -> str | None:
        """Width of the index, random events before the end, wide matrices."""
        if not traits.terminal:
            return "outcomes are random before the end"
        if traits.busy > QUBITS_MAX:
            return f"{traits.busy} qubits are busy, at most {QUBITS_MAX} can be"
        return "it prepares no state from amplitudes" if "initialize" in traits.names else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Drawn from the terms' weights."""
        ending = ending_of(program)
        if ending is None:
            raise Unsuited("outcomes are random before the end")
        state = State(len(ending.lines), budget)
        for op in ending.local():
            state.apply(op)
        cumulative = np.cumsum(np.abs(state.amplitudes) ** 2)
        draws = np.random.default_rng(seed).random(shots) * cumulative[-1]
        chosen = np.minimum(np.searchsorted(cumulative, draws, side="right"), len(cumulative) - 1)
        return Sampled(ending.place_indices(state.indices[chosen]), self._how(state))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """Sums over the terms."""
        ending = ending_of(program)
        if ending is None:
            raise Unsuited("outcomes are random before the end")
        state = State(len(ending.lines), budget)
        for op in ending.local():
            state.apply(op)
        values = []
        for pauli in paulis:
            if any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines):
                values.append(0.0)
                continue
            values.append(state.value([(ending.lines[q], letter) for q, letter in pauli if q in ending.lines]))
        return Expected(tuple(values), 1e-9, self._how(state))

    def _how(self, state: State) -> How:
        return How(self.name, self.version, f"sparse state of {state.peak} terms at most")


class State:
    """The terms, and how many there have been at once."""

    __slots__ = ("_terms_max", "amplitudes", "indices", "peak")

    def __init__(self, width: int, budget: Budget) -> None:
        if width > QUBITS_MAX:
            raise Unsuited(f"{width} qubits are busy, at most {QUBITS_MAX} can be")
        self.indices: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.amplitudes: NDArray[np.complex128] = np.ones(1, dtype=np.complex128)
        self.peak = 1
        self._terms_max = min(TERMS_MAX, budget.memory_bytes // _BYTES_PER_TERM)

    def apply(self, op: Op) -> None:
        """One gate."""
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
