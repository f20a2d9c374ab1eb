"""What goes wrong while a gate acts or a qubit waits: relaxation for that time, depolarising up to the stated error.

A gate's channel is thermal relaxation of each of its qubits (T1, T2, no excitation from the bath), then depolarising of
all of them, so strong that the average fidelity of the whole is the stated one. Where relaxation alone would be worse
than stated, its time is shortened until it is not: what was measured includes decay. Gates on three qubits depolarise
each qubit by itself. `Channel.paulis` is the channel's Pauli twirl: the same average fidelity, as Pauli errors alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.devices.model import Device
from backends.devices.scheduling import IDLE, figures_of
from backends.program import LOOKING, Op

LETTERS = "IXYZ"
Matrix = NDArray[np.float64]

_ANTICOMMUTE = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]])
_SIGNS: Matrix = 1.0 - 2.0 * _ANTICOMMUTE
_HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Channel:
    """Relaxation of each qubit (what is left of a 1, of a coherence), then depolarising by `kept` of all of them."""

    decays: tuple[tuple[float, float], ...]
    kept: float

    @property
    def width(self) -> int:
        """How many qubits it acts on."""
        return len(self.decays)

    @cached_property
    def transfer(self) -> Matrix:
        """The diagonal of its Pauli transfer matrix, first qubit lowest: what is left of each Pauli product."""
        product: NDArray[Any] = np.ones(1)
        for population, coherence in self.decays:
            product = np.kron(np.array([1.0, coherence, coherence, population]), product)
        product[1:] *= self.kept
        return product

    @cached_property
    def paulis(self) -> Matrix:
        """Probabilities of the Pauli errors of its twirl, in the order of `transfer`; they sum to one."""
        signs: NDArray[Any] = np.ones((1, 1))
        for _ in self.decays:
            signs = np.kron(_SIGNS, signs)
        found = np.clip(signs @ self.transfer / 4**self.width, 0.0, None)
        return np.asarray(found / found.sum())

    @cached_property
    def superoperator(self) -> NDArray[np.complex128]:
        """The exact channel on density matrices stacked by columns, first qubit lowest."""
        size = 1 << self.width
        parts = [_relaxation(*decay) for decay in self.decays]
        made = parts[0] if self.width == 1 else np.einsum("abcd,efgh->eafbgchd", parts[0], parts[1])
        matrix = np.asarray(made).reshape(size * size, size * size)
        mixed = np.zeros((size * size, size * size))
        mixed[:: size + 1, :: size + 1] = 1 / size
        return np.asarray(self.kept * matrix + (1 - self.kept) * mixed, dtype=np.complex128)

    @property
    def error(self) -> float:
        """One minus the average fidelity."""
        size = 1 << self.width
        process = float(self.transfer.sum()) / size**2
        return 1 - (size * process + 1) / (size + 1)


def _relaxation(population: float, coherence: float) -> Matrix:
    """One qubit's relaxation as a tensor [column', row', column, row]."""
    made = np.zeros((2, 2, 2, 2))
    made[0, 0, 0, 0] = 1
    made[1, 1, 1, 1] = population
    made[0, 0, 1, 1] = 1 - population
    made[0, 1, 0, 1] = made[1, 0, 1, 0] = coherence
    return made


def relaxing(times: Sequence[tuple[float, float]], duration_ns: float) -> tuple[tuple[float, float], ...]:
    """What is left of each qubit with these (T1, T2) after some time."""
    return tuple((math.exp(-duration_ns / t1_ns), math.exp(-duration_ns / t2_ns)) for t1_ns, t2_ns in times)


def channel_of(times: Sequence[tuple[float, float]], duration_ns: float, error: float) -> Channel:
    """The channel of a gate on qubits with these (T1, T2) whose average error is `error`."""
    size = 1 << len(times)
    wanted = size * ((size + 1) * (1 - error) - 1) - 1  # the sum of what is left of all Pauli products but the identity
    share = 1.0
    decays = relaxing(times, duration_ns)
    left = _left(decays)
    if left < wanted:
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            share = (low + high) / 2
            low, high = (share, high) if _left(relaxing(times, share * duration_ns)) > wanted else (low, share)
        decays = relaxing(times, low * duration_ns)
        left = _left(decays)
    return Channel(decays, min(1.0, wanted / left))


def _left(decays: Sequence[tuple[float, float]]) -> float:
    return math.prod(1 + population + 2 * coherence for population, coherence in decays) - 1


def single_channels(times: Sequence[tuple[float, float]], duration_ns: float, error: float) -> tuple[Channel, ...]:
    """One channel a qubit that together make a gate of that error: for gates on three qubits."""
    size = 1 << len(times)
    wanted = size * ((size + 1) * (1 - error) - 1)
    share = wanted ** (1 / len(times)) / 4  # of each qubit's process fidelity
    return tuple(channel_of((one,), duration_ns, 1 - (2 * share + 1) / 3) for one in times)


class NoiseModel:
    """The channels of one device at one calibration, made when first asked for."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._gates: dict[tuple[str, tuple[int, ...]], tuple[tuple[tuple[int, ...], Channel], ...]] = {}
        self._waits: dict[tuple[int, float], Channel] = {}

    def of(self, op: Op) -> tuple[tuple[tuple[int, ...], Channel], ...]:
        """What goes wrong after an operation: channels and the qubits they act on. Measurements have none: what they
        do wrong is in the readout."""
        if op.name == IDLE:
            return ((op.qubits, self._wait(op.qubits[0], float(op.params[0].real))),)
        if op.name in LOOKING:
            return ()
        key = (op.name, op.qubits)
        if key not in self._gates:
            self._gates[key] = self._gate(op)
        return self._gates[key]

    def flips(self, qubit: int) -> tuple[float, float]:
        """How often a 0 is read as 1, and a 1 as 0."""
        figures = self.device.qubits[qubit]
        return figures.reads_1_of_0, figures.reads_0_of_1

    def _times(self, qubit: int) -> tuple[float, float]:
        figures = self.device.qubits[qubit]
        return figures.t1_ns, figures.t2_ns

    def _wait(self, qubit: int, duration_ns: float) -> Channel:
        key = (qubit, duration_ns)
        if key not in self._waits:
            self._waits[key] = Channel(relaxing((self._times(qubit),), duration_ns), 1.0)
        return self._waits[key]

    def _gate(self, op: Op) -> tuple[tuple[tuple[int, ...], Channel], ...]:
        figures = figures_of(self.device, op)
        if not figures.error and not figures.duration_ns:
            return ()
        times = [self._times(qubit) for qubit in op.qubits]
        if len(op.qubits) <= 2:
            return ((op.qubits, channel_of(times, figures.duration_ns, figures.error)),)
        singles = single_channels(times, figures.duration_ns, figures.error)
        return tuple(((qubit,), channel) for qubit, channel in zip(op.qubits, singles, strict=True))


@lru_cache(maxsize=32)
def noise_of(device: Device) -> NoiseModel:
    """The noise of a device at its calibration, remembered."""
    return NoiseModel(device)
