"""Qulacs: dense states in compiled code, quick to start. Its RX, RY and RZ turn the other way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import util
from typing import Any

import numpy as np

from backends.engines.ending import Ending, ending_of
from backends.engines.lowering import lowered
from backends.engines.port import Budget, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.release import release_of
from backends.engines.traits import Traits
from backends.matrices import matrix_of
from backends.program import Op, Program
from backends.registers import sample

_QUBITS_MAX = 30
_NAMES = {
    "x": "add_X_gate",
    "y": "add_Y_gate",
    "z": "add_Z_gate",
    "h": "add_H_gate",
    "s": "add_S_gate",
    "sdg": "add_Sdag_gate",
    "t": "add_T_gate",
    "tdg": "add_Tdag_gate",
    "cx": "add_CNOT_gate",
    "cz": "add_CZ_gate",
    "swap": "add_SWAP_gate",
}
_TURNS = {"rx": "add_RX_gate", "ry": "add_RY_gate", "rz": "add_RZ_gate"}
_DENSE = frozenset({"u", "p", "sx", "sxdg", "unitary"})
_KNOWN = frozenset({*_NAMES, *_TURNS, *_DENSE})


@cache
def _library() -> Any:
    import qulacs

    return qulacs


class OnQulacs:
    """The library's state vector."""

    name = "qulacs"
    licence = "MIT"

    @property
    def version(self) -> str:
        """Qulacs'."""
        return release_of("qulacs")

    def available(self) -> bool:
        """Whether it is installed."""
        return util.find_spec("qulacs") is not None

    def obstacle(self, traits: Traits) -> str | None:
        """Random events before the end, amplitudes, width."""
        if not traits.terminal:
            return "outcomes are random before the end"
        if "initialize" in traits.names:
            return "it prepares no state from amplitudes"
        return f"a dense state of {traits.busy} qubits is too wide" if traits.busy > _QUBITS_MAX else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """The state is taken out and drawn from."""
        ending = _ending(program, budget)
        if not ending.asked:
            return Sampled(np.zeros((shots, program.clbits), dtype=np.uint8), self._how())
        state = _state(ending.local(), len(ending.lines))
        drawn = sample(state.get_vector(), shots, np.random.default_rng(seed))
        return Sampled(ending.place_indices(drawn), self._how())

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """All products from one state."""
        ending = _ending(program, budget)
        library = _library()
        state = _state(ending.local(), max(1, len(ending.lines)))
        values = []
        for pauli in paulis:
            if any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines):
                values.append(0.0)
                continue
            text = " ".join(f"{letter} {ending.lines[qubit]}" for qubit, letter in pauli if qubit in ending.lines)
            values.append(float(library.PauliOperator(text, 1.0).get_expectation_value(state).real) if text else 1.0)
        return Expected(tuple(values), 1e-9, self._how())

    def _how(self) -> How:
        return How(self.name, self.version, "statevector")


def _ending(program: Program, budget: Budget) -> Ending:
    ending = ending_of(program)
    if ending is None:
        raise Unsuited("outcomes are random before the end")
    if 32 << len(ending.lines) > budget.memory_bytes:
        raise MemoryError(f"a dense state of {len(ending.lines)} qubits")
    return ending


def _state(gates: Iterable[Op], width: int) -> Any:
    library = _library()
    circuit = library.QuantumCircuit(width)
    for op in lowered(gates, _KNOWN):
        if op.name in _NAMES:
            getattr(circuit, _NAMES[op.name])(*op.qubits)
        elif op.name in _TURNS:
            getattr(circuit, _TURNS[op.name])(op.qubits[0], -op.params[0])
        else:
            circuit.add_dense_matrix_gate(list(op.qubits), matrix_of(op))
    state = library.QuantumState(width)
    circuit.update_quantum_state(state)
    return state
