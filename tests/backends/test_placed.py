"""What a circuit asks of a device that is to take it as it is: enough to tell, without the circuit, whether it will."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit

from backends.compiling.isa import check_isa
from backends.devices.admission import obstacle
from backends.devices.reading import device_of
from backends.devices.target import target_of
from backends.placed import PLACES_MAX, placed
from backends.rejected import Rejected


def test_operations_come_once_with_their_qubits_and_what_is_inside_branches() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.sx(2)
    circuit.sx(2)
    circuit.barrier()
    circuit.cx(2, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    assert placed(circuit) == (
        ("sx", (2,)),
        ("cx", (2, 0)),
        ("measure", (0,)),
        ("if_else", ()),
        ("x", (1,)),
    )


def test_there_is_an_end_to_what_is_told() -> None:
    circuit = QuantumCircuit(200)
    for first in range(200):
        for second in range(200):
            if first != second:
                circuit.cx(first, second)
    assert len(placed(circuit)) == PLACES_MAX


GATES = st.tuples(
    st.sampled_from(["rz", "sx", "x", "cx", "ecr", "cz", "h", "reset", "measure", "delay", "if"]),
    st.permutations(range(7)).map(lambda order: tuple(order[:2])),
)


def built(words: list[tuple[str, tuple[int, int]]]) -> QuantumCircuit:
    circuit = QuantumCircuit(7, 1)
    for name, (first, second) in words:
        match name:
            case "rz":
                circuit.rz(0.3, first)
            case "cx" | "ecr" | "cz":
                getattr(circuit, name)(first, second)
            case "measure":
                circuit.measure(first, 0)
            case "delay":
                circuit.delay(100, first)
            case "if":
                with circuit.if_test((circuit.clbits[0], 1)):
                    circuit.sx(first)
            case _:
                getattr(circuit, name)(first)
    return circuit


@pytest.mark.parametrize(
    "name", ["nairobi-snapshot", "sherbrooke-snapshot", "wukong-like", "neutral-atom-like", "generic"]
)
@given(words=st.lists(GATES, max_size=5))
def test_what_is_said_before_is_what_a_worker_would_say(name: str, words: list[tuple[str, tuple[int, int]]]) -> None:
    """The device's own record and Qiskit's target agree on every circuit."""
    device, circuit = device_of(name), built(words)
    assert device is not None
    try:
        check_isa(circuit, target_of(device))
        taken = True
    except Rejected:
        taken = False
    assert taken == all(device.takes(*each) for each in placed(circuit))


def test_a_work_that_is_to_run_as_it_is_is_refused_before_it_runs(desk: Any) -> None:
    circuit = QuantumCircuit(3)
    circuit.sx(0)
    circuit.cx(0, 2)
    circuit.measure_all()
    work = orjson.loads(desk.sampler(circuit))
    findings = desk.measure(orjson.dumps(work | {"compilation": {"mode": "as-is"}}))
    device = device_of("nairobi-snapshot")
    assert device is not None
    refusal = obstacle(device, findings, 1024)
    assert refusal is not None
    assert refusal.code == "circuit_not_isa"
    assert refusal.detail == (
        "circuit 0 is to run as it is, but has cx, which nairobi-snapshot does not have on qubits 0, 2. "
        'Change it, or let the service compile it: mode "single" or "portfolio"'
    )
    assert refusal.fields == {"backend": "nairobi-snapshot", "gate": "cx", "qubits": [0, 2]}
    assert obstacle(device, desk.measure(desk.sampler(circuit)), 1024) is None
