"""Circuits compiled and scheduled for a device, and what chance allows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from backends.circuits import Circuit
from backends.devices.compiling import compiled
from backends.devices.model import Device, Drift, GateFigures, Overheads, QubitFigures
from backends.devices.noise import Channel, NoiseModel, noise_of
from backends.devices.reading import device_of
from backends.devices.roads import Noisy
from backends.devices.scheduling import schedule

SIGMAS = 5.0
"""Two-sided, a Gaussian deviates that far once in 1.7 million times."""


class Twirled(NoiseModel):
    """The device's noise with each channel replaced by its Pauli twirl, for the density matrix to follow."""

    def of(self, op: Any) -> Any:
        return tuple((qubits, _as_twirl(channel)) for qubits, channel in super().of(op))


def _as_twirl(channel: Channel) -> Channel:
    made = Channel(channel.decays, channel.kept)
    paulis = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    matrix = np.zeros((4**channel.width, 4**channel.width), dtype=complex)
    for error, odds in enumerate(channel.paulis):
        operator = np.eye(1)
        for place in range(channel.width):
            operator = np.kron(paulis[(error >> 2 * place) & 3], operator)
        matrix += odds * np.kron(operator.conj(), operator)
    made.__dict__["superoperator"] = matrix
    return made


@dataclass(frozen=True)
class Bench:
    """What tests of devices ask for again and again."""

    def device(self, name: str) -> Device:
        found = device_of(name)
        assert found is not None
        return found

    def line(self, width: int = 3, **change: Any) -> Device:
        """A line of equal qubits with round figures, to work things out by hand."""
        t1_ns, t2_ns = change.pop("t1_ns", 100_000.0), change.pop("t2_ns", 80_000.0)
        up, down = change.pop("flips", (0.0, 0.0))
        error_1q, error_2q = change.pop("error_1q", 0.0), change.pop("error_2q", 0.0)
        gates = [GateFigures("rz", (qubit,), 0.0, 0.0) for qubit in range(width)]
        gates += [GateFigures(name, (qubit,), error_1q, 50.0) for name in ("sx", "x") for qubit in range(width)]
        for qubit in range(width - 1):
            gates += [GateFigures("cz", way, error_2q, 200.0) for way in ((qubit, qubit + 1), (qubit + 1, qubit))]
        made = Device(
            name="line",
            title="Line",
            description="A line.",
            kind="generic",
            qubits=(QubitFigures(t1_ns, t2_ns, up, down, 1_000.0),) * width,
            gates=tuple(gates),
            overheads=Overheads(rep_delay_ns=10_000.0, reset_ns=500.0, job_us=7_000),
            feedback_ns=300.0,
            dynamic=True,
            calibrated="2026-01-01",
            drift=Drift(0, 0.1, 0.1, 0.9),
            sources=(),
            dt_ns=0.5,
        )
        return replace(made, **change)

    def noisy(self, circuit: QuantumCircuit, device: Device) -> Noisy:
        made = compiled(Circuit(circuit, b""), device)
        (program,) = made.template.programs(np.zeros((1, 0)))
        return Noisy(schedule(program, device), program.clbits, noise_of(device))

    def twirled(self, noisy: Noisy) -> Noisy:
        return Noisy(noisy.schedule, noisy.clbits, Twirled(noisy.noise.device))

    def ghz(self, width: int) -> QuantumCircuit:
        circuit = QuantumCircuit(width)
        circuit.h(0)
        for qubit in range(width - 1):
            circuit.cx(qubit, qubit + 1)
        circuit.measure_all()
        return circuit

    def mirror(self, width: int, layers: int, seed: int = 3) -> QuantumCircuit:
        """Random Clifford layers and their inverses: without noise every outcome is 0."""
        rng = np.random.default_rng(seed)
        half = QuantumCircuit(width)
        for layer in range(layers):
            for qubit in range(width):
                getattr(half, ("h", "s", "sx", "x")[rng.integers(4)])(qubit)
            for qubit in range(layer % 2, width - 1, 2):
                half.cz(qubit, qubit + 1)
        whole = half.copy()
        whole.barrier()
        whole.compose(half.inverse(), inplace=True)
        whole.measure_all()
        return whole

    def near(self, hits: int, shots: int, odds: float, sigmas: float = SIGMAS) -> bool:
        """Whether so many hits may come of such odds; half a hit is granted for counting in whole numbers."""
        return abs(hits - shots * odds) <= sigmas * math.sqrt(shots * odds * (1 - odds)) + 0.5

    def share(self, bits: np.ndarray, wanted: Iterable[int]) -> int:
        """How many shots gave one of these outcomes, bit 0 lowest."""
        words = bits.astype(np.int64) @ (1 << np.arange(bits.shape[1], dtype=np.int64))
        return int(np.isin(words, list(wanted)).sum())


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
