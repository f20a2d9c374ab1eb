"""A service's backend as something compilers can compile for."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.transpiler import generate_preset_pass_manager

from qubator.remote_backend import RemoteBackend, find_backend

RECORD = {
    "name": "aer",
    "state": "online",
    "qubits_max": 30,
    "basis_gates": ["h", "rz", "cx", "barrier", "unitary", "mcx"],
}


def test_compilers_take_it_and_keep_the_width() -> None:
    backend = RemoteBackend(RECORD)
    circuit = QuantumCircuit(3)
    circuit.swap(0, 1)
    circuit.t(2)
    circuit.measure_all()
    for compiled in (
        transpile(circuit, backend, optimization_level=0),
        generate_preset_pass_manager(optimization_level=1, backend=backend).run(circuit),
    ):
        assert set(compiled.count_ops()) <= {"h", "rz", "cx", "measure", "barrier"}
        assert compiled.num_qubits == 3


def test_it_has_a_name_a_width_and_no_run() -> None:
    backend = RemoteBackend(RECORD)
    assert (backend.name, backend.num_qubits, backend.max_circuits) == ("aer", 30, None)
    with pytest.raises(TypeError, match=r"use qubator\.SamplerV2"):
        backend.run(QuantumCircuit(1))


def test_auto_is_the_first_that_is_online(script: Any) -> None:
    offline = {**RECORD, "name": "old", "state": "offline"}
    script.say(*[script.answer(200, {"backends": [offline, RECORD]})] * 3)
    client = script.client()
    assert find_backend(client, "auto").name == "aer"
    assert find_backend(client, "old").name == "old"
    with pytest.raises(LookupError, match="no backend 'new'; it offers old, aer"):
        find_backend(client, "new")
