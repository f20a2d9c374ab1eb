"""Matrix product states of our own, in NumPy: for wide programs of little entanglement, and where nobody can foretell
whether they are such.

What libraries offer runs to its end, truncates in silence or draws shot by shot; here the work is counted gate by
gate, so a wrong guess costs what was allowed and no more, every truncation is added up and told, and shots are drawn
together.

Right-canonical tensors and the singular values between them, updated without a division (M. B. Hastings, Light-cone
matrix product, J. Math. Phys. 50, 095207 (2009)); singular vectors come from the Gram matrix, whose rounding (10⁻¹⁶ of
the weight) lies far below what is dropped anyway, in half the time of a singular value decomposition.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.engines.ending import Ending, ending_of
from backends.engines.lowering import lowered
from backends.engines.port import Budget, Expected, GaveUp, How, Pauli, Sampled, Unsuited
from backends.engines.traits import Traits
from backends.matrices import matrix_of
from backends.program import GATES, Op, Program
from backends.registers import Bits

Tensor = NDArray[np.complex128]

_KNOWN = frozenset(name for name, (width, _) in GATES.items() if width <= 2)
_DROPPED = 1e-14
"""The share of a state's weight that may be dropped at one cut in one step."""
_LOST_MAX = 4e-3
"""How far the state may move in all: a fidelity of 0.992 at least."""
_STEP_S, _CUBE_S = 6e-5, 2.6e-9
"""What one update takes: in all, and for each element of the Gram matrix cubed (docs/decisions/0012)."""
_DRAW_S = 2e-9
_PAULIS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=complex),
    "Z": np.array([[1, 0], [0, -1]], dtype=complex),
}
# Gates count their first qubit lowest; a pair of neighbours counts its left one highest.
_TURNED = np.array([0, 2, 1, 3])


