"""The way of `backends.sweep` for a single program, as an engine to be asked for a second opinion.

Plain NumPy on a dense state, sharing nothing with the libraries; the router has quicker ones and does not ask it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from backends import sweep
from backends.columns import States, apply, zero_states
from backends.engines.ending import Ending, ending_of
from backends.engines.port import Budget, Engine, Expected, Pauli, Sampled, Unsuited
from backends.engines.traits import Traits
from backends.program import Program

NAME = sweep.NAME


class Reference:
    """States of up to ten qubits."""

    name = NAME
    licence = "Apache-2.0"
    version = sweep.HOW.version

    def available(self) -> bool:
        """It is ours."""
        return True

    def obstacle(self, traits: Traits) -> str | None:
        """Width, random events before the end, states from amplitudes."""
        if not traits.terminal:
            return "outcomes are random before the end"
        if traits.busy > sweep.QUBITS_MAX or traits.widest > sweep.WIDEST_MAX:
            return f"{traits.busy} qubits, {traits.widest} under one gate"
        return "it prepares no state from amplitudes" if "initialize" in traits.names else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Drawn from the exact distribution."""
        ending = _ending(program, budget)
        counting, mixing = np.random.default_rng(seed).spawn(2)
        indices = sweep.drawn(_state(ending), shots, counting, mixing)[0]
        return Sampled(ending.place_indices(indices), sweep.HOW)

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """From the state."""
        ending = _ending(program, budget)
        state = _state(ending)
        values = []
        for pauli in paulis:
            letters = ["I"] * len(ending.lines)
            for qubit, letter in pauli:
                if qubit in ending.lines:
                    letters[ending.lines[qubit]] = letter
            idle_flip = any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines)
            values.append(0.0 if idle_flip else float(sweep.values_of(state, "".join(reversed(letters)))[0]))
        return Expected(tuple(values), sweep.ERROR, sweep.HOW)


def unless(quarantined: Set[str]) -> Mapping[str, Engine]:
    """It, by its name, unless that is under quarantine."""
    return {} if NAME in quarantined else {NAME: Reference()}


def seconds_of(program: Program) -> float:
    """What a run is expected to take."""
    return 2e-4 + len(program.operations) * 6e-5


def _ending(program: Program, budget: Budget) -> Ending:
    ending = ending_of(program)
    if ending is None:
        raise Unsuited("outcomes are random before the end")
    if 64 << len(ending.lines) > budget.memory_bytes:
        raise MemoryError(f"a dense state of {len(ending.lines)} qubits")
    return ending


def _state(ending: Ending) -> States:
    states = zero_states(len(ending.lines), 1)
    for op in ending.local():
        apply(states, op, {})
    return states
