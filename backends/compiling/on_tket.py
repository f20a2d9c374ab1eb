"""TKET (pytket, Apache-2.0) as a compiler of unitary stretches: circuits there and back, gate by gate.

Its own converter comes with the whole client of a cloud service; this one knows the gates of `blocks.BASIS` and no
others. TKET counts angles in half turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import sympy
from pytket.circuit import Circuit, OpType
from pytket.passes import CommuteThroughMultis, PeepholeOptimise2Q, RemoveRedundancies, SequencePass
from qiskit.circuit import Parameter, QuantumCircuit

from backends.compiling.blocks import NotRewritten

VERSION = version("pytket")
_PLAIN: Mapping[str, OpType] = {
    "h": OpType.H,
    "x": OpType.X,
    "y": OpType.Y,
    "z": OpType.Z,
    "s": OpType.S,
    "sdg": OpType.Sdg,
    "t": OpType.T,
    "tdg": OpType.Tdg,
    "sx": OpType.SX,
    "sxdg": OpType.SXdg,
    "cx": OpType.CX,
    "cz": OpType.CZ,
}
_TURNED: Mapping[str, OpType] = {"rx": OpType.Rx, "ry": OpType.Ry, "rz": OpType.Rz}
_BACK: Mapping[OpType, str] = {kind: name for name, kind in {**_PLAIN, **_TURNED}.items()}


def peephole(stretch: QuantumCircuit) -> QuantumCircuit:
    """Resynthesis of what happens to pairs of qubits; symbolic gates only commute and cancel.

    TKET's full peephole pass, which looks at three qubits, took seven times as long for the same gain.
    """
    if stretch.num_parameters:
        return _through(stretch, SequencePass([CommuteThroughMultis(), RemoveRedundancies()]))
    return _through(stretch, PeepholeOptimise2Q(allow_swaps=False))


def _through(stretch: QuantumCircuit, apply: Any) -> QuantumCircuit:
    circuit, symbols = to_tket(stretch)
    apply.apply(circuit)
    return from_tket(circuit, stretch, symbols)


def to_tket(stretch: QuantumCircuit) -> tuple[Circuit, dict[str, Parameter]]:
    """The circuit, and which parameter each of its symbols stands for."""
    circuit = Circuit(stretch.num_qubits)
    circuit.add_phase(float(stretch.global_phase) / math.pi)
    known = {parameter: f"p{number}" for number, parameter in enumerate(stretch.parameters)}
    number = {bit: position for position, bit in enumerate(stretch.qubits)}
    for instruction in stretch.data:
        qubits = [number[bit] for bit in instruction.qubits]
        if instruction.name in _PLAIN:
            circuit.add_gate(_PLAIN[instruction.name], qubits)
        elif instruction.name in _TURNED:
            circuit.add_gate(_TURNED[instruction.name], _half_turns(instruction.params[0], known), qubits)
        elif instruction.name != "id":
            raise NotRewritten(f"the gate {instruction.name} is not known there")
    return circuit, {name: parameter for parameter, name in known.items()}


def from_tket(circuit: Circuit, like: QuantumCircuit, symbols: Mapping[str, Parameter]) -> QuantumCircuit:
    """The circuit on the qubits of `like`."""
    made = QuantumCircuit(like.qubits)
    made.global_phase = _radians(circuit.phase, symbols)
    place = {qubit: position for position, qubit in enumerate(circuit.qubits)}
    for command in circuit.get_commands():
        kind, qubits = command.op.type, [place[qubit] for qubit in command.qubits]
        if kind == OpType.TK1:
            first, middle, last = (_radians(angle, symbols) for angle in command.op.params)
            made.rz(last, qubits[0])
            made.rx(middle, qubits[0])
            made.rz(first, qubits[0])
        elif kind in _BACK:
            add: Callable[..., Any] = getattr(made, _BACK[kind])
            add(*(_radians(angle, symbols) for angle in command.op.params), *qubits)
        else:
            raise NotRewritten(f"gave back the gate {kind.name}")
    if circuit.implicit_qubit_permutation() != {qubit: qubit for qubit in circuit.qubits}:
        raise NotRewritten("gave back the qubits in another order")
    return made


def _half_turns(angle: Any, known: Mapping[Parameter, str]) -> Any:
    """An angle in radians, number or expression, as TKET counts it."""
    if isinstance(angle, int | float):
        return angle / math.pi
    total: Any = sympy.Float(0)
    rest = angle
    for parameter in angle.parameters:
        slope = angle.gradient(parameter)
        if not isinstance(slope, int | float):
            raise NotRewritten("an angle is no linear function of its parameters")
        total += slope / math.pi * sympy.Symbol(known[parameter])
        rest = rest.assign(parameter, 0.0)
    return total + float(rest) / math.pi


def _radians(angle: Any, symbols: Mapping[str, Parameter]) -> Any:
    """The inverse: sums of multiples of symbols, and numbers."""
    if isinstance(angle, int | float):
        return angle * math.pi
    free = sorted(angle.free_symbols, key=str)
    if not free:
        return float(angle) * math.pi
    try:
        polynomial = sympy.Poly(angle, *free)
    except sympy.PolynomialError as error:
        raise NotRewritten("gave back an angle that is no linear function") from error
    if polynomial.total_degree() > 1:
        raise NotRewritten("gave back an angle that is no linear function")
    total: Any = float(polynomial.coeff_monomial(1)) * math.pi
    for symbol in free:
        total = symbols[str(symbol)] * (float(polynomial.coeff_monomial(symbol)) * math.pi) + total
    return total