class MatrixProductState:
    """The engine: terminal measurements only."""

    name = "mps"
    licence = "Apache-2.0"
    version = "1"

    def available(self) -> bool:
        """It is ours."""
        return True

    def obstacle(self, traits: Traits) -> str | None:
        """Random events before the end, states from amplitudes."""
        if not traits.terminal:
            return "outcomes are random before the end"
        return "it prepares no state from amplitudes" if "initialize" in traits.names else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Drawn from left to right, all shots that agree so far together."""
        ending = _ending(program)
        if not ending.asked:
            return Sampled(np.zeros((shots, program.clbits), dtype=np.uint8), self._how(None))
        state = _evolved(ending, budget)
        drawn = state.draw(shots, np.random.default_rng(seed))
        return Sampled(ending.place(drawn[:, [state.place[line] for line in ending.asked]]), self._how(state))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """Each product between its outermost qubits only."""
        ending = _ending(program)
        state = _evolved(ending, budget)
        values = []
        for pauli in paulis:
            if any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines):
                values.append(0.0)
                continue
            values.append(state.value([(ending.lines[q], letter) for q, letter in pauli if q in ending.lines]))
        return Expected(tuple(values), 1e-9 + 2 * state.lost, self._how(state))

    def _how(self, state: State | None) -> How:
        if state is None:
            return How(self.name, self.version, "matrix product state")
        note = f"dropped singular values moved the state by {state.lost:.1e} at most" if state.lost else ""
        how = f"matrix product state, bonds up to {state.peak}"
        return How(self.name, self.version, how, (1 - state.lost) ** 2, note)


def _ending(program: Program) -> Ending:
    ending = ending_of(program)
    if ending is None:
        raise Unsuited("outcomes are random before the end")
    return ending


def _evolved(ending: Ending, budget: Budget) -> State:
    state = State(len(ending.lines), budget)
    for op in lowered(ending.local(), _KNOWN):
        state.apply(op)
    state.settle()
    return state


class State:
    """A line of tensors (left, value, right). `place` tells where on the line a qubit stands: it moves with swaps.

    `lost`: how far truncation has moved the state, as the sum of the norms of what was dropped, to first order.
    """

    __slots__ = ("_budget", "_free", "_seconds", "_tensors", "_weights", "lost", "peak", "place", "qubit")

    def __init__(self, width: int, budget: Budget) -> None:
        zero = np.array([1, 0], dtype=complex).reshape(1, 2, 1)
        self._tensors: list[Tensor] = [zero] * width
        self._weights: list[NDArray[np.float64]] = [np.ones(1)] * (width + 1)
        self._free: list[Tensor | None] = [None] * width
        self._budget = budget
        self._seconds = 0.0
        self.place = list(range(width))
        self.qubit = list(range(width))
        self.lost = 0.0
        self.peak = 1

    def apply(self, op: Op) -> None:
        """One gate on one or two qubits; a swap moves nothing but names."""
        if len(op.qubits) == 1:
            at = self.place[op.qubits[0]]
            before, matrix = self._free[at], matrix_of(op)
            self._free[at] = matrix if before is None else matrix @ before
        elif op.name == "swap":
            self._rename(*op.qubits)
        else:
            first, second = op.qubits
            moved = self._bring_together(first, second)
            matrix = matrix_of(op)
            if self.place[first] < self.place[second]:
                matrix = matrix[_TURNED][:, _TURNED]
            self._update(min(self.place[first], self.place[second]), matrix)
            # Back again: on another line the same state may be far more entangled.
            for at in reversed(moved):
                self._exchange(at)

    def settle(self) -> None:
        """Work in what single-qubit gates have been put off."""
        for at, matrix in enumerate(self._free):
            if matrix is not None:
                self._tensors[at] = np.matmul(matrix, self._tensors[at])
                self._free[at] = None

    def draw(self, shots: int, rng: np.random.Generator) -> Bits:
        """Outcomes by place on the line, shape (shots, width)."""
        counts = np.array([shots])
        rows = np.zeros((1, len(self._tensors)), dtype=np.uint8)
        vectors = np.ones((1, 1), dtype=complex)
        for at, tensor in enumerate(self._tensors):
            left, _, right = tensor.shape
            self._spend(_DRAW_S * len(counts) * left * right)
            both = (vectors @ tensor.reshape(left, 2 * right)).reshape(len(counts), 2, right)
            chances = np.square(both.real).sum(axis=2) + np.square(both.imag).sum(axis=2)
            ones = rng.binomial(counts, np.clip(chances[:, 1] / chances.sum(axis=1), 0, 1))
            split = np.stack([counts - ones, ones], axis=1)
            kept, value = np.nonzero(split)
            counts = split[kept, value]
            rows = rows[kept]
            rows[:, at] = value
            vectors = both[kept, value] / np.sqrt(chances[kept, value])[:, None]
        drawn: Bits = np.repeat(rows, counts, axis=0)[rng.permutation(shots)]
        return drawn

    def value(self, pauli: Sequence[tuple[int, str]]) -> float:
        """The expectation value of one product: right of it tensors are orthonormal, left of it weights tell all."""
        if not pauli:
            return 1.0
        letters = {self.place[qubit]: letter for qubit, letter in pauli}
        first, last = min(letters), max(letters)
        edge: Tensor = np.diag(self._weights[first] ** 2).astype(complex)
        for at in range(first, last + 1):
            tensor = self._tensors[at]
            left, _, right = tensor.shape
            self._spend(_DRAW_S * left * right * (left + right))
            turned = np.matmul(_PAULIS[letters[at]], tensor) if at in letters else tensor
            half = (edge @ turned.reshape(left, 2 * right)).reshape(2 * left, right)
            edge = tensor.reshape(2 * left, right).conj().T @ half
        return float(np.trace(edge).real)

    def _rename(self, one: int, other: int) -> None:
        place, qubit = self.place, self.qubit
        place[one], place[other] = place[other], place[one]
        qubit[place[one]], qubit[place[other]] = one, other

    def _bring_together(self, one: int, other: int) -> list[int]:
        """Swap the qubits between out of the way, from the side whose bonds are smaller; where, in order."""
        low, high = sorted((self.place[one], self.place[other]))
        bonds = [len(self._weights[at]) for at in range(low + 1, high + 1)]
        middle = low if sum(bonds[:-1]) >= sum(bonds[1:]) else high - 1
        moved = [*range(low, middle), *range(high - 1, middle, -1)]
        for at in moved:
            self._exchange(at)
        return moved

    def _exchange(self, at: int) -> None:
        self._update(at, None)
        self._rename(self.qubit[at], self.qubit[at + 1])

    def _update(self, at: int, matrix: Tensor | None) -> None:
        """A gate on two neighbours, left one highest; None exchanges them."""
        one, other = self._tensors[at], self._tensors[at + 1]
        left, _, middle = one.shape
        right = other.shape[2]
        self._spend(_STEP_S + _CUBE_S * 8 * right**3 + 1e-9 * left * right * (middle + right))
        joined = (one.reshape(2 * left, middle) @ other.reshape(middle, 2 * right)).reshape(left, 4, right)
        gate = self._with_free(at, matrix)
        joined = joined[:, _TURNED] if gate is None else np.matmul(gate, joined)
        weighed = (self._weights[at][:, None, None] * joined).reshape(2 * left, 2 * right)
        squares, vectors = np.linalg.eigh(weighed.conj().T @ weighed)
        total = squares.sum()
        below = np.cumsum(np.maximum(squares, 0.0))
        drop = min(int(np.searchsorted(below, _DROPPED * total, side="right")), len(squares) - 1)
        drop = max(drop, len(squares) - 2 * min(left, right))
        if drop:
            self._lose(float(below[drop - 1] / total))
        kept = vectors[:, drop:]
        self._weights[at + 1] = np.sqrt(squares[drop:] / squares[drop:].sum())
        self._tensors[at + 1] = np.ascontiguousarray(kept.conj().T).reshape(-1, 2, right)
        self._tensors[at] = (joined.reshape(2 * left, 2 * right) @ kept).reshape(left, 2, -1)
        self.peak = max(self.peak, kept.shape[1])

    def _with_free(self, at: int, matrix: Tensor | None) -> Tensor | None:
        """The gate after the single-qubit gates that wait on both places."""
        left, right = self._free[at], self._free[at + 1]
        if left is None and right is None:
            return matrix
        self._free[at] = self._free[at + 1] = None
        identity = np.eye(2, dtype=complex)
        waiting = np.kron(identity if left is None else left, identity if right is None else right)
        return waiting[_TURNED] if matrix is None else matrix @ waiting

    def _lose(self, share: float) -> None:
        # Below rounding nothing was there.
        if share > 1e-15:
            self.lost += math.sqrt(share)
            if self.lost > _LOST_MAX:
                raise GaveUp(f"truncation moves the state by more than {_LOST_MAX:g}")

    def _spend(self, seconds: float) -> None:
        """Count work. By formula and not by a clock: the same program gets the same answer on every machine."""
        self._seconds += seconds
        if self._seconds > self._budget.seconds:
            raise GaveUp(f"its work exceeds {self._budget.seconds:.2g} s, at bonds of {self.peak}")
        if 64 * self.peak * self.peak * len(self._tensors) > self._budget.memory_bytes:
            raise MemoryError(f"bonds of {self.peak} on {len(self._tensors)} qubits")
