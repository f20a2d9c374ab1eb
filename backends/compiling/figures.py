"""What a compiled circuit amounts to on its target: gates, depth, time, and how likely a shot goes without a fault.

The predicted success is the product of the successes of all gates and measurements, and of what each qubit keeps
while it waits. Branches count as the worse one, loops as often as they run, `while` as one round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from qiskit.circuit import CircuitInstruction, QuantumCircuit

from backends.compiling.calibrated import Calibrated

_IN_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}
_FREE = frozenset({"barrier", "store", "break_loop", "continue_loop"})


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one compiled circuit. `unknown` names gates whose error or time the target does not tell: they
    count as free of both."""

    two_qubit_gates: int
    depth: int
    schedule_ns: int
    log_success: float
    unknown: tuple[str, ...] = ()

    @property
    def predicted_success(self) -> float:
        """The share of shots in which nothing goes wrong, from 0 to 1."""
        return math.exp(self.log_success)

    def to_json(self) -> dict[str, Any]:
        """For a result's metadata."""
        told: dict[str, Any] = {
            "two_qubit_gates": self.two_qubit_gates,
            "depth": self.depth,
            "schedule_ns": self.schedule_ns,
            "predicted_success": self.predicted_success,
        }
        return told | ({"without_figures": list(self.unknown)} if self.unknown else {})


def figures_of(circuit: QuantumCircuit, calibrated: Calibrated) -> Figures:
    """Count a circuit whose qubits are those of the target."""
    tally = _Tally(calibrated)
    walked = _walk(circuit, range(circuit.num_qubits), tally)
    log_success = walked.log_success + sum(
        _kept(calibrated.coherence[qubit], idle_s) for qubit, idle_s in walked.idle_s.items()
    )
    depth = circuit.depth()
    return Figures(
        walked.two_qubit_gates, depth, round(walked.length_s * 1e9), log_success, tuple(sorted(tally.unknown))
    )


@dataclass(slots=True)
class _Tally:
    calibrated: Calibrated
    unknown: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Walked:
    """One circuit or block: its sums, and how long each qubit waits between its first and its last gate."""

    two_qubit_gates: int = 0
    log_success: float = 0.0
    length_s: float = 0.0
    idle_s: dict[int, float] = field(default_factory=dict)


def _walk(circuit: QuantumCircuit, places: Sequence[int], tally: _Tally) -> _Walked:
    """Schedule from the end, everything as late as it can be, as devices do: a qubit then waits least."""
    found = _Walked()
    number = {bit: position for position, bit in enumerate(circuit.qubits)}
    wires: dict[Any, float] = {}
    busy_s: dict[int, float] = {}
    ends_s: dict[int, float] = {}
    starts_s: dict[int, float] = {}
    for instruction in reversed(circuit.data):
        qubits = tuple(places[number[bit]] for bit in instruction.qubits)
        used = (*instruction.qubits, *instruction.clbits)
        after_s = max((wires.get(bit, 0.0) for bit in used), default=0.0)
        if instruction.name in _FREE:
            wires.update(dict.fromkeys(used, after_s))
            continue
        took_s = _one(instruction, qubits, found, tally)
        wires.update(dict.fromkeys(used, after_s + took_s))
        if instruction.name == "delay":  # waiting, like every gap
            continue
        for qubit in qubits:
            ends_s.setdefault(qubit, after_s)
            starts_s[qubit] = after_s + took_s
            busy_s[qubit] = busy_s.get(qubit, 0.0) + took_s
    found.length_s = max(wires.values(), default=0.0)
    for qubit, end_s in ends_s.items():
        waited_s = starts_s[qubit] - end_s - busy_s[qubit]
        found.idle_s[qubit] = found.idle_s.get(qubit, 0.0) + max(0.0, waited_s)
    return found


def _one(instruction: CircuitInstruction, qubits: tuple[int, ...], found: _Walked, tally: _Tally) -> float:
    """Add one instruction to the sums; returns its time in seconds."""
    if instruction.is_control_flow():
        return _branch(instruction, qubits, found, tally)
    if instruction.name == "delay":
        return _delay_s(instruction, tally.calibrated.dt_s)
    if len(qubits) == 2:
        found.two_qubit_gates += 1
    cost = tally.calibrated.cost(instruction.name, qubits)
    if cost is None or cost.log_success is None or cost.duration_s is None:
        tally.unknown.add(instruction.name)
    if cost is None:
        return 0.0
    found.log_success += cost.log_success or 0.0
    return cost.duration_s or 0.0


def _branch(instruction: CircuitInstruction, qubits: tuple[int, ...], found: _Walked, tally: _Tally) -> float:
    operation = instruction.operation
    blocks = [_walk(block, qubits, tally) for block in operation.blocks]
    if not blocks:
        return 0.0
    rounds = 1
    if operation.name == "for_loop":
        rounds = len(operation.params[0])
    worst = min(blocks, key=lambda block: block.log_success)
    found.log_success += worst.log_success * rounds if rounds else 0.0
    found.two_qubit_gates += max(block.two_qubit_gates for block in blocks) * rounds
    for qubit, idle_s in worst.idle_s.items():
        found.idle_s[qubit] = found.idle_s.get(qubit, 0.0) + idle_s * rounds
    return max(block.length_s for block in blocks) * rounds


def _delay_s(instruction: CircuitInstruction, dt_s: float | None) -> float:
    length, unit = instruction.params[0], instruction.operation.unit
    step_s = dt_s if unit == "dt" else _IN_SECONDS.get(unit)
    if step_s is None:
        return 0.0
    try:
        return float(length) * step_s
    except TypeError:  # a delay that a parameter or an expression decides
        return 0.0


def _kept(coherence: tuple[float, float], idle_s: float) -> float:
    """The logarithm of the entanglement fidelity of waiting that long: what relaxation and dephasing leave."""
    t1_s, t2_s = coherence
    return math.log((1 + math.exp(-idle_s / t1_s) + 2 * math.exp(-idle_s / t2_s)) / 4)
