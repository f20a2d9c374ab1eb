"""Whether a circuit can run on a target as it stands; if not, the first instruction that cannot, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.transpiler import Target

from backends.rejected import Rejected

_ALWAYS = frozenset({"barrier", "store", "break_loop", "continue_loop"})
_LISTED = 6
_CURE = 'or let the service compile it: mode "single" or "portfolio"'


def check_isa(circuit: QuantumCircuit, target: Target) -> None:
    """Refuse with circuit_not_isa a circuit that the target does not take as it stands."""
    width = target.num_qubits or 0
    if circuit.num_qubits > width:
        detail = (
            f"the circuit is to run as it is and has {circuit.num_qubits} qubits, the device has {width}; "
            f"use fewer, {_CURE}"
        )
        raise Rejected("circuit_not_isa", detail, {"qubits": circuit.num_qubits, "qubits_max": width})
    _check(circuit, range(circuit.num_qubits), target, "")


def _check(circuit: QuantumCircuit, places: Sequence[int], target: Target, within: str) -> None:
    for position, instruction in enumerate(circuit.data):
        name = instruction.name
        where = f"{within}instruction {position}"
        qubits = tuple(places[circuit.find_bit(bit).index] for bit in instruction.qubits)
        if name in _ALWAYS:
            continue
        if name not in target.operation_names:
            offered = ", ".join(sorted(target.operation_names))
            _refuse(where, name, qubits, f"which the device does not have: it has {offered}")
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                _check(block, qubits, target, f"{where} ({name}), ")
        elif not target.instruction_supported(name, qubits, parameters=_numbers(instruction)):
            _refuse(where, name, qubits, _why_not_there(name, qubits, target))


def _numbers(instruction: CircuitInstruction) -> list[float] | None:
    """The angles, where all are numbers: a target may take some of them only."""
    if instruction.name == "delay" or not instruction.params:
        return None
    numbers = [each for each in instruction.params if isinstance(each, int | float)]
    return numbers if len(numbers) == len(instruction.params) else None


def _why_not_there(name: str, qubits: tuple[int, ...], target: Target) -> str:
    places = sorted(place for place in (target.qargs_for_operation_name(name) or ()) if place is not None)
    if qubits in places or not places:
        return "with an angle that the device does not have"
    if qubits[::-1] in places:
        return f"which the device has the other way round only, on {_said(qubits[::-1])}"
    near = [place for place in places if set(place) & set(qubits)] or places
    shown = "; ".join(_said(place) for place in near[:_LISTED]) + ("; …" if len(near) > _LISTED else "")
    return f"where the device has no such gate: nearest it has it on {shown}"


def _refuse(where: str, name: str, qubits: tuple[int, ...], why: str) -> None:
    detail = f"the circuit is to run as it is, but {where} is {name} on {_said(qubits)}, {why}. Change it, {_CURE}"
    raise Rejected("circuit_not_isa", detail, {"gate": name, "qubits": list(qubits), "instruction": where})


def _said(qubits: Sequence[int]) -> str:
    return f"qubit{'s' if len(qubits) != 1 else ''} {', '.join(map(str, qubits))}"
