"""Compiling happens once for a circuit, a backend and a method; what is kept of endings is bounded."""

from __future__ import annotations

from typing import Any

from qiskit.circuit import QuantumCircuit

from backends.catalogue import spec_of
from backends.circuits import Circuit
from backends.compiled import compiled

AER, MPS = spec_of("aer"), spec_of("aer-mps")


def circuit_of(program: QuantumCircuit) -> Circuit:
    return Circuit(program, b"key")


def test_once_for_each_method_and_backend(desk: Any) -> None:
    circuit = circuit_of(desk.bell())
    first = compiled(circuit, AER, "statevector")
    assert compiled(circuit, AER, "statevector") is first
    assert compiled(circuit, AER, "stabilizer") is not first
    assert compiled(circuit, MPS, "matrix_product_state") is not first
    assert compiled(circuit_of(desk.bell()), AER, "statevector") is not first


def test_registers_are_those_of_the_sender(desk: Any) -> None:
    found = compiled(circuit_of(desk.bell()), AER, "statevector")
    assert [(register.name, register.slots) for register in found.registers] == [("meas", (0, 1))]


def test_control_flow_is_left_to_the_engines_compiler() -> None:
    plain = QuantumCircuit(1, 1)
    plain.measure(0, 0)
    plain.x(0)
    assert compiled(circuit_of(plain), AER, "statevector").assembly is not None
    branching = plain.copy()
    with branching.if_test((branching.clbits[0], 1)):
        branching.x(0)
    assert compiled(circuit_of(branching), AER, "statevector").assembly is None
    boxed = QuantumCircuit(1, 1)
    with boxed.box():
        boxed.x(0)
    assert compiled(circuit_of(boxed), AER, "statevector").assembly is not None


def test_turns_become_clifford_for_the_tableau_only() -> None:
    program = QuantumCircuit(1)
    program.rx(3.141592653589793, 0)
    assert compiled(circuit_of(program), AER, "stabilizer").flat.count_ops() == {"x": 1}
    assert compiled(circuit_of(program), AER, "statevector").flat.count_ops() == {"rx": 1}


def test_endings_are_made_once_and_the_oldest_goes(desk: Any) -> None:
    found = compiled(circuit_of(desk.bell()), AER, "statevector")
    made: list[int] = []

    def ending(key: int) -> Any:
        return found.with_ending(key, lambda: made.append(key) or key)

    for key in (0, 1, 2, 3, 0, 4, 0):
        ending(key)
    assert made == [0, 1, 2, 3, 4]
    ending(1)
    assert made == [0, 1, 2, 3, 4, 1]
