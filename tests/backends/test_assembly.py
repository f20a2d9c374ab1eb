"""The engine's circuit holds what happens, on the qubits it happens to, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit.library import DiagonalGate, Initialize, PauliGate, UnitaryGate
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator, Statevector, random_unitary

from backends import engine
from backends.assembly import STATE_LABEL, Assembly, assemble, expectations, final_state, measurements
from backends.catalogue import spec_of
from backends.flatten import flatten

AER = spec_of("aer")
assert AER is not None
BASIS = AER.basis_gates


def state_of(made: Assembly) -> np.ndarray:
    """The final state, widened again by the idle qubits."""
    circuit = made.engine_circuit(final_state(made))
    (result,) = engine.execute([circuit], "statevector", qubits=len(made.lines), clbits=made.clbits)
    narrow = result["data"][STATE_LABEL]
    wide = np.zeros(2**made.width, dtype=complex)
    for index, amplitude in enumerate(narrow):
        wide[sum((index >> line & 1) << qubit for qubit, line in made.lines.items())] = amplitude
    return wide


@given(st.integers(0, 10**6))
@settings(max_examples=40)
def test_random_circuits_end_in_qiskits_state(seed: int) -> None:
    circuit = random_circuit(4, 4, max_operands=4, seed=seed)
    made = assemble(flatten(circuit, BASIS))
    if made.lines:
        assert Statevector(state_of(made)).equiv(Statevector(circuit))


@pytest.mark.parametrize(
    "gate",
    [
        UnitaryGate(random_unitary(4, seed=1)),
        DiagonalGate([1, 1j, -1, -1j]),
        PauliGate("XY"),
        Initialize([0.5, 0.5j, -0.5, 0.5]),
    ],
    ids=lambda gate: gate.name,
)
def test_arrays_reach_the_engine(gate: Any) -> None:
    circuit = QuantumCircuit(3)
    circuit.h(1)
    circuit.append(gate, [2, 0])
    if gate.name != "initialize":
        circuit.cx(0, 2)
    assert Statevector(state_of(assemble(circuit))).equiv(Statevector(circuit))


def test_idle_qubits_have_no_line() -> None:
    circuit = QuantumCircuit(127, 3)
    circuit.h(100)
    circuit.cx(100, 5)
    circuit.id(3)
    circuit.delay(10, 4)
    circuit.barrier()
    circuit.reset(7)
    circuit.measure([5, 100, 90], [0, 1, 2])
    made = assemble(circuit)
    assert made.lines == {5: 0, 100: 1}
    assert made.outcome == {0: 5, 1: 100, 2: 90}
    assert len(made.calls) == 2
    assert made.terminal
    assert len(measurements(made)) == 2


def test_the_last_measurement_into_a_bit_counts() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h([0, 1])
    circuit.measure(0, 0)
    circuit.measure(1, 0)
    assert assemble(circuit).outcome == {0: 1}


@pytest.mark.parametrize(
    ("build", "terminal"),
    [
        (lambda c: c.measure(0, 0), True),
        (lambda c: (c.measure(0, 0), c.measure(0, 1)), True),
        (lambda c: (c.measure(0, 0), c.barrier(), c.h(1)), True),
        (lambda c: (c.measure(0, 0), c.h(0)), False),
        (lambda c: (c.measure(0, 0), c.cx(1, 0)), False),
        (lambda c: (c.measure(0, 0), c.reset(0)), False),
        (lambda c: (c.h(0), c.reset(0)), False),
        (lambda c: c.reset(0), True),
        (lambda c: (c.h(0), c.initialize([1, 0], 0)), False),
        (lambda c: (c.h(0), c.initialize([1, 0], 1)), True),
    ],
)
def test_one_state_tells_all_outcomes_or_not(build: Any, terminal: bool) -> None:
    circuit = QuantumCircuit(2, 2)
    build(circuit)
    assert assemble(circuit).terminal == terminal


def test_random_circuits_keep_their_measurements_in_order() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.measure(1, 1)
    made = assemble(circuit)
    assert (made.terminal, made.lines, len(made.calls)) == (False, {0: 0, 1: 1}, 5)


def test_open_parameters_are_found_at_their_places() -> None:
    first, second = Parameter("first"), Parameter("second")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.barrier()
    circuit.u(0.1, second, first + 1, 1)
    circuit.rzz(2 * first, 0, 1)
    made = assemble(circuit)
    assert [place for place, _ in made.found] == [(1, 1), (1, 2), (2, 0)]
    assert made.binding is not None
    filled = made.binding.fill(np.array([[0.5, 0.7]]))
    assert filled == [((1, 1), [0.7]), ((1, 2), [1.5]), ((2, 0), [1.0])]
    circuits = [made.engine_circuit(final_state(made))]
    (result,) = engine.execute(circuits, "statevector", qubits=2, clbits=0, parameterizations=[filled])
    assert Statevector(result["data"][STATE_LABEL]).equiv(
        Statevector(circuit.assign_parameters({first: 0.5, second: 0.7}))
    )


def test_expectations_are_each_under_their_label() -> None:
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    made = assemble(circuit)
    for method in ("statevector", "matrix_product_state"):
        asked = [made.engine_circuit(expectations(made, ["ZZ", "IZ", "XX"]))]
        (result,) = engine.execute(asked, method, qubits=2, clbits=0)
        state = Statevector(circuit)
        expected = {label: state.expectation_value(Operator.from_label(label)).real for label in ("ZZ", "IZ", "XX")}
        assert result["data"] == pytest.approx(expected)
