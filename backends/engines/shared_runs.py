"""All shots of a program that measures on its way, in one sparse state: shots that have seen the same stay together.

A term's index carries, above the qubits, the number of the *branch* it belongs to: the shots whose outcomes agree so
far. Gates need not know of branches, as they treat every one alike; a measurement draws how many of a branch's shots
see a 1 and splits it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backends.engines.port import Budget, GaveUp
from backends.engines.sparse_state import QUBITS_MAX, State
from backends.program import Clause, Op, Program, busy
from backends.registers import Bits

Mask = NDArray[np.bool_]


def run(program: Program, shots: int, seed: int, budget: Budget) -> tuple[Bits, int]:
    """Outcomes, shape (shots, clbits), in random order; and the most terms there have been at once."""
    runs = _Runs(program, shots, np.random.default_rng(seed), budget)
    last = len(program.operations)
    while last and program.operations[last - 1].name == "measure" and not program.operations[last - 1].condition:
        last -= 1
    for op in program.operations[:last]:
        runs.step(op)
    return runs.end(program.operations[last:]), runs.state.peak


class _Runs:
    """`counts` and `rows` give each branch its shots and its classical bits; each branch's terms have norm one."""

    __slots__ = ("_counts", "_lines", "_rng", "_rows", "_width", "state")

    def __init__(self, program: Program, shots: int, rng: np.random.Generator, budget: Budget) -> None:
        self._lines = {qubit: line for line, qubit in enumerate(busy(program.operations))}
        self._width = len(self._lines)
        if self._width + shots.bit_length() > QUBITS_MAX:
            raise GaveUp(f"{self._width} qubits and {shots} shots exceed an index of {QUBITS_MAX} bits")
        self.state = State(self._width, budget)
        self._rng = rng
        self._counts = np.array([shots])
        self._rows = np.zeros((1, program.clbits), dtype=np.uint8)

    def step(self, op: Op) -> None:
        """One operation, on the branches in which its condition holds."""
        held = np.ones(len(self._counts), dtype=bool)
        for clause in op.condition:
            held &= self._holds(clause)
        if not held.any():
            return
        if op.name == "measure":
            self._look(op.qubits[0], held, op.clbits[0])
        elif op.name == "reset":
            self._look(op.qubits[0], held, None)
        else:
            moved = op._replace(qubits=tuple([self._lines[qubit] for qubit in op.qubits]), condition=())
            self._among(held, moved)

    def end(self, measured: tuple[Op, ...]) -> Bits:
        """The last measurements, all at once."""
        indices, weights = self.state.indices, np.abs(self.state.amplitudes) ** 2
        branches = indices >> self._width
        order = np.argsort(branches, kind="stable")
        norms = np.bincount(branches, weights, len(self._counts))
        # Branch k fills the stretch from k to k + 1.
        cumulative = np.cumsum((weights / norms[branches])[order])
        shot_of = np.repeat(np.arange(len(self._counts)), self._counts)
        draws = shot_of + self._rng.random(len(shot_of)) * (1 - 1e-9)
        places = np.minimum(np.searchsorted(cumulative, draws, side="right"), len(order) - 1)
        chosen = indices[order[places]]
        bits: Bits = self._rows[shot_of]
        for op in measured:
            line = self._lines.get(op.qubits[0])
            bits[:, op.clbits[0]] = 0 if line is None else (chosen >> line) & 1
        shuffled: Bits = bits[self._rng.permutation(len(bits))]
        return shuffled

    def _holds(self, clause: Clause) -> Mask:
        shape = len(clause.bits)
        weights = 1 << np.arange(shape, dtype=object) if shape > QUBITS_MAX else 1 << np.arange(shape)
        numbers = self._rows[:, list(clause.bits)].astype(weights.dtype) @ weights
        found: Mask = np.isin(numbers, np.array(clause.values, dtype=weights.dtype)) == clause.inside
        return found

    def _among(self, held: Mask, op: Op) -> None:
        """A gate on the terms of some branches."""
        if held.all():
            self.state.apply(op)
            return
        state = self.state
        chosen = held[state.indices >> self._width]
        rest = state.indices[~chosen], state.amplitudes[~chosen]
        state.indices, state.amplitudes = state.indices[chosen], state.amplitudes[chosen]
        state.apply(op)
        state.indices = np.concatenate((state.indices, rest[0]))
        state.amplitudes = np.concatenate((state.amplitudes, rest[1]))
        state.peak = max(state.peak, len(state.indices))

    def _look(self, qubit: int, held: Mask, bit: int | None) -> None:
        """Split every held branch by the outcome of a qubit; it is told to a bit, or taken back to 0."""
        line = self._lines.get(qubit)
        if line is None:
            if bit is not None:
                self._rows[held, bit] = 0
            return
        state, branches = self.state, self.state.indices >> self._width
        state.spend(1)
        ones = (state.indices >> line) & 1
        weights = np.abs(state.amplitudes) ** 2
        total = np.bincount(branches, weights, len(held))
        chances = np.bincount(branches, weights * ones, len(held)) / total
        seen = np.where(held, self._rng.binomial(self._counts, np.clip(chances, 0, 1)), 0)
        # Columns: what becomes of terms with the qubit at 0 and at 1. Where it is not held, both have one number.
        split = np.stack([self._counts - seen, seen], axis=1)
        alive = split > 0
        numbers = np.cumsum(alive.ravel()).reshape(alive.shape) - 1
        going = np.where(held[:, None], alive, True)[branches, ones]
        self._keep(going, numbers[branches, ones], held[branches], chances[branches], ones)
        kept_branch, outcome = np.nonzero(alive)
        self._counts = split[kept_branch, outcome]
        self._rows = self._rows[kept_branch]
        told = held[kept_branch]
        if bit is not None:
            self._rows[told, bit] = outcome[told]
        elif told.any():
            clear = told[state.indices >> self._width]
            state.indices = np.where(clear, state.indices & ~(1 << line), state.indices)

    def _keep(
        self,
        going: Mask,
        numbers: NDArray[np.int64],
        held: Mask,
        chances: NDArray[np.float64],
        ones: NDArray[np.int64],
    ) -> None:
        """Drop the terms of outcomes that no shot has seen, number branches anew, and norm the rest."""
        state = self.state
        basis = state.indices & ((1 << self._width) - 1)
        norms = np.sqrt(np.where(held, np.where(ones, chances, 1 - chances), 1.0)[going])
        state.indices = (basis | (numbers << self._width))[going]
        state.amplitudes = state.amplitudes[going] / norms
