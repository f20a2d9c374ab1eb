"""What a device would bill for a job: the length of the compiled circuits, shot by shot, and the overheads.

    job_us + ⌈ Σ shots × (schedule length + reset + delay between repetitions) ⌉

The schedule ends with the readout. How long our simulation takes has no part in it. Import-light; the quote uses
the same formula: before a circuit is compiled its length is not known, so the quote bounds it (`lengths_ns`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from backends.devices.model import Device
from backends.findings import CircuitFindings, Findings

EXACT_SHOTS = 4_096
"""What an expectation value of precision 0 is billed as: no device could tell it, 1/64 is what most ask for."""

_ROUTED = 2
_ROUTED_AT_MOST = 20
"""How much longer a circuit is once its gates are native and its qubits meet: expected, and what a hold covers."""


def shot_ns(device: Device, length_ns: float) -> float:
    """One shot of a circuit of this length."""
    return length_ns + device.overheads.reset_ns + device.overheads.rep_delay_ns


def job_us(device: Device, runs: Iterable[tuple[float, int]]) -> int:
    """A whole job of (length of the schedule, shots), in started microseconds."""
    spent_ns = sum(shots * shot_ns(device, length_ns) for length_ns, shots in runs)
    return device.overheads.job_us + math.ceil(spent_ns / 1000)


def lengths_ns(device: Device, circuit: CircuitFindings) -> tuple[float, float]:
    """How long a circuit is that has not been compiled: expected, and at most as far as a hold goes.

    Its depth times the longest gate, twice that for routing, and a readout; where outcomes are random before the end,
    each layer may be a readout and its feedback. Where extrapolation repeats gates, the mean over all its shots.
    """
    layer_ns = device.longest_gate_ns
    if circuit.mid_circuit or circuit.control_flow:
        layer_ns = max(layer_ns, device.longest_readout_ns + device.feedback_ns)
    depth_ns = circuit.depth * layer_ns * (1 + circuit.folded / max(1, circuit.sampled))
    return device.longest_readout_ns + _ROUTED * depth_ns, device.longest_readout_ns + _ROUTED_AT_MOST * depth_ns


def quoted_us(device: Device, findings: Findings) -> tuple[int, int]:
    """The QPU time of a job before it is compiled: expected, and at most as far as a hold goes."""
    lengths = [(*lengths_ns(device, circuit), circuit.sampled) for circuit in findings.circuits]
    expected_us = job_us(device, ((expected_ns, shots) for expected_ns, _, shots in lengths))
    most_us = job_us(device, ((most_ns, shots) for _, most_ns, shots in lengths))
    return expected_us, most_us
