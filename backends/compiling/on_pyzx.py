"""PyZX (Apache-2.0) as a compiler of unitary stretches: phases travel along the ZX diagram, the circuit's shape stays.

Taking the circuit anew out of a fully reduced diagram makes more two-qubit gates than it saves on coupled devices and
is not done. Phases travel as exact fractions of π.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from importlib.metadata import version
from typing import Any

import pyzx
from pyzx.circuit import gates
from qiskit.circuit import QuantumCircuit

from backends.compiling.blocks import NotRewritten

VERSION = version("pyzx")
_TURNS: Mapping[str, tuple[str, Fraction]] = {
    "z": ("z", Fraction(1)),
    "s": ("z", Fraction(1, 2)),
    "sdg": ("z", Fraction(3, 2)),
    "t": ("z", Fraction(1, 4)),
    "tdg": ("z", Fraction(7, 4)),
    "x": ("x", Fraction(1)),
    "sx": ("x", Fraction(1, 2)),
    "sxdg": ("x", Fraction(3, 2)),
}


def phases(stretch: QuantumCircuit) -> QuantumCircuit:
    """The circuit with phases that meet added up, and what then cancels left out; up to a global phase."""
    if stretch.num_parameters:
        raise NotRewritten("phases travel as numbers only")
    graph = to_pyzx(stretch).to_graph()
    pyzx.teleport_reduce(graph)
    circuit = pyzx.Circuit.from_graph(graph)
    return from_pyzx(pyzx.optimize.basic_optimization(circuit.to_basic_gates(), do_swaps=False), stretch)


def to_pyzx(stretch: QuantumCircuit) -> Any:
    """The circuit over H, CNOT, CZ and rotations."""
    circuit = pyzx.Circuit(stretch.num_qubits)
    number = {bit: position for position, bit in enumerate(stretch.qubits)}
    for instruction in stretch.data:
        qubits = [number[bit] for bit in instruction.qubits]
        match instruction.name:
            case "h":
                circuit.add_gate(gates.HAD(*qubits))
            case "cx":
                circuit.add_gate(gates.CNOT(*qubits))
            case "cz":
                circuit.add_gate(gates.CZ(*qubits))
            case "rz":
                circuit.add_gate(gates.ZPhase(*qubits, _fraction(instruction.params[0])))
            case "rx":
                circuit.add_gate(gates.XPhase(*qubits, _fraction(instruction.params[0])))
            case "ry":  # S† first, S last: turns X into Y
                circuit.add_gate(gates.ZPhase(*qubits, Fraction(3, 2)))
                circuit.add_gate(gates.XPhase(*qubits, _fraction(instruction.params[0])))
                circuit.add_gate(gates.ZPhase(*qubits, Fraction(1, 2)))
            case "y":
                circuit.add_gate(gates.ZPhase(*qubits, Fraction(1)))
                circuit.add_gate(gates.XPhase(*qubits, Fraction(1)))
            case "id":
                continue
            case name if name in _TURNS:
                axis, phase = _TURNS[name]
                circuit.add_gate((gates.ZPhase if axis == "z" else gates.XPhase)(*qubits, phase))
            case name:
                raise NotRewritten(f"the gate {name} is not known there")
    return circuit


def from_pyzx(circuit: Any, like: QuantumCircuit) -> QuantumCircuit:
    """The circuit on the qubits of `like`."""
    made = QuantumCircuit(like.qubits)
    pairs: Mapping[str, Callable[..., Any]] = {"CNOT": made.cx, "CZ": made.cz}
    for gate in circuit.gates:
        match gate.name:
            case "HAD":
                made.h(gate.target)
            case "CNOT" | "CZ":
                pairs[gate.name](gate.control, gate.target)
            case "SWAP":
                made.cx(gate.control, gate.target)
                made.cx(gate.target, gate.control)
                made.cx(gate.control, gate.target)
            case "ZPhase" | "S" | "T" | "Z":
                made.rz(float(gate.phase) * math.pi, gate.target)
            case "XPhase" | "NOT" | "SX":
                made.rx(float(gate.phase) * math.pi, gate.target)
            case name:
                raise NotRewritten(f"gave back the gate {name}")
    return made


def _fraction(angle: float) -> Fraction:
    """A phase as a multiple of π: simple where it is one to rounding, exact otherwise."""
    exact = Fraction(float(angle) / math.pi)
    simple = exact.limit_denominator(1024)
    return simple if abs(simple - exact) < Fraction(1, 10**15) else exact
