"""The engine is called directly; what it says no to becomes a refusal, what it lacks memory for a MemoryError."""

from __future__ import annotations

from typing import Any

import pytest
import qiskit_aer
from qiskit.circuit import QuantumCircuit
from qiskit_aer import AerSimulator

from backends import engine
from backends.assembly import assemble, final_state, measurements
from backends.rejected import Rejected


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def run(circuit: QuantumCircuit, method: Any = "statevector", **options: Any) -> list[dict[str, Any]]:
    made = assemble(circuit)
    assembled = made.engine_circuit(measurements(made))
    return engine.execute([assembled], method, qubits=len(made.lines), clbits=made.clbits, **options)


def test_shots_and_seed_are_those_of_the_simulator() -> None:
    """The same seed gives the memory that AerSimulator.run gives."""
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)
    expected = simulator.run(ghz(3), shots=50, seed_simulator=7, memory=True).result().get_memory()
    (found,) = run(ghz(3), shots=50, seed=7, memory=True)
    assert [format(int(word, 16), "03b") for word in found["data"]["memory"]] == expected


def test_seeds_repeat_whatever_ran_between() -> None:
    first = run(ghz(3), shots=50, seed=7, memory=True)[0]["data"]["memory"]
    run(ghz(4), shots=5, seed=1)
    assert run(ghz(3), shots=50, seed=7, memory=True)[0]["data"]["memory"] == first
    assert run(ghz(3), shots=50, seed=8, memory=True)[0]["data"]["memory"] != first


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state", "stabilizer"])
def test_the_method_is_the_one_asked_for(method: Any) -> None:
    (found,) = run(ghz(3), method, shots=10)
    assert found["metadata"]["method"] == method


def test_one_thread() -> None:
    (found,) = run(ghz(3), shots=10)
    assert (found["metadata"]["parallel_state_update"], found["metadata"]["parallel_shots"]) == (1, 1)


def test_what_the_engine_declines_is_a_refusal() -> None:
    circuit = ghz(2)
    circuit.data.insert(0, circuit.data[0].replace(operation=__import__("qiskit").circuit.library.TGate()))
    with pytest.raises(Rejected) as caught:
        run(circuit, "stabilizer", shots=10)
    assert caught.value.code == "backend_infeasible"


def test_too_little_memory_is_a_memory_error() -> None:
    circuit = QuantumCircuit(50)
    for qubit in range(50):
        circuit.ry(0.1, qubit)
    made = assemble(circuit)
    with pytest.raises(MemoryError):
        engine.execute([made.engine_circuit(final_state(made))], "statevector", qubits=50, clbits=0)


def test_the_version_is_aers() -> None:
    assert qiskit_aer.__version__ == engine.VERSION
