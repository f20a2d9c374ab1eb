"""Circuits over a device's gates and couplings. `for_device` is the one place that calls a compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit.circuit import ControlFlowOp, QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.transpiler import generate_preset_pass_manager

from backends.circuits import Circuit
from backends.devices.model import Device
from backends.devices.target import target_of
from backends.program import Unflat
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

    def about(self) -> Mapping[str, Any]:
        """For the metadata of a result."""
        counts = self.circuit.count_ops()
        doubles = self.circuit.num_nonlocal_gates()
        return {
            "compiler": "as is" if self.as_is else f"Qiskit level {LEVEL}, seed {SEED}",
            "operations": {str(name): int(count) for name, count in counts.items()},
            "two_qubit_gates": int(doubles),
            "depth": int(self.circuit.depth()),
            "qubits": list(self.places),
        }


def compiled(circuit: Circuit, device: Device) -> Compiled:
    """The circuit for a device at a calibration, made on the first call and remembered with the circuit. Refuses with
    backend_infeasible."""
    key = f"device/{device.name}/{device.calibrated}"
    known = circuit.notes.get(key)
    if not isinstance(known, Compiled):
        known = circuit.notes[key] = _compile(circuit.circuit, device)
    return known


def _compile(circuit: QuantumCircuit, device: Device) -> Compiled:
    if circuit.num_qubits > device.width:
        detail = f"the circuit has {circuit.num_qubits} qubits, {device.name} has {device.width}; use fewer"
        fields = {"backend": device.name, "qubits": circuit.num_qubits, "qubits_max": device.width}
        raise Rejected("backend_infeasible", detail, fields)
    as_is = is_native(circuit, device)
    made = circuit if as_is else for_device(circuit, device)
    template = template_of(made, dt_ns=device.dt_ns or 0.0, parameters=circuit.parameters)
    if isinstance(template, Unflat):
        detail = f"{device.name} runs no such circuit: {template.reason}"
        raise Rejected("backend_infeasible", detail, {"backend": device.name})
    layout = None if as_is else made.layout
    places = range(circuit.num_qubits) if layout is None else layout.final_index_layout()
    return Compiled(made, template, tuple(int(place) for place in places), as_is)


def for_device(circuit: QuantumCircuit, device: Device) -> QuantumCircuit:
    """Compile: native gates on live couplings. Refuses with backend_infeasible what the compiler refuses."""
    try:
        made: QuantumCircuit = _passes(device).run(circuit)
    except QiskitError as error:
        reason = " ".join(str(error).split())[:300]
        detail = f"the circuit cannot be compiled for {device.name}: {reason}"
        raise Rejected("backend_infeasible", detail, {"backend": device.name}) from error
    return made


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


@lru_cache(maxsize=16)
def _passes(device: Device) -> Any:
    return generate_preset_pass_manager(LEVEL, target=target_of(device), seed_transpiler=SEED)
