"""Circuits over a device's gates: the same circuit, where its qubits went, and what is left alone."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Statevector

from backends.circuits import Circuit
from backends.devices.compiling import compiled, for_device, is_native
from backends.devices.reading import SNAPSHOT, fleet
from backends.rejected import Rejected


@pytest.mark.parametrize("name", fleet())
def test_dead_qubits_and_couplings_are_never_used(bench: Any, name: str) -> None:
    """Wide enough to be pressed against what is broken, which is read from the file once more."""
    device = bench.device(name)
    width = min(len(device.live), 60) - 1
    circuit = QuantumCircuit(width)
    circuit.h(range(width))
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    made = for_device(circuit, device).circuit
    assert is_native(made, device)
    dead: set[frozenset[int]] = set()
    if name.endswith(SNAPSHOT):
        file = files("backends").joinpath("targets", "snapshots", f"{name.removesuffix(SNAPSHOT)}.json")
        for rows in json.loads(file.read_text(encoding="utf-8"))["gates"].values():
            dead |= {frozenset(row[:-2]) for row in rows if len(row) == 4 and row[2] >= 0.3}
    assert bool(dead) == (name in ("sherbrooke-snapshot", "fez-snapshot"))
    for instruction in made.data:
        places = frozenset(made.find_bit(qubit).index for qubit in instruction.qubits)
        assert not places & set(device.dead_qubits)
        assert places not in dead


def test_qubits_go_where_it_says(bench: Any) -> None:
    circuit = QuantumCircuit(5)
    circuit.x([1, 4])
    for first in range(5):  # every pair meets, so that qubits have to be carried
        for second in range(first):
            circuit.cz(first, second)
    device = bench.device("nairobi-snapshot")
    made = compiled(Circuit(circuit, b""), device)
    assert not made.as_is
    ((outcome, odds),) = Statevector(made.circuit).probabilities_dict(decimals=6).items()
    assert odds == pytest.approx(1)
    assert [outcome[::-1][place] for place in made.places] == ["0", "1", "0", "0", "1"]
    assert made.circuit.layout.initial_index_layout(filter_ancillas=True) != list(made.places), "they moved on the way"
    assert made.about()["compiler"] == "Qiskit level 1, seed 0"
    assert made.about()["two_qubit_gates"] == made.circuit.count_ops()["cx"]
    assert compiled(Circuit(circuit, b""), device) is not made
    once = Circuit(circuit, b"")
    assert compiled(once, device) is compiled(once, device)


def test_native_circuits_stay_as_they_are(bench: Any) -> None:
    device = bench.device("nairobi-snapshot")
    circuit = QuantumCircuit(7, 1)
    circuit.sx(5)
    circuit.cx(5, 6)
    circuit.barrier()
    circuit.delay(100, 6, "ns")
    circuit.measure(6, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(2)
    made = compiled(Circuit(circuit, b""), device)
    assert made.as_is
    assert made.circuit is circuit
    assert made.places == tuple(range(7))
    far = QuantumCircuit(7, 1)
    far.measure(0, 0)
    with far.if_test((far.clbits[0], 1)):
        far.cx(0, 6)
    assert not is_native(far, device)
    assert is_native(circuit, device)
    assert not is_native(circuit, bench.device("guadalupe-snapshot")), "it measures in the middle"


def test_parameters_stay_open(bench: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    made = compiled(Circuit(circuit, b""), bench.device("generic"))
    first, second = made.template.programs(np.array([[0.3], [0.9]]))
    assert first != second


def test_what_no_compiler_can_do_is_refused(bench: Any) -> None:
    with pytest.raises(Rejected, match="has 8 qubits, nairobi-snapshot has 7"):
        compiled(Circuit(QuantumCircuit(8), b""), bench.device("nairobi-snapshot"))
    loop = QuantumCircuit(1, 1)
    loop.h(0)
    loop.measure(0, 0)
    with loop.while_loop((loop.clbits[0], 0)):
        loop.h(0)
        loop.measure(0, 0)
    with pytest.raises(Rejected) as caught:
        compiled(Circuit(loop, b""), bench.device("nairobi-snapshot"))
    assert caught.value.code == "backend_infeasible"
    delay = QuantumCircuit(1)
    delay.delay(Parameter("t"), 0, "ns")
    with pytest.raises(Rejected, match="no length in nanoseconds"):
        compiled(Circuit(delay, b""), bench.device("nairobi-snapshot"))
    steps = QuantumCircuit(1)
    steps.delay(100, 0, "dt")
    with pytest.raises(Rejected, match="a delay of 100 dt has no length"):
        compiled(Circuit(steps, b""), bench.device("wukong-like"))


def test_success_is_predicted_where_any_qubits_may_meet(bench: Any) -> None:
    """Of atoms too: two CZ and their turns, and three readouts."""
    device = bench.device("neutral-atom-like")
    circuit = QuantumCircuit(3)
    circuit.cz(0, 1)
    circuit.cz(1, 2)
    circuit.measure_all()
    told = compiled(Circuit(circuit, b""), device).about()
    cz = device.gate("cz", (0, 1))
    reads = [1 - qubit.readout_error for qubit in device.qubits[:3]]
    assert told["schedule_ns"] == pytest.approx(2 * cz.duration_ns + device.longest_readout_ns, abs=1)
    assert told["predicted_success"] == pytest.approx((1 - cz.error) ** 2 * np.prod(reads), rel=1e-2)
    assert told["predicted_success"] < (1 - cz.error) ** 2 * np.prod(reads), "and waiting"
