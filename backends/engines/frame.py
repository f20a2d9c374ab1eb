"""Our own exact engine for circuits that are nearly Clifford: a frame around a dense state, at any width."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.engines.ending import Ending, ending_of
from backends.engines.frame_state import FrameState, Product, acted, times
from backends.engines.lowering import lowered
from backends.engines.port import Budget, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.traits import Traits
from backends.gates import TURNING, clifford_steps
from backends.program import Op, Program
from backends.registers import Bits

_FRAMED = frozenset({"h", "s", "sdg", "sx", "sxdg", "x", "y", "z", "cx", "cz", "swap"})
_TURNS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("rz", "p"), ("Z",)),
    "rx": ("X",),
    "ry": ("Y",),
    "rzz": ("Z", "Z"),
    "rxx": ("X", "X"),
    "ryy": ("Y", "Y"),
    "rzx": ("Z", "X"),
}
_FIXED = {"t": math.pi / 4, "tdg": -math.pi / 4}
_KNOWN = _FRAMED | _TURNS.keys() | _FIXED.keys()


class Frame:
    """Its dense state has a qubit for each turn at most, and only for those that turned a qubit afresh."""

    name = "frame"
    licence = "Apache-2.0"
    version = "1"

    def available(self) -> bool:
        """It is ours."""
        return True

    def obstacle(self, traits: Traits) -> str | None:
        """One state has to tell all outcomes."""
        if "initialize" in traits.names:
            return "it prepares no state from amplitudes"
        return None if traits.terminal else "outcomes are random before the end"

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Products that flip a resting qubit are fair coins; the others are looked up in the dense state."""
        ending, state = _run(program, budget)
        drawn = _drawn(state, ending.asked, shots, np.random.default_rng(seed))
        return Sampled(ending.place(drawn), self._how(state))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """Of the products seen from inside the frame."""
        ending, state = _run(program, budget)
        lines = ending.lines
        values = []
        for pauli in paulis:
            flat = any(letter != "Z" for qubit, letter in pauli if qubit not in lines)
            inner = tuple((lines[qubit], letter) for qubit, letter in pauli if qubit in lines)
            values.append(0.0 if flat else state.value(inner))
        return Expected(tuple(values), 1e-9, self._how(state))

    def _how(self, state: FrameState) -> How:
        return How(self.name, self.version, f"Clifford frame around {len(state.active)} qubits")


def _run(program: Program, budget: Budget) -> tuple[Ending, FrameState]:
    ending = ending_of(program)
    if ending is None:
        raise Unsuited("outcomes are random before the end")
    state = FrameState(len(ending.lines), budget)
    for op in lowered(ending.local(), _KNOWN):
        _apply(state, op)
    return ending, state


def _apply(state: FrameState, op: Op) -> None:
    name, qubits, params, _, _ = op
    if name in _FRAMED:
        state.clifford(name, qubits)
    elif name in _FIXED:
        state.turn(((qubits[0], "Z"),), _FIXED[name])
    elif name not in _TURNS:
        raise Unsuited(f'it has no gate "{name}"')
    elif name in TURNING and (steps := clifford_steps(name, params)) is not None:
        for inner in lowered([Op(step, tuple(qubits[place] for place in places)) for step, places in steps], _FRAMED):
            state.clifford(inner.name, inner.qubits)
    else:
        state.turn(tuple(zip(qubits, _TURNS[name], strict=True)), params[0].real)


def _drawn(state: FrameState, asked: Sequence[int], shots: int, rng: np.random.Generator) -> Bits:
    """Outcomes of qubits, shape (shots, asked)."""
    products, mixing = _separated(state, [state.zs[qubit] for qubit in asked])
    outcomes = np.zeros((shots, len(asked)), dtype=np.uint8)
    told: list[tuple[int, Product]] = []
    for row, product in enumerate(products):
        if state.flips_resting(product):
            outcomes[:, row] = rng.integers(0, 2, shots)
        else:
            told.append((row, state.restricted(product)))
    diagonal, dense = _diagonalised([product for _, product in told], state.dense)
    chosen = _chosen(dense, shots, rng)
    for (row, _), (mask, sign) in zip(told, diagonal, strict=True):
        outcomes[:, row] = (np.bitwise_count(chosen & mask) & 1) ^ sign
    # Each asked outcome is the parity of some of these; sums of up to 2²⁴ ones are exact in single precision.
    sums = outcomes.astype(np.float32) @ mixing.T.astype(np.float32)
    return np.asarray(sums.astype(np.int32) & 1, dtype=np.uint8)


def _separated(state: FrameState, products: list[Product]) -> tuple[list[Product], NDArray[np.uint8]]:
    """Products that generate the same, of which as few as possible flip resting qubits; and which of the new ones have
    to be multiplied for each old one.
    """
    found = list(products)
    parts = [1 << row for row in range(len(found))]
    for row in range(len(found)):
        flipped = state.flips_resting(found[row])
        if not flipped:
            continue
        pivot = flipped & -flipped
        for later in range(row + 1, len(found)):
            if found[later][0] & pivot:
                found[later] = times(found[row], found[later])
                # The old one is what is left of it times the pivot's product.
                parts[later] |= 1 << row
    mixing = np.zeros((len(found), len(found)), dtype=np.uint8)
    for row, part in enumerate(parts):
        mixing[row, [at for at in range(len(found)) if part >> at & 1]] = 1
    return found, mixing


def _diagonalised(
    products: list[Product], dense: NDArray[np.complex128]
) -> tuple[list[tuple[int, int]], NDArray[np.complex128]]:
    """Commuting products as parities (mask, sign) of the basis states of a dense state that is turned for it.

    (P + Z_q)/√2, for a Z_q that P anticommutes with, exchanges the two.
    """
    left = list(products)
    for row in range(len(left)):
        flipped = left[row][0]
        if not flipped:
            continue
        bit = flipped & -flipped
        product = left[row]
        dense = (acted(product, dense) + acted((0, bit, 0), dense)) * math.sqrt(0.5)
        for other in range(len(left)):
            left[other] = _exchanged(left[other], product, bit)
    return [(z, (phase // 2) & 1) for _, z, phase in left], dense


def _exchanged(row: Product, product: Product, bit: int) -> Product:
    """W R W for W = (P + Z)/√2."""
    with_product = ((row[0] & product[1]).bit_count() + (row[1] & product[0]).bit_count()) & 1
    with_turn = bool(row[0] & bit)
    if with_product and with_turn:
        return row[0], row[1], row[2] + 2
    if with_product:
        return times(times(row, (0, bit, 0)), product)
    return times(times(row, product), (0, bit, 0)) if with_turn else row


def _chosen(dense: NDArray[np.complex128], shots: int, rng: np.random.Generator) -> NDArray[np.int64]:
    cumulative = np.cumsum(np.abs(dense) ** 2)
    draws = rng.random(shots) * cumulative[-1]
    return np.asarray(np.minimum(np.searchsorted(cumulative, draws, side="right"), len(cumulative) - 1), np.int64)
