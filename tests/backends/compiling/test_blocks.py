"""The unitary stretches that another compiler may rewrite, and the check of what it gives back."""

from __future__ import annotations

import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit.library import QFTGate

from backends.compiling.blocks import BASIS, NotRewritten, is_dynamic, rewritten, unrolled


def stretches(circuit: QuantumCircuit) -> list[list[str]]:
    seen: list[list[str]] = []

    def look(stretch: QuantumCircuit) -> QuantumCircuit:
        seen.append([each.name for each in stretch.data])
        return stretch

    assert rewritten(circuit, look) == circuit
    return seen


def test_measuring_each_qubit_when_it_is_done_leaves_one_stretch() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.h(1)
    circuit.measure(1, 1)
    seen: list[int] = []

    def look(stretch: QuantumCircuit) -> QuantumCircuit:
        seen.append(len(stretch.data))
        return stretch

    assert [each.name for each in rewritten(circuit, look).data] == ["h", "h", "measure", "measure"]
    assert seen == [2]


def test_barriers_measurements_and_resets_on_the_way_end_a_stretch() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.barrier()
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.x(0)
    circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    assert stretches(circuit) == [["h"], ["cx"], ["x"]]


def test_a_bit_that_is_written_twice_keeps_its_order() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.x(1)
    circuit.measure(1, 0)
    made = rewritten(circuit, lambda stretch: stretch)
    assert [made.find_bit(each.qubits[0]).index for each in made.get_instructions("measure")] == [0, 1]


def test_registers_metadata_and_phase_stay() -> None:
    circuit = QuantumCircuit(1, 1, metadata={"a": 1}, global_phase=0.5)
    circuit.h(0)
    circuit.measure_all()
    made = rewritten(circuit, lambda stretch: stretch)
    assert (made.cregs, made.metadata, made.global_phase) == (circuit.cregs, {"a": 1}, 0.5)


def test_a_rewrite_that_does_something_else_is_not_believed() -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)

    def wrong(stretch: QuantumCircuit) -> QuantumCircuit:
        made = QuantumCircuit(stretch.qubits)
        made.h(0)
        made.rz(1e-6, 0)
        return made

    with pytest.raises(NotRewritten, match="does something else"):
        rewritten(circuit, wrong)


def test_a_rewrite_may_not_bring_parameters_of_its_own() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)

    def foreign(stretch: QuantumCircuit) -> QuantumCircuit:
        made = QuantumCircuit(stretch.qubits)
        made.rx(Parameter("b"), 0)
        return made

    with pytest.raises(NotRewritten):
        rewritten(circuit, foreign)


def test_what_decides_on_its_way_is_dynamic() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.append(QFTGate(2), [0, 1])
    circuit.measure(0, 0)
    circuit.reset(0)
    assert not is_dynamic(circuit)
    with circuit.if_test((0, 1)):
        circuit.x(0)
    assert is_dynamic(circuit)


def test_unrolled_circuits_have_basis_gates_only() -> None:
    circuit = QuantumCircuit(3)
    circuit.append(QFTGate(3), range(3))
    circuit.ccx(0, 1, 2)
    circuit.rzz(Parameter("a"), 0, 1)
    assert set(unrolled(circuit).count_ops()) <= set(BASIS)
