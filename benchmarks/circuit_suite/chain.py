"""The exact chances of a banded IQP circuit, bit by bit: a transfer matrix, and neither an engine nor a reduction.

Between two layers of Hadamard gates stand phases φ(y) that join only qubits at most `width` apart. The chance of the
first k outcomes is a sum over pairs of inputs (y, y') that agree from qubit k on, since an outcome that is summed over
makes them agree (Bremner, Jozsa, Shepherd 2011, doi:10.1098/rspa.2010.0301): all that passes from one qubit to the
next is the last `width` bits of both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Bits, Chained

Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class _Phases:
    """Of every qubit: `steps[k][window, y]` is the phase that bit y adds after the window of earlier bits (bit 0 of
    the window is the qubit just before).
    """

    width: int
    steps: tuple[Complexes, ...]


def chained(make: Callable[[], QuantumCircuit], width: int) -> Chained:
    """What is known of the outcomes of a circuit of `h`, then `p` and `cp`, then `h`, measured in order."""
    return Chained(lambda bits: _chances(_phases(make(), width), bits))


def _phases(circuit: QuantumCircuit, width: int) -> _Phases:
    """Raises ValueError where a phase joins qubits further apart than `width`."""
    alone = np.zeros(circuit.num_qubits)
    joint = np.zeros((circuit.num_qubits, width + 1))
    for instruction in circuit.data:
        places = sorted(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        match instruction.operation.name:
            case "p":
                alone[places[0]] += instruction.operation.params[0]
            case "cp":
                apart = places[1] - places[0]
                if apart > width:
                    raise ValueError(f"qubits {places[0]} and {places[1]} are {apart} apart, the band is {width} wide")
                joint[places[1], apart] += instruction.operation.params[0]
            case "h" | "measure" | "barrier":
                pass
            case name:
                raise ValueError(f"{name} is no gate of an IQP circuit")
    windows = np.arange(1 << width)
    earlier = (windows[:, None] >> np.arange(width)) & 1
    steps = []
    for qubit in range(circuit.num_qubits):
        turned = alone[qubit] + earlier @ joint[qubit, 1:]
        steps.append(np.stack((np.ones(len(windows)), np.exp(1j * turned)), axis=1))
    return _Phases(width, tuple(steps))


def _chances(phases: _Phases, bits: Bits) -> NDArray[np.float64]:
    """Of a 1 in every place, given the places before it in the same shot; shape as that of `bits`."""
    mask = (1 << phases.width) - 1
    windows = np.arange(mask + 1)
    rests = _rests(phases)
    left = np.zeros((len(bits), mask + 1), dtype=complex)
    left[:, 0] = 1
    chances = np.empty(bits.shape)
    for qubit, step in enumerate(phases.steps):
        passed = np.zeros((2, len(bits), mask + 1), dtype=complex)
        for outcome, bit in itertools.product((0, 1), (0, 1)):
            sign = -1 if outcome and bit else 1
            np.add.at(passed[outcome].T, ((windows << 1) | bit) & mask, (sign * left * step[:, bit]).T)
        zero, one = (np.einsum("sa,ab,sb->s", each, rests[qubit + 1], each.conj()).real for each in passed)
        chances[:, qubit] = np.clip(one / (zero + one), 0, 1)
        left = np.where(bits[:, qubit, None] == 1, passed[1], passed[0])
        left /= np.linalg.norm(left, axis=1, keepdims=True)
    return chances


def _rests(phases: _Phases) -> list[Complexes]:
    """For each place, the sum over all later bits, which both inputs share, by the windows of the two."""
    mask = (1 << phases.width) - 1
    windows = np.arange(mask + 1)
    rest = np.ones((mask + 1, mask + 1), dtype=complex)
    rests = [rest]
    for step in reversed(phases.steps):
        to = [((windows << 1) | bit) & mask for bit in (0, 1)]
        rest = sum((np.outer(step[:, bit], step[:, bit].conj()) * rest[np.ix_(to[bit], to[bit])] for bit in (0, 1)),
                   start=np.zeros_like(rest)) / 2  # fmt: skip
        rests.append(rest)
    return rests[::-1]
