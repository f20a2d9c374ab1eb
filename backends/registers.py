"""Outcomes as Qiskit's bit arrays: one per classical register, big-endian bytes, unmeasured bits zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

Bits = NDArray[np.uint8]

# Registers up to this width are put together as whole integers.
_WORD_BITS = 63
_CHUNK_SHOTS = 65_536


@dataclass(frozen=True, slots=True)
class Register:
    """A classical register: its name, and for each of its bits the circuit's bit."""

    name: str
    slots: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Bytes that one shot takes."""
        return -(-len(self.slots) // 8)


def registers_of(circuit: QuantumCircuit) -> tuple[Register, ...]:
    """The circuit's classical registers in order."""
    places = {bit: index for index, bit in enumerate(circuit.clbits)}
    return tuple(Register(register.name, tuple(places[bit] for bit in register)) for register in circuit.cregs)


def pack_indices(register: Register, indices: NDArray[np.int64], source: Mapping[int, int]) -> Bits:
    """One register from basis state indices; `source` gives for a circuit bit the position in the index, if any.

    Shape (shots, bytes).
    """
    shots = len(indices)
    if len(register.slots) > _WORD_BITS:
        packed = np.zeros((shots, register.bytes), dtype=np.uint8)
        for bit, slot in enumerate(register.slots):
            if slot in source:
                packed[:, -1 - bit // 8] |= (((indices >> source[slot]) & 1) << (bit % 8)).astype(np.uint8)
        return packed
    masks: dict[int, int] = {}
    for bit, slot in enumerate(register.slots):
        if slot in source:
            shift = source[slot] - bit
            masks[shift] = masks.get(shift, 0) | (1 << source[slot])
    words = np.zeros(shots, dtype=np.int64)
    for shift, mask in masks.items():
        part = indices & mask
        words |= part >> shift if shift >= 0 else part << -shift
    return np.ascontiguousarray(words.astype(">i8").view(np.uint8).reshape(shots, 8)[:, 8 - register.bytes :])


def pack_memory(registers: Sequence[Register], memory: Sequence[str], clbits: int) -> dict[str, Bits]:
    """All registers from an engine's hexadecimal memory strings, bit 0 last. Shapes (shots, bytes)."""
    packed = {register.name: np.zeros((len(memory), register.bytes), dtype=np.uint8) for register in registers}
    digits = 2 * -(-clbits // 8)
    for start in range(0, len(memory), _CHUNK_SHOTS):
        part = memory[start : start + _CHUNK_SHOTS]
        text = "".join([word[2:].rjust(digits, "0") for word in part])
        raw = np.frombuffer(bytes.fromhex(text), dtype=np.uint8).reshape(len(part), digits // 2)
        bits = np.unpackbits(raw, axis=1)[:, ::-1]
        for register in registers:
            chosen = bits[:, list(register.slots)]
            ordered = np.packbits(chosen, axis=1, bitorder="little")[:, ::-1]
            packed[register.name][start : start + len(part)] = ordered
    return packed


def sample(state: NDArray[np.complex128], shots: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Basis state indices drawn from a state's probabilities."""
    cumulative = np.square(state.real)
    cumulative += np.square(state.imag)
    np.cumsum(cumulative, out=cumulative)
    draws = rng.random(shots) * cumulative[-1]
    indices: NDArray[np.int64] = np.searchsorted(cumulative, draws, side="right")
    return np.minimum(indices, len(state) - 1)
