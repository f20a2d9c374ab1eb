"""Takes out of a device what does not work: compilers would map circuits over it. Import-light."""

from __future__ import annotations

from dataclasses import replace

from backends.devices.model import Device, GateFigures

GATE_ERROR_MAX = 0.3
"""A coupling is dead from here on: two gates in a row are then wrong more often than right."""
SINGLE_ERROR_MAX = 0.1
READOUT_ERROR_MAX = 0.3
"""A qubit is dead that is read wrongly so often, or whose own gates fail so often."""


def pruned(device: Device) -> Device:
    """The same device without dead qubits and couplings; qubits keep their numbers.

    A coupling that is dead in one direction is dead in both: calibration measures them together.
    """
    dead_qubits = {
        number
        for number, qubit in enumerate(device.qubits)
        if qubit.readout_error >= READOUT_ERROR_MAX or qubit.t1_ns <= 0 or qubit.t2_ns <= 0
    }
    dead_pairs: set[frozenset[int]] = set()
    for gate in device.gates:
        if gate.qubits is None:
            continue
        if len(gate.qubits) == 1 and gate.error >= SINGLE_ERROR_MAX:
            dead_qubits.add(gate.qubits[0])
        elif len(gate.qubits) > 1 and gate.error >= GATE_ERROR_MAX:
            dead_pairs.add(frozenset(gate.qubits))
    kept: list[GateFigures] = []
    dead_edges: dict[tuple[int, int], None] = {}
    for gate in device.gates:
        if gate.qubits is not None and (dead_qubits & set(gate.qubits) or frozenset(gate.qubits) in dead_pairs):
            if len(gate.qubits) == 2:
                first, second = sorted(gate.qubits)
                dead_edges[first, second] = None
            continue
        kept.append(gate)
    return replace(
        device,
        gates=tuple(kept),
        dead_qubits=tuple(sorted(dead_qubits | set(device.dead_qubits))),
        dead_edges=tuple(sorted(dead_edges.keys() | set(device.dead_edges))),
    )
