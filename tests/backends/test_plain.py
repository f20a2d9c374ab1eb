"""One pass over plain circuits says what the two that look at everything say; everything else is left to them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import ClassicalRegister, Gate, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import QFTGate, RCCXGate, get_standard_gate_name_mapping
from qiskit.circuit.random import random_circuit

from backends.limits import Limits
from backends.plain import plain
from backends.program import Program
from backends.programming import KEPT, RENAMED, Template, template_of
from backends.structure import structure_of

STANDARD = get_standard_gate_name_mapping()
NAMES = sorted(name for name in STANDARD if name in KEPT or name in RENAMED or name in ("id", "measure", "reset"))
ANGLES = st.sampled_from([0.0, math.pi / 2, math.pi, 0.3, 1])


def said(circuit: QuantumCircuit) -> tuple[object, object]:
    template = template_of(circuit)
    assert isinstance(template, Template)
    return structure_of(circuit, Limits()), template.program


@st.composite
def circuits(draw: st.DrawFn) -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(4), ClassicalRegister(3))
    for name in draw(st.lists(st.sampled_from([*NAMES, "barrier", "delay"]), max_size=15)):
        places = draw(st.permutations(range(4)))
        if name == "measure":
            circuit.measure(places[0], draw(st.integers(0, 2)))
        elif name == "barrier":
            circuit.barrier(places[:2])
        elif name == "delay":
            circuit.delay(10, places[0])
        else:
            gate = STANDARD[name].copy()
            if gate.params:
                gate.params = [draw(ANGLES) for _ in gate.params]
            circuit.append(gate, places[: gate.num_qubits])
    return circuit


@given(circuits())
def test_it_says_what_the_others_say(circuit: QuantumCircuit) -> None:
    found = plain(circuit)
    assert found is not None
    structure, template = found
    assert (structure, template.program) == said(circuit)


@given(st.integers(0, 10**6), st.booleans())
def test_random_circuits_are_told_alike_or_not_at_all(seed: int, measure: bool) -> None:
    circuit = random_circuit(4, 5, max_operands=3, measure=measure, reset=True, seed=seed)
    found = plain(circuit)
    assert found is None or (found[0], found[1].program) == said(circuit)


def test_parameters_keep_their_places() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.rx(a, 0)
    circuit.u(0.1, a + b, b, 1)
    found, other = plain(circuit), template_of(circuit)
    assert found is not None
    assert isinstance(other, Template)
    assert found[1].binding.places == other.binding.places == ((0, 0), (1, 1), (1, 2))
    assert (found[1].binding.weights == other.binding.weights).all()
    assert found[1].program == other.program


def test_an_empty_circuit() -> None:
    found = plain(QuantumCircuit())
    assert found is not None
    assert (found[0].operations, found[0].depth, found[1].program) == (0, 0, Program(0, 0, ()))


def odd(kind: str) -> QuantumCircuit:
    circuit = QuantumCircuit(3, 1)
    circuit.h(0)
    match kind:
        case "defined":
            circuit.append(QFTGate(3), range(3))
        case "own gate with a known name":
            circuit.append(Gate("measure", 1, []), [0])
        case "standard, but by definition":
            circuit.append(RCCXGate(), range(3))
        case "control flow":
            with circuit.if_test((circuit.clbits[0], 1)):
                circuit.x(0)
        case "no number":
            circuit.rx(math.nan, 0)
    return circuit


@pytest.mark.parametrize(
    "kind", ["defined", "own gate with a known name", "standard, but by definition", "control flow", "no number"]
)
def test_it_leaves_the_rest_to_those_who_look_at_everything(kind: str) -> None:
    assert plain(odd(kind)) is None
