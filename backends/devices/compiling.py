"""Circuits over a device's gates and couplings. `for_device` is the one place that calls a compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit.circuit import ControlFlowOp, QuantumCircuit

from backends.circuits import Circuit
from backends.compiling import choosing
from backends.compiling.calibrated import Calibrated, Cost, cost_of
from backends.compiling.options import CompileOptions
from backends.devices.model import Device
from backends.devices.target import target_of
from backends.parameters import Values
from backends.program import Program, Unflat
from backends.programming import Template, template_of
from backends.rejected import Rejected

LEVEL = 1
SEED = 0
"""A circuit is laid out the same way each time, whatever seed draws its outcomes."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A circuit as the device runs it. `places` gives for each qubit of the original the device's at the end."""

    circuit: QuantumCircuit
    template: Template
    places: tuple[int, ...]
    as_is: bool
    made: choosing.Compiled
    parameters: tuple[Any, ...]
    """Of the original, in its order; those that are left in the compiled circuit as they are called there."""

    def programs(self, values: Values) -> Iterator[Program]:
        """One program for every parameter set of the original."""
        return self.template.programs(values)

    def about(self) -> Mapping[str, Any]:
        """For the metadata of a result."""
        counts = self.circuit.count_ops()
        return {
            **self.made.to_json(),
            "operations": {str(name): int(count) for name, count in counts.items()},
            "qubits": list(self.places),
        }


def compiled(circuit: Circuit, device: Device, options: CompileOptions | None = None) -> Compiled:
    """The circuit for a device at a calibration, made on the first call and remembered with the circuit.

    Without options a circuit of native gates stays as it is. Refuses with backend_infeasible, circuit_not_isa and
    option_invalid.
    """
    key = f"device/{device.name}/{device.calibrated}/{options}"
    known = circuit.notes.get(key)
    if not isinstance(known, Compiled):
        known = circuit.notes[key] = _compile(circuit, device, options)
    return known


def _compile(circuit: Circuit, device: Device, options: CompileOptions | None) -> Compiled:
    given = circuit.circuit
    if given.num_qubits > device.width:
        detail = f"the circuit has {given.num_qubits} qubits, {device.name} has {device.width}; use fewer"
        fields = {"backend": device.name, "qubits": given.num_qubits, "qubits_max": device.width}
        raise Rejected("backend_infeasible", detail, fields)
    if options is None and is_native(given, device):
        options = CompileOptions("as-is")
    made = for_device(given, device, options, circuit.key)
    parameters = _parameters(given, made)
    template = template_of(made.circuit, dt_ns=device.dt_ns or 0.0, parameters=parameters)
    if isinstance(template, Unflat):
        detail = f"{device.name} runs no such circuit: {template.reason}"
        raise Rejected("backend_infeasible", detail, {"backend": device.name})
    return Compiled(made.circuit, template, made.final_layout, made.compiler == choosing.AS_IS, made, parameters)


def _parameters(given: QuantumCircuit, made: choosing.Compiled) -> tuple[Any, ...]:
    """The original's parameters; a compiled circuit that was remembered may have its own of the same names."""
    named = list(given.parameters)
    for place, parameter in zip(made.parameters, made.circuit.parameters, strict=True):
        named[place] = parameter
    return tuple(named)


def for_device(
    circuit: QuantumCircuit, device: Device, options: CompileOptions | None = None, key: bytes = b""
) -> choosing.Compiled:
    """Compile: native gates on live couplings. Refuses with backend_infeasible what the compiler refuses."""
    chosen = options or CompileOptions("single", LEVEL, SEED)
    try:
        return choosing.compile_circuit(circuit, calibrated_of(device), chosen, key or None)
    except Rejected as refusal:
        detail = refusal.detail.replace("this device", device.name)
        raise Rejected(refusal.code, detail, {"backend": device.name, **refusal.fields}) from refusal


@lru_cache(maxsize=16)
def calibrated_of(device: Device) -> Calibrated:
    """The device's target with its figures at hand."""
    return Calibrated(target_of(device), {} if device.edges is not None else _anywhere(device))


def _anywhere(device: Device) -> dict[str, dict[tuple[int, ...] | None, Cost]]:
    """The figures of gates that act on any qubits, which a target cannot hold, and of what each qubit does alone."""
    found: dict[str, dict[tuple[int, ...] | None, Cost]] = {}
    for gate in device.gates:
        found.setdefault(gate.name, {})[gate.qubits] = cost_of(gate.error, gate.duration_ns * 1e-9)
    live = {number: device.qubits[number] for number in device.live}
    found["measure"] = {(one,): cost_of(qubit.readout_error, qubit.readout_ns * 1e-9) for one, qubit in live.items()}
    found["reset"] = {None: cost_of(0.0, device.overheads.reset_ns * 1e-9)}
    return found


def is_native(circuit: QuantumCircuit, device: Device) -> bool:
    """Whether the device takes every operation as it stands, where it stands."""
    target = target_of(device)
    anywhere = device.edges is None
    places = {qubit: index for index, qubit in enumerate(circuit.qubits)}

    def fits(block: QuantumCircuit, here: Mapping[Any, int]) -> bool:
        for instruction in block.data:
            operation, qubits = instruction.operation, tuple(here[qubit] for qubit in instruction.qubits)
            if operation.name == "barrier":
                continue
            if isinstance(operation, ControlFlowOp):
                inside = [dict(zip(inner.qubits, qubits, strict=True)) for inner in operation.blocks]
                if not all(fits(inner, wires) for inner, wires in zip(operation.blocks, inside, strict=True)):
                    return False
            elif not (operation.name in target if anywhere else target.instruction_supported(operation.name, qubits)):
                return False
        return True

    return fits(circuit, places)
