"""A device as Qiskit's Target: which gates, between which qubits, how good and how long. What compilers are given."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from qiskit.circuit import Delay, ForLoopOp, IfElseOp, Measure, Parameter, Reset, SwitchCaseOp
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from backends.devices.model import BRANCHES, Device

_S_PER_NS = 1e-9
_CLASSES = {"if_else": IfElseOp, "for_loop": ForLoopOp, "switch_case": SwitchCaseOp}


@lru_cache(maxsize=32)
def target_of(device: Device) -> Target:
    """The target of a device at its calibration; remembered, so do not change it.

    Where any qubits may meet, gates are defined for all of them at once: compilers then choose no layout, keep the
    circuit's own width, and a target has no place for figures of such gates (`device.gate` has them).
    """
    target = Target(
        description=device.description,
        num_qubits=device.width,
        dt=None if device.dt_ns is None else device.dt_ns * _S_PER_NS,
        qubit_properties=[
            QubitProperties(t1=qubit.t1_ns * _S_PER_NS, t2=qubit.t2_ns * _S_PER_NS, frequency=qubit.frequency_hz)
            for qubit in device.qubits
        ],
    )
    places: dict[str, dict[tuple[int, ...] | None, InstructionProperties]] = {}
    for gate in device.gates:
        figures = InstructionProperties(duration=gate.duration_ns * _S_PER_NS, error=gate.error)
        places.setdefault(gate.name, {})[gate.qubits] = figures
    for name, where in places.items():
        target.add_instruction(_fresh(name), None if None in where else where, name=name)
    anywhere = device.edges is None
    readout: dict[tuple[int], InstructionProperties] = {}
    reset: dict[tuple[int], InstructionProperties] = {}
    delay: dict[tuple[int], None] = {}
    for number in device.live:
        qubit = device.qubits[number]
        readout[(number,)] = InstructionProperties(duration=qubit.readout_ns * _S_PER_NS, error=qubit.readout_error)
        reset[(number,)] = InstructionProperties(duration=device.overheads.reset_ns * _S_PER_NS, error=0.0)
        delay[(number,)] = None
    target.add_instruction(Measure(), None if anywhere else readout)
    target.add_instruction(Reset(), None if anywhere else reset)
    target.add_instruction(Delay(Parameter("t")), None if anywhere else delay)
    if device.dynamic:
        for name in sorted(BRANCHES):
            target.add_instruction(_CLASSES[name], name=name)
    return target


def _fresh(name: str) -> Any:
    """The gate with free parameters."""
    gate = get_standard_gate_name_mapping()[name]
    free = [Parameter(f"p{place}") for place in range(len(gate.params))]
    return type(gate)(*free) if free else gate
