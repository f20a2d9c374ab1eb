"""A circuit sent again is not written again, unless it has changed in any way."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ClassicalRegister, Parameter
from qiskit.circuit.library import PauliEvolutionGate, StatePreparation, UnitaryGate
from qiskit.quantum_info import Operator, SparsePauliOp

from qubator import qpy_bytes


@pytest.fixture(autouse=True)
def fresh_memory() -> None:
    qpy_bytes.forget()


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []
    write = qpy_bytes._write

    def counted(circuits: Any, version: Any) -> bytes:
        made.append(len(circuits))
        return write(circuits, version)

    monkeypatch.setattr(qpy_bytes, "_write", counted)
    return made


def ansatz() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 1, name="ansatz", metadata={"run": 1})
    circuit.ry(Parameter("a"), 0)
    circuit.rx(0.5, 1)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["ZZ"]), time=1.0), [0, 1])
    circuit.append(UnitaryGate([[1, 0], [0, 1]]), [0])
    circuit.measure(0, 0)
    return circuit


def read(content: bytes) -> QuantumCircuit:
    return qpy.load(io.BytesIO(content))[0]


def test_from_the_third_time_on_the_same_circuit_is_written_no_more(writes: list[int]) -> None:
    circuit = ansatz()
    contents = [qpy_bytes.dump([circuit]) for _ in range(10)]
    assert len(set(contents)) == 1
    assert len(writes) == 2
    assert read(contents[-1]) == circuit


CHANGES: dict[str, Callable[[QuantumCircuit], object]] = {
    "a gate more": lambda c: c.x(0),
    "an angle, slightly": lambda c: c.data.__setitem__(
        1, c.data[1].replace(operation=c.data[1].operation.__class__(0.5 + 1e-12))
    ),
    "an angle inside an evolution": lambda c: c.data.__setitem__(
        2, c.data[2].replace(operation=PauliEvolutionGate(SparsePauliOp(["ZZ"]), time=1.0 + 1e-9))
    ),
    "the global phase": lambda c: setattr(c, "global_phase", 0.3),
    "another parameter of the same name": lambda c: c.assign_parameters(
        {c.parameters[0]: Parameter("a")}, inplace=True
    ),
    "a register": lambda c: c.add_register(ClassicalRegister(1, "k")),
    "the metadata": lambda c: c.metadata.update(run=2),
    "the name": lambda c: setattr(c, "name", "other"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_is_seen(change: Callable[[QuantumCircuit], object]) -> None:
    circuit = ansatz()
    for _ in range(3):
        before = qpy_bytes.dump([circuit])
    change(circuit)
    after = qpy_bytes.dump([circuit])
    assert after != before
    assert read(after) == circuit
    assert (read(after).name, read(after).metadata) == (circuit.name, circuit.metadata)


def test_a_new_circuit_in_an_old_ones_place_is_not_taken_for_it() -> None:
    for turns in range(200):
        circuit = QuantumCircuit(1)
        for _ in range(turns % 7):
            circuit.x(0)
        for _ in range(3):
            content = qpy_bytes.dump([circuit])
        assert read(content) == circuit
        del circuit


def test_memory_stays_small() -> None:
    circuits = [QuantumCircuit(1) for _ in range(100)]
    for circuit in circuits:
        qpy_bytes.dump([circuit])
    assert len(qpy_bytes._memory.known) == qpy_bytes._REMEMBERED


def test_metadata_that_json_cannot_say_does_not_stop_a_circuit() -> None:
    import numpy as np

    circuit = QuantumCircuit(1, metadata={"x": np.float64(1.5), "a": np.arange(2), "c": 1j, "s": {2, 1}, "o": object})
    assert read(qpy_bytes.dump([circuit])).metadata["a"] == [0, 1]
    odd = QuantumCircuit(1, metadata={(1, 2): "tuple key"})
    assert read(qpy_bytes.dump([odd])).num_qubits == 1
    assert odd.metadata == {(1, 2): "tuple key"}


def test_an_inverted_state_preparation_arrives_inverted() -> None:
    circuit = QuantumCircuit(2, metadata={"k": 1})
    circuit.append(StatePreparation([0.6, 0, 0, 0.8]).inverse(), [0, 1])
    found = read(qpy_bytes.dump([circuit]))
    assert Operator(found).equiv(Operator(circuit))
    assert found.metadata == {"k": 1}


def test_large_files_are_packed_and_small_ones_sent_as_they_are() -> None:
    small, large = bytes(100), bytes(range(256)) * 400
    assert base64.b64decode(qpy_bytes.packed(small)) == small
    assert len(qpy_bytes.packed(large)) < len(large) / 10
    assert zlib.decompress(base64.b64decode(qpy_bytes.packed(large))) == large


def test_an_older_qpy_version_can_be_asked_for() -> None:
    circuit = QuantumCircuit(1)
    assert [qpy_bytes.dump([circuit])[6] for _ in range(3)] == [qpy.common.QPY_VERSION] * 3
    assert qpy_bytes.dump([circuit], version=13)[6] == 13
    assert qpy_bytes.dump([circuit])[6] == qpy.common.QPY_VERSION
