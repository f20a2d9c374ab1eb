"""How a device's figures wander from day to day: a pure function of device, seed and day, so every past day is known.

Each figure is the stated one times exp(x), where x is a moving average of the last days' draws, which is an
autoregressive process cut where it has forgotten. Import-light: draws come from a hash, alike on every machine.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import date
from functools import lru_cache
from statistics import NormalDist

from backends.devices.model import Device, GateFigures, QubitFigures

REMEMBERED_DAYS = 16
_STANDARD = NormalDist()
_ERROR_MOST = 0.29
"""No figure wanders into what counts as dead: a drifting device keeps its couplings."""
_READOUT_MOST = 0.29
_SINGLE_MOST = 0.09


@lru_cache(maxsize=64)
def calibrated_on(device: Device, day: date | None) -> Device:
    """The device as it is on that day (UTC); None leaves the figures as stated.

    On the day of its stated figures a device deviates as on any other: those were a day's draw too.
    """
    if day is None:
        return device
    return replace(
        device,
        qubits=tuple(_qubit(device, number, qubit, day) for number, qubit in enumerate(device.qubits)),
        gates=tuple(_gate(device, gate, day) for gate in device.gates),
        calibrated=day.isoformat(),
    )


def _qubit(device: Device, number: int, qubit: QubitFigures, day: date) -> QubitFigures:
    drift = device.drift
    t1_ns = qubit.t1_ns * _factor(device, f"t1/{number}", day, drift.times)
    t2_ns = min(2 * t1_ns, qubit.t2_ns * _factor(device, f"t2/{number}", day, drift.times))
    read = _factor(device, f"readout/{number}", day, drift.errors)
    most = max(_READOUT_MOST, qubit.reads_1_of_0, qubit.reads_0_of_1)
    return replace(
        qubit,
        t1_ns=t1_ns,
        t2_ns=t2_ns,
        reads_1_of_0=min(most, qubit.reads_1_of_0 * read),
        reads_0_of_1=min(most, qubit.reads_0_of_1 * read),
    )


def _gate(device: Device, gate: GateFigures, day: date) -> GateFigures:
    if not gate.error:
        return gate
    # Both directions of a coupling are one calibration; so are all gates of one pulse on one qubit.
    where = "any" if gate.qubits is None else "-".join(map(str, sorted(gate.qubits)))
    width = 1 if gate.qubits is not None and len(gate.qubits) == 1 else 2
    most = max(gate.error, _SINGLE_MOST if width == 1 else _ERROR_MOST)
    return replace(gate, error=min(most, gate.error * _factor(device, f"gate/{where}", day, device.drift.errors)))


def _factor(device: Device, figure: str, day: date, sigma: float) -> float:
    """What the stated figure is multiplied by, with median 1."""
    memory = device.drift.memory
    scale = math.sqrt((1 - memory**2) / (1 - memory ** (2 * REMEMBERED_DAYS))) if memory else 1.0
    last = day.toordinal()
    deviation = 0.0
    for back in range(REMEMBERED_DAYS if memory else 1):
        deviation += memory**back * draw(device.drift.seed, f"{device.name}/{figure}", last - back)
    return math.exp(sigma * scale * deviation)


@lru_cache(maxsize=65_536)
def draw(seed: int, figure: str, day: int) -> float:
    """A standard normal draw that belongs to this figure and day."""
    digest = hashlib.blake2b(f"{seed}/{figure}/{day}".encode(), digest_size=8).digest()
    return _STANDARD.inv_cdf((int.from_bytes(digest, "big") + 0.5) / 2**64)
