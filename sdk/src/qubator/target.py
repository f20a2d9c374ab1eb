"""A backend's record as a Qiskit Target: which gates, between which qubits, how good and how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from qiskit.circuit import Delay, ForLoopOp, IfElseOp, Measure, Parameter, Reset, SwitchCaseOp, WhileLoopOp
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

_BRANCHES = {"if_else": IfElseOp, "while_loop": WhileLoopOp, "for_loop": ForLoopOp, "switch_case": SwitchCaseOp}
_S_PER_NS = 1e-9
_S_PER_US = 1e-6


def target_of(record: Mapping[str, Any]) -> Target:
    """The target of a backend's record.

    Members of the record, all but the first two optional: `qubits_max`; `basis_gates`; `coupling_map`, pairs of qubits
    in the direction in which a gate may act (without it any qubits may meet); `gates`, figures of a gate on given
    qubits as {"name", "qubits", "error", "duration_ns"} (measurement and reset among them); `qubits`, figures of each
    qubit as {"t1_us", "t2_us", "frequency_hz"}; `dt_ns`, the step of the device's clock.
    """
    edges = record.get("coupling_map")
    width = record.get("qubits_max")
    figures = _figures(record)
    dt_ns = record.get("dt_ns")
    target = Target(
        description=str(record.get("description", "")),
        num_qubits=width,
        dt=None if dt_ns is None else dt_ns * _S_PER_NS,
        qubit_properties=_qubits(record),
    )
    for name, gate in _gates(record):
        known = figures.get(name)
        if edges is None and known is None:
            # defined for any qubits: compilers then choose no layout and keep the circuit's own width
            target.add_instruction(gate, name=name)
            continue
        places = known or dict.fromkeys(_places(gate.num_qubits, width or 0, edges or ()))
        if places:
            target.add_instruction(gate, places, name=name)
    for name, branch in _BRANCHES.items():
        target.add_instruction(branch, name=name)
    return target


def _gates(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The gates that compilers know by name, with free parameters, then measurement, reset and delay."""
    known = get_standard_gate_name_mapping()
    for name in record.get("basis_gates", ()):
        gate = known.get(name)
        if gate is not None and name not in ("measure", "reset", "delay"):
            fresh = [Parameter(f"p{place}") for place in range(len(gate.params))]
            yield name, type(gate)(*fresh) if fresh else gate
    yield "measure", Measure()
    yield "reset", Reset()
    yield "delay", Delay(Parameter("t"))


def _places(operands: int, width: int, edges: Iterable[Any]) -> list[tuple[int, ...]]:
    """Where a gate of so many operands may act on a coupled device."""
    if operands == 1:
        return [(qubit,) for qubit in range(width)]
    return [(int(first), int(second)) for first, second in edges] if operands == 2 else []


def _figures(record: Mapping[str, Any]) -> dict[str, dict[tuple[int, ...], InstructionProperties]]:
    """What is known of each gate on each set of qubits."""
    found: dict[str, dict[tuple[int, ...], InstructionProperties]] = {}
    for row in record.get("gates", ()):
        duration_ns = row.get("duration_ns")
        properties = InstructionProperties(
            duration=None if duration_ns is None else duration_ns * _S_PER_NS, error=row.get("error")
        )
        found.setdefault(str(row["name"]), {})[tuple(int(qubit) for qubit in row["qubits"])] = properties
    return found


def _qubits(record: Mapping[str, Any]) -> list[QubitProperties] | None:
    rows = record.get("qubits")
    if not rows:
        return None
    return [
        QubitProperties(t1=_seconds(row.get("t1_us")), t2=_seconds(row.get("t2_us")), frequency=row.get("frequency_hz"))
        for row in rows
    ]


def _seconds(time_us: float | None) -> float | None:
    return None if time_us is None else time_us * _S_PER_US
