"""A PUB with many parameter sets over a few qubits, all sets together.

Where every set goes through reductions, the router and an engine's own conversion by itself, nine tenths of its time
are spent around the simulation (`make bench-bindings`). Shots are drawn from exact probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backends.columns import States, apply, zero_states
from backends.engines.ending import Ending
from backends.engines.port import Expected, How, Sampled
from backends.estimating import pairs_of
from backends.parameters import Values
from backends.paulis import masks, narrow, pauli_of
from backends.program import Op, busy, readout
from backends.programming import Template
from backends.registers import pack_indices, registers_of
from backends.trust import watch
from backends.work import EstimatorPub, SamplerPub

NAME = "sweep"
HOW = How(NAME, "1", "state vectors of all parameter sets together")
ERROR = 1e-9
"""How far a value may be off: rounding."""

QUBITS_MAX = 10
_SETS_MIN = 8
"""Fewer are as quick one by one, and reductions may help them."""
WIDEST_MAX = 4
_AMPLITUDES_AT_ONCE = 1 << 16
"""A megabyte: what the nearest caches hold."""
_SHOTS_AT_ONCE = 1 << 20

Packed = dict[str, tuple[int, NDArray[np.uint8]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Gates with their positions in the template, on its busy qubits as `lines` counts them, and what is measured."""

    gates: tuple[tuple[int, Op], ...]
    lines: dict[int, int]
    outcome: dict[int, int]


def takes(template: Template, sets: int) -> bool:
    """Whether a PUB of so many parameter sets is run here."""
    program = template.program
    return (
        sets >= _SETS_MIN
        and bool(template.binding.places)
        and len(busy(program.operations)) <= QUBITS_MAX
        and all(op.name != "initialize" and len(op.qubits) <= WIDEST_MAX for op in program.operations)
        and readout(program) is not None
    )


def sampled(pub: SamplerPub, template: Template, seed: int) -> Packed:
    """All registers of the PUB, each of shape (*pub shape, shots, bytes)."""
    plan = _plan(template)
    sets = math.prod(pub.shape)
    # A stream of its own for each of two uses: so the draws of a set do not depend on how many are drawn at once.
    counting, mixing = np.random.default_rng(seed).spawn(2)
    source = {bit: plan.lines[qubit] for bit, qubit in plan.outcome.items() if qubit in plan.lines}
    registers = registers_of(pub.circuit.circuit)
    packed = {one.name: np.empty((sets, pub.shots, one.bytes), dtype=np.uint8) for one in registers}
    values = pub.values.reshape(sets, pub.values.shape[-1])
    for start, states in _states(template, plan, values, max(1, _SHOTS_AT_ONCE // pub.shots)):
        indices = drawn(states, pub.shots, counting, mixing)
        if start == 0 and watch.wanted(HOW):
            program = next(template.programs(values[:1]))
            watch.sampled(program, Sampled(Ending(program, plan.outcome).place_indices(indices[0]), HOW))
        for one in registers:
            bits = pack_indices(one, indices.ravel(), source)
            packed[one.name][start : start + len(indices)] = bits.reshape(*indices.shape, one.bytes)
    return {
        one.name: (len(one.slots), packed[one.name].reshape((*pub.shape, pub.shots, one.bytes))) for one in registers
    }


def drawn(states: States, shots: int, counting: np.random.Generator, mixing: np.random.Generator) -> NDArray[np.int64]:
    """Basis states, shape (sets, shots): how often each is seen, in random order. Half the time of a search a shot."""
    weights = np.ascontiguousarray((np.square(states.real) + np.square(states.imag)).T)
    weights /= weights.sum(axis=1, keepdims=True)
    counts = counting.multinomial(shots, weights)
    basis = np.tile(np.arange(len(states), dtype=np.int16), len(counts))
    in_order = np.repeat(basis, counts.ravel()).reshape(len(counts), shots)
    found: NDArray[np.int64] = mixing.permuted(in_order, axis=1).astype(np.int64)
    return found


def estimated(pub: EstimatorPub, template: Template) -> tuple[NDArray[np.float64], float]:
    """Values of the PUB's broadcast shape, and how far any may be off."""
    plan = _plan(template)
    sets = math.prod(pub.values.shape[:-1])
    pairs = pairs_of(pub, sets)
    sums = pub.observables.sums
    narrowed = [narrow(label, plan.lines) for label in pub.observables.labels]
    evs = np.zeros(math.prod(pub.shape))
    values = pub.values.reshape(sets, pub.values.shape[-1])
    for start, states in _states(template, plan, values, sets):
        users: dict[int, list[int]] = {}
        for column in range(states.shape[1]):
            for label in {label for position in pairs[start + column][1] for label, _ in sums[position]}:
                users.setdefault(label, []).append(column)
        known = np.zeros((len(narrowed), states.shape[1]))
        for label, columns in users.items():
            text = narrowed[label]
            if text is not None:
                asked = states if len(columns) == states.shape[1] else states[:, columns]
                known[label, columns] = values_of(asked, text)
        if start == 0 and watch.wanted(HOW):
            asked_first = [label for label, columns in users.items() if columns[0] == 0]
            found = Expected(tuple(known[asked_first, 0].tolist()), ERROR, HOW)
            paulis = [pauli_of(pub.observables.labels[label]) for label in asked_first]
            watch.valued(next(template.programs(values[:1])), paulis, found)
        for column in range(states.shape[1]):
            for target, position in zip(*pairs[start + column], strict=True):
                evs[target] = sum(weight * known[label, column] for label, weight in sums[position])
    error = max((sum(abs(weight) for _, weight in one) for one in sums), default=0.0) * ERROR
    return evs.reshape(pub.shape), error


def _plan(template: Template) -> _Plan:
    program = template.program
    lines = {qubit: line for line, qubit in enumerate(busy(program.operations))}
    gates = tuple(
        (position, op._replace(qubits=tuple([lines[qubit] for qubit in op.qubits])))
        for position, op in enumerate(program.operations)
        if op.name not in ("measure", "reset")
    )
    return _Plan(gates, lines, readout(program) or {})


def _states(template: Template, plan: _Plan, values: Values, most: int) -> Iterator[tuple[int, States]]:
    """Final states, at most so many sets at a time: the first's number, and an array of shape (basis states, sets)."""
    at_once = min(most, max(1, _AMPLITUDES_AT_ONCE >> len(plan.lines)))
    for start in range(0, len(values), at_once):
        angles: dict[int, dict[int, NDArray[np.float64]]] = {}
        for (position, place), numbers in template.binding.fill(values[start : start + at_once]):
            angles.setdefault(position, {})[place] = np.asarray(numbers)
        states = zero_states(len(plan.lines), len(values[start : start + at_once]))
        for position, op in plan.gates:
            apply(states, op, angles.get(position, {}))
        yield start, states


def values_of(states: States, label: str) -> NDArray[np.float64]:
    """The values of a Pauli label in the columns: P|i> is a phase times |i with some bits flipped>."""
    flips, signs, ys = masks(label) if label else (0, 0, 0)
    basis = np.arange(len(states))
    odd = np.bitwise_count(basis & signs) & 1
    phases = (1j**ys) * np.where(odd, -1.0, 1.0)
    moved = states if not flips else states[basis ^ flips]
    found: NDArray[np.float64] = np.einsum("ij,i,ij->j", moved.conj(), phases, states).real
    return found
