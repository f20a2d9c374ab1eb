"""Our own exact sparse state: the basis states that have an amplitude, and their amplitudes, in NumPy.

For programs in which few qubits branch, as arithmetic over a superposition of a few numbers: gates that permute basis
states or turn phases cost a pass over the terms, only gates that branch can add any. The number of terms is capped, so
a wrong guess costs little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backends.engines import shared_runs
from backends.engines.ending import ending_of
from backends.engines.port import Budget, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.sparse_state import QUBITS_MAX, State
from backends.engines.traits import Traits
from backends.program import Program


class Sparse:
    """Terms in no order, each basis state at most once."""

    name = "sparse"
    licence = "Apache-2.0"
    version = "1"

    def available(self) -> bool:
        """It is ours."""
        return True

    def obstacle(self, traits: Traits) -> str | None:
        """Width of the index, states from amplitudes."""
        if traits.busy > QUBITS_MAX:
            return f"{traits.busy} qubits are busy, at most {QUBITS_MAX} can be"
        return "it prepares no state from amplitudes" if "initialize" in traits.names else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Drawn from the terms' weights."""
        ending = ending_of(program)
        if ending is None:
            bits, peak = shared_runs.run(program, shots, seed, budget)
            return Sampled(bits, self._how(peak))
        state = State(len(ending.lines), budget)
        for op in ending.local():
            state.apply(op)
        cumulative = np.cumsum(np.abs(state.amplitudes) ** 2)
        draws = np.random.default_rng(seed).random(shots) * cumulative[-1]
        chosen = np.minimum(np.searchsorted(cumulative, draws, side="right"), len(cumulative) - 1)
        return Sampled(ending.place_indices(state.indices[chosen]), self._how(state.peak))

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
        return Expected(tuple(values), 1e-9, self._how(state.peak))

    def _how(self, peak: int) -> How:
        return How(self.name, self.version, f"sparse state of {peak} terms at most")
