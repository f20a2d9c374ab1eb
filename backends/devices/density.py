"""Few qubits: the density matrix with the exact channels, on Aer. Nothing is sampled but the outcomes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backends import engine
from backends.devices.noise import Channel
from backends.devices.roads import How, Noisy, Sampled, is_gate
from backends.engines.lowering import lowered
from backends.engines.on_aer import KNOWN, blank, write
from backends.registers import Bits

QUBITS_MAX = 10
_CHANNEL_S = (2e-9, 9e-9)
"""Seconds for each entry of the matrix, by the channel's qubits: measured on one core at ten qubits."""
_LABEL = "probabilities"
_GATES = KNOWN["matrix_product_state"] - {"csx", "cswap", "initialize"}


def how() -> How:
    """Exact channels."""
    return How("density matrix", "aer", engine.VERSION)


def seconds(noisy: Noisy) -> float:
    """What the evolution takes."""
    entries = 4.0 ** len(noisy.lines)
    widths = [channel.width for op in noisy.schedule.operations for _, channel in noisy.noise.of(op)]
    return 2e-3 + sum(2e-5 + entries * _CHANNEL_S[width - 1] for width in widths)


def probabilities(noisy: Noisy) -> NDArray[np.float64]:
    """Of each outcome of all touched qubits at the end, first qubit lowest, before any misreading."""
    width = len(noisy.lines)
    if not width:
        return np.ones(1)
    circuit = blank(width, 0)
    for op in noisy.schedule.operations:
        if is_gate(op):
            write(circuit, lowered((noisy.local(op),), _GATES))
        for qubits, channel in noisy.noise.of(op):
            if channel.width <= 2:
                _append(circuit, [noisy.lines[qubit] for qubit in qubits], channel)
    lines = list(range(width))
    circuit.save_state(lines, "save_probabilities", "average", _LABEL)
    (result,) = engine.execute([circuit], "density_matrix", qubits=width, clbits=0)
    found = np.clip(np.asarray(result["data"][_LABEL], dtype=np.float64), 0.0, None)
    return np.asarray(found / found.sum())


def _append(circuit: object, lines: list[int], channel: Channel) -> None:
    circuit.superop(lines, channel.superoperator, -1, None)  # type: ignore[attr-defined]


def sample(noisy: Noisy, shots: int, seed: int) -> Sampled:
    """Draw from the exact probabilities, then misread."""
    rng = np.random.default_rng(seed)
    cumulative = np.cumsum(probabilities(noisy))
    drawn = np.minimum(np.searchsorted(cumulative, rng.random(shots), side="right"), len(cumulative) - 1)
    bits: Bits = np.zeros((shots, noisy.clbits), dtype=np.uint8)
    for bit, qubit in noisy.heard.items():
        if qubit in noisy.lines:
            bits[:, bit] = (drawn >> noisy.lines[qubit]) & 1
    noisy.misread(bits, rng)
    return Sampled(bits, how())


def read_probabilities(noisy: Noisy, qubits: list[int]) -> NDArray[np.float64]:
    """Of each outcome of these qubits as it is read, first qubit lowest."""
    width = len(noisy.lines)
    exact = probabilities(noisy).reshape((2,) * width)  # axis 0 is the last line
    kept = [width - 1 - noisy.lines[qubit] for qubit in qubits if qubit in noisy.lines]
    table = exact.sum(axis=tuple(axis for axis in range(width) if axis not in kept))
    order = np.argsort(np.argsort(kept))
    table = np.transpose(table, order) if kept else np.asarray(table)  # now axis k is the k-th simulated qubit
    for place, qubit in enumerate(qubits):
        if qubit not in noisy.lines:
            table = np.stack((table, np.zeros_like(table)), axis=place)
        up, down = noisy.noise.flips(qubit)
        reading = np.array([[1 - up, down], [up, 1 - down]])
        table = np.moveaxis(np.tensordot(reading, table, axes=(1, place)), 0, place)
    return np.asarray(table.transpose(tuple(reversed(range(len(qubits))))).reshape(-1))
