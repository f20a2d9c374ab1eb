"""Dynamical decoupling: pulses in the gaps of a schedule that undo what slow noise does to waiting qubits."""

from __future__ import annotations

import math
import warnings

from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import XGate, YGate
from qiskit.transpiler import PassManager, Target, TranspilerError
from qiskit.transpiler.passes import ALAPScheduleAnalysis, PadDynamicalDecoupling

from backends.mitigation.options import Sequence


class Unfit(Exception):  # noqa: N818 - an expected no
    """A method cannot be applied to this circuit on this target; the text says why."""


def decoupled(circuit: QuantumCircuit, target: Target, sequence: Sequence) -> QuantumCircuit:
    """The circuit with its gaps filled: a pair of X pulses, or XY4 where Y is an X pulse after a turn of the frame."""
    if target.dt is None:
        raise Unfit("the device tells no clock step to place pulses by")
    if "x" not in target.operation_names or "rz" not in target.operation_names:
        raise Unfit("the device has no X pulse, or no virtual RZ")
    if any(instruction.is_control_flow() for instruction in circuit.data):
        raise Unfit("times of a circuit with branches are not known beforehand")
    timed = _with_y(target)
    pulses = [XGate(), XGate()] if sequence == "XX" else [XGate(), YGate(), XGate(), YGate()]
    passes = PassManager([ALAPScheduleAnalysis(target=timed), PadDynamicalDecoupling(target=timed, dd_sequence=pulses)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # times are rounded to the clock's steps, as they have to be
            padded: QuantumCircuit = passes.run(circuit)
    except TranspilerError as error:
        raise Unfit(f"the circuit cannot be scheduled: {' '.join(str(error.message).split())[:200]}") from error
    return padded if sequence == "XX" else _native(padded)


def _with_y(target: Target) -> Target:
    """The target with a Y as long and as good as its X, where it has none."""
    timed = Target(num_qubits=target.num_qubits, dt=target.dt, qubit_properties=target.qubit_properties)
    for attribute in ("granularity", "min_length", "pulse_alignment", "acquire_alignment"):
        setattr(timed, attribute, getattr(target, attribute))
    for name in target.operation_names:
        operation = target.operation_from_name(name)
        if isinstance(operation, type):
            timed.add_instruction(operation, name=name)
        else:
            timed.add_instruction(operation, dict(target[name]), name=name)
    if "y" not in timed.operation_names:
        timed.add_instruction(YGate(), dict(target["x"]))
    return timed


def _native(circuit: QuantumCircuit) -> QuantumCircuit:
    """Each Y as an X after half a turn about Z: equal up to a phase."""
    made = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.name == "y":
            made.rz(math.pi, instruction.qubits)
            made.x(instruction.qubits)
        else:
            made._append(instruction)
    return made
