"""Our matrix product states: what they cost, what they drop and what they say of it. (Their answers: conformance.)"""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from backends.engines.mps import MatrixProductState
from backends.engines.port import Budget, GaveUp, Unsuited
from backends.engines.traits import traits_of
from backends.program import Op, Program
from backends.programming import program_of

ENGINE = MatrixProductState()


def ising(qubits: int, steps: int, *, turn: float = 0.4) -> Program:
    gates: list[Op] = []
    for _ in range(steps):
        gates += [Op("rx", (qubit,), (0.7,)) for qubit in range(qubits)]
        gates += [Op("rzz", (qubit, qubit + 1), (turn,)) for qubit in range(qubits - 1)]
    return Program(qubits, qubits, (*gates, *(Op("measure", (qubit,), (), (qubit,)) for qubit in range(qubits))))


def volume(qubits: int, layers: int) -> Program:
    rng = np.random.default_rng(5)
    gates: list[Op] = []
    for _ in range(layers):
        order = rng.permutation(qubits).tolist()
        gates += [Op("u", (qubit,), tuple(rng.uniform(0, math.pi, 3).tolist())) for qubit in range(qubits)]
        gates += [Op("cx", pair) for pair in zip(order[::2], order[1::2], strict=False)]
    return Program(qubits, qubits, (*gates, *(Op("measure", (qubit,), (), (qubit,)) for qubit in range(qubits))))


def bond(method: str) -> int:
    found = re.fullmatch(r"matrix product state, bonds up to (\d+)", method)
    assert found is not None
    return int(found.group(1))


def test_a_ghz_state_of_a_hundred_qubits_needs_bonds_of_two() -> None:
    ghz = Program(100, 0, (Op("h", (0,)), *(Op("cx", (place, place + 1)) for place in range(99))))
    found = ENGINE.expectation(ghz, [((0, "Z"), (99, "Z")), ((0, "Z"),), tuple((q, "X") for q in range(100))], Budget())
    assert found.values == pytest.approx((1, 0, 1), abs=1e-9)
    assert bond(found.how.method) == 2
    assert found.how.fidelity == 1


def test_a_swap_moves_names_only() -> None:
    ghz = (Op("h", (0,)), Op("cx", (0, 1)))
    carried = Program(40, 0, (*ghz, *(Op("swap", (place, place + 1)) for place in range(1, 39))))
    found = ENGINE.expectation(carried, [((0, "Z"), (39, "Z"))], Budget())
    assert found.values == pytest.approx((1,), abs=1e-12)
    assert bond(found.how.method) == 2


def test_what_was_carried_to_a_gate_goes_back() -> None:
    """Turns in a band of three: on the program's own line at most six gates cross a cut."""
    gates = [Op("h", (qubit,)) for qubit in range(32)]
    gates += [Op("cp", (qubit, qubit + span), (0.9,)) for span in (3, 1, 2) for qubit in range(32 - span)]
    gates += [Op("h", (qubit,)) for qubit in range(32)]
    found = ENGINE.expectation(Program(32, 0, tuple(gates)), [((0, "Z"), (31, "Z"))], Budget())
    assert bond(found.how.method) <= 64


def test_work_is_counted_and_not_timed() -> None:
    with pytest.raises(GaveUp, match=r"its work exceeds 0\.01 s, at bonds of \d+") as first:
        ENGINE.sample(volume(24, 12), 10, 1, Budget(seconds=0.01))
    with pytest.raises(GaveUp) as second:
        ENGINE.sample(volume(24, 12), 10, 1, Budget(seconds=0.01))
    assert str(first.value) == str(second.value)


def test_memory_is_limited() -> None:
    with pytest.raises(MemoryError, match="on 24 qubits"):
        ENGINE.sample(volume(24, 12), 10, 1, Budget(memory_bytes=1 << 20))


def test_what_is_dropped_bounds_what_is_lost() -> None:
    """Against the exact state: no value is further off than is said, and something was dropped."""
    program = ising(12, 9, turn=0.9)
    circuit = QuantumCircuit(12)
    for op in program.operations:
        if op.name != "measure":
            getattr(circuit, op.name)(*op.params, *op.qubits)
    state = Statevector(circuit)
    paulis = [((0, "Z"),), ((3, "Z"), (4, "Z")), ((2, "X"), (7, "Y"))]
    found = ENGINE.expectation(program, paulis, Budget())
    for pauli, value in zip(paulis, found.values, strict=True):
        exact = state.expectation_value(
            SparsePauliOp.from_sparse_list([("".join(p for _, p in pauli), [q for q, _ in pauli], 1.0)], 12)
        ).real
        assert abs(value - exact) <= found.error
    assert found.error < 1e-4


def test_drawing_follows_the_amplitudes() -> None:
    program = ising(6, 3)
    bits = ENGINE.sample(program, 40_000, 3, Budget()).bits
    circuit = QuantumCircuit(6)
    for op in program.operations:
        if op.name != "measure":
            getattr(circuit, op.name)(*op.params, *op.qubits)
    chances = Statevector(circuit).probabilities()
    seen = np.bincount(bits @ (1 << np.arange(6)), minlength=64)
    expected = 40_000 * chances
    likely = expected > 5
    square = float(((seen - expected)[likely] ** 2 / expected[likely]).sum())
    assert square < likely.sum() + 6 * math.sqrt(2 * likely.sum())  # six standard deviations of χ²


def test_wide_gates_are_lowered() -> None:
    circuit = QuantumCircuit(5)
    circuit.x([0, 1, 2])
    circuit.mcx([0, 1, 2, 3], 4)
    circuit.x(3)
    circuit.mcx([0, 1, 2, 3], 4)
    program = program_of(circuit)
    assert isinstance(program, Program)
    found = ENGINE.expectation(program, [((4, "Z"),)], Budget())
    assert found.values == pytest.approx((-1,), abs=1e-9)


def test_random_events_before_the_end_are_not_for_it() -> None:
    looked = Program(1, 1, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)), Op("measure", (0,), (), (0,))))
    assert ENGINE.obstacle(traits_of(looked)) == "outcomes are random before the end"
    with pytest.raises(Unsuited, match="random before the end"):
        ENGINE.sample(looked, 1, 1, Budget())
