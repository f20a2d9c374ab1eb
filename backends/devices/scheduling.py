"""When each operation of a compiled circuit acts: as soon as its qubits are free and what it waits for is known.

The length is what a device bills for each shot; the gaps are where idle qubits decay. A qubit that nothing has happened
to since its reset is in its ground state and does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from backends.devices.model import VIRTUAL, Device, GateFigures
from backends.program import Op, Program

IDLE = "idle"
"""A qubit that waits for so many nanoseconds."""

_ALSO_KNOWN_AS = {"p": ("p", "u1", "rz"), "u": ("u3", "u2", "u")}
"""Programs write gates of early devices by other names; `u2` is taken for `u3`, which is longer."""
_TURNS = ("sx", "u2", "u3", "x", "rx")
_NOTHING = GateFigures("virtual", None, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Operations in an order that respects time, waits among them, and when the last one ends."""

    operations: tuple[Op, ...]
    length_ns: float
    touched: tuple[int, ...]
    """The qubits that a gate acts on, in order."""


def figures_of(device: Device, op: Op) -> GateFigures:
    """How good and how long a gate is there. A turn that is not native counts as one pulse (the rotations into the
    basis of an observable); any other gate that the device lacks raises KeyError."""
    if op.name in VIRTUAL and len(op.qubits) == 1:
        return _NOTHING
    for name in _ALSO_KNOWN_AS.get(op.name, (op.name,)):
        figures = device.gate(name, op.qubits)
        if figures is not None:
            return figures
    if len(op.qubits) == 1:
        for name in _TURNS:
            figures = device.gate(name, op.qubits)
            if figures is not None:
                return figures
    raise KeyError(f"{device.name} has no {op.name} on {op.qubits}")


def schedule(program: Program, device: Device) -> Schedule:
    """The schedule of a program over the device's gates and qubits; about 2 µs an operation.

    Both branches of a condition take their time, one after the other: a bound, and what a controller does that cannot
    leave one out.
    """
    free_ns = [0.0] * program.qubits
    told_ns = [0.0] * program.qubits
    heard_ns = [0.0] * program.clbits
    awake: set[int] = set()
    touched: set[int] = set()
    steps: list[Op] = []
    for op in program.operations:
        name, qubits, params, clbits, condition = op
        start_ns = max([free_ns[qubit] for qubit in qubits], default=0.0)
        if name == "barrier":
            for qubit in qubits:
                free_ns[qubit] = start_ns
            continue
        if name == "delay":
            free_ns[qubits[0]] += float(params[0].real)
            continue
        for clause in condition:
            start_ns = max([start_ns, *[heard_ns[bit] + device.feedback_ns for bit in clause.bits]])
        duration_ns = _duration_ns(device, op)
        for qubit in qubits:
            if qubit in awake and start_ns > told_ns[qubit]:
                steps.append(Op(IDLE, (qubit,), (start_ns - told_ns[qubit],)))
            free_ns[qubit] = told_ns[qubit] = start_ns + duration_ns
        steps.append(op)
        if name == "measure":
            heard_ns[clbits[0]] = start_ns + duration_ns
        elif name == "reset":
            if not condition:
                awake.difference_update(qubits)
        else:
            touched.update(qubits)
            if duration_ns:
                awake.update(qubits)
    return Schedule(tuple(steps), max(free_ns, default=0.0), tuple(sorted(touched)))


def _duration_ns(device: Device, op: Op) -> float:
    if op.name == "measure":
        return device.qubits[op.qubits[0]].readout_ns
    if op.name == "reset":
        return device.overheads.reset_ns
    return figures_of(device, op).duration_ns
