"""Clifford circuits at any width: Pauli frames on Stim, with the twirled noise. Stim is an extra and may be absent."""

from __future__ import annotations

import numpy as np

from backends.devices.noise import Channel
from backends.devices.roads import How, Noisy, Sampled
from backends.devices.scheduling import IDLE
from backends.engines import on_stim

BIAS = "noise is twirled: relaxation leads to a mixed state instead of to 0, at the same average fidelity of each gate"
_ENGINE = on_stim.OnStim()


def available() -> bool:
    """Whether Stim is installed."""
    return _ENGINE.available()


def how() -> How:
    """Frames."""
    return How("Pauli frames", "stim", _ENGINE.version, BIAS)


def sample(noisy: Noisy, shots: int, seed: int) -> Sampled:
    """All shots at once. Raises Unsuited for what is no Clifford circuit, or asks for more than one outcome at once.

    Outcomes that steer later gates are misread by the mean of their qubit's two errors, all others by each. The noise
    of a conditional gate is there in every shot.
    """
    writer = on_stim.Writer()
    for op in noisy.schedule.operations:
        if op.name == IDLE:
            pass
        elif op.name == "measure" and op.qubits[0] in noisy.lines:
            up, down = noisy.noise.flips(op.qubits[0])
            writer.append(noisy.local(op), misread=(up + down) / 2 if op.clbits[0] in noisy.steering else 0.0)
        elif noisy.concerns(op):
            writer.append(noisy.local(op))
        for qubits, channel in noisy.noise.of(op):
            _append(writer, [noisy.lines[qubit] for qubit in qubits], channel)
    bits = writer.sample(shots, noisy.clbits, seed)
    noisy.misread(bits, np.random.default_rng(seed), but=noisy.steering)
    return Sampled(bits, how())


def _append(writer: on_stim.Writer, lines: list[int], channel: Channel) -> None:
    probabilities = channel.paulis
    if channel.width == 1:
        writer.add("PAULI_CHANNEL_1", lines, probabilities[1:].tolist())
        return
    # The library lists IX, IY, … with the first target's letter first; here the first qubit counts lowest.
    ordered = [float(probabilities[a + 4 * b]) for a in range(4) for b in range(4)][1:]
    writer.add("PAULI_CHANNEL_2", lines, ordered)
