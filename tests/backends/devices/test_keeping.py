"""Compiled circuits are kept with the result: once each, within bounds, and as good as what was run."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from qiskit import qasm3
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Statevector

from backends.circuits import Circuit
from backends.devices import keeping
from backends.devices.compiling import compiled
from backends.devices.keeping import Kept, text_of


def tilted(width: int) -> QuantumCircuit:
    lean = Parameter("lean")
    circuit = QuantumCircuit(width)
    circuit.ry(lean, 0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("name", ["nairobi-snapshot", "generic", "neutral-atom-like"])
def test_what_is_kept_is_what_was_compiled(bench: Any, name: str) -> None:
    made = compiled(Circuit(tilted(3), b""), bench.device(name))
    again = qasm3.loads(text_of(made))
    assert again.count_ops() == made.circuit.count_ops()
    assert [str(one) for one in again.parameters] == ["lean"]
    states = []
    for circuit in (again, made.circuit):
        bound = circuit.assign_parameters([0.7]).remove_final_measurements(inplace=False)
        states.append(np.sort(Statevector(bound).probabilities()[Statevector(bound).probabilities() > 1e-9]))
    assert states[0] == pytest.approx(states[1])


def test_a_circuit_of_two_pubs_is_kept_once(desk: Any, bench: Any) -> None:
    one, two = bench.ghz(2), bench.ghz(3)
    work = desk.sampler(one, {"shots": 10}, {"shots": 20})
    told = desk.result(work, "generic")
    assert [pub["metadata"]["compiled"]["circuit"] for pub in told["pubs"]] == [0, 0]
    (text,) = told["metadata"]["compiled_circuits"]
    assert text.startswith("OPENQASM 3")
    assert "cz $" in text
    twin = desk.result(orjson.dumps({**orjson.loads(desk.sampler(two)), "noise": False}), "generic")
    assert len(twin["metadata"]["compiled_circuits"]) == 1


def test_what_is_too_long_is_left_out_and_said(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    device = bench.device("generic")
    small, large = (compiled(Circuit(bench.ghz(width), b""), device) for width in (2, 6))
    monkeypatch.setattr(keeping, "CHARACTERS_MOST", len(text_of(small)))
    kept = Kept()
    assert kept.place(small) == {"circuit": 0}
    assert "characters are too many" in str(kept.place(large)["circuit_left_out"])
    assert kept.place(small) == {"circuit": 0}
    assert len(kept.texts) == 1
