"""What people write becomes the request of the HTTP contract."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp

from qubator.money import Money
from qubator.submission import Submission

BELL2 = 'OPENQASM 2.0;include "qelib1.inc";qreg q[2];creg c[2];h q[0];cx q[0],q[1];measure q->c;'
ROTATION3 = 'OPENQASM 3.0;include "stdgates.inc";input float theta;qubit q;bit c;rx(theta) q;c=measure q;'


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("theta"), 0)
    circuit.measure_all()
    return circuit


def qpy_of(*circuits: QuantumCircuit) -> bytes:
    out = io.BytesIO()
    qpy.dump(list(circuits), out)
    return out.getvalue()


def decoded(body: dict[str, Any]) -> list[Any]:
    """The flattened list of circuits, as the service sees it (texts stay texts)."""
    found: list[Any] = []
    for circuit in body["circuits"]:
        if circuit["format"] == "qpy":
            found += qpy.load(io.BytesIO(base64.b64decode(circuit["content"])))
        else:
            found.append(circuit["content"])
    return found


def test_one_circuit_is_one_pub_and_defaults_are_left_out() -> None:
    body = Submission(bell()).to_json()
    assert set(body) == {"primitive", "circuits", "pubs", "options", "backend", "priority"}
    assert body["primitive"] == "sampler"
    assert body["options"] == {"shots": 1024}
    assert body["pubs"] == [{"circuit": 0}]
    assert decoded(body) == [bell()]
    assert Submission((bell(),)).to_json()["pubs"] == [{"circuit": 0}]


def test_all_terms_are_named() -> None:
    body = Submission(
        BELL2, shots=np.int64(7), seed=np.int64(3), backend="aer", priority=5, tags=("a", "b"), metadata={"k": 1},
        name="n", time_limit_s=1.5, max_cost=Money(2_000), project="prj_1",
    ).to_json()  # fmt: skip
    del body["circuits"]
    assert body == {
        "primitive": "sampler", "pubs": [{"circuit": 0}], "options": {"shots": 7, "seed": 3}, "backend": "aer",
        "priority": 5, "tags": ["a", "b"], "metadata": {"k": 1}, "name": "n", "time_limit_s": 1.5, "max_cost": 2_000,
        "project_id": "prj_1",
    }  # fmt: skip


def test_a_max_cost_of_nothing_is_a_limit_too() -> None:
    assert Submission(BELL2, max_cost=0).to_json()["max_cost"] == 0


def test_distinct_circuits_share_one_qpy_file_and_repeated_ones_are_sent_once() -> None:
    one, two = bell(), rotation()
    body = Submission([(two, [0.1]), one, (two, [[0.2], [0.3]], 50), one]).to_json()
    assert len(body["circuits"]) == 1
    assert decoded(body) == [two, one]
    assert body["pubs"] == [
        {"circuit": 0, "parameter_values": [0.1]},
        {"circuit": 1},
        {"circuit": 0, "parameter_values": [[0.2], [0.3]], "shots": 50},
        {"circuit": 1},
    ]


def test_texts_bytes_files_and_circuits_mix(tmp_path: Path) -> None:
    path = tmp_path / "two.qpy"
    path.write_bytes(qpy_of(bell(), rotation()))
    body = Submission([BELL2, (ROTATION3, {"theta": 0.5}, 9), path, bell(), BELL2]).to_json()
    assert [type(each).__name__ for each in decoded(body)] == [
        "QuantumCircuit",
        "str",
        "str",
        "QuantumCircuit",
        "QuantumCircuit",
    ]
    assert body["pubs"] == [
        {"circuit": 1},
        {"circuit": 2, "parameter_values": {"theta": 0.5}, "shots": 9},
        {"circuit": 3},
        {"circuit": 4},
        {"circuit": 0},
        {"circuit": 1},
    ]


def test_parameters_travel_in_the_order_the_circuit_has_them_after_reading() -> None:
    circuit = QuantumCircuit(1)
    for name in ("z", "a", "m"):
        circuit.rx(Parameter(name), 0)
    body = Submission((circuit, {"m": 1, ("z", "a"): [2, 3]})).to_json()
    (read,) = decoded(body)
    assert dict(zip((p.name for p in read.parameters), body["pubs"][0]["parameter_values"], strict=True)) == {
        "a": 3.0, "m": 1.0, "z": 2.0,
    }  # fmt: skip


def test_a_shape_without_parameters_is_kept() -> None:
    body = Submission((bell(), np.empty((4, 0)))).to_json()
    assert "npy" in body["pubs"][0]["parameter_values"]


def test_observables_or_a_precision_make_an_estimator() -> None:
    plain = QuantumCircuit(2)
    for given in ((plain, "ZZ"), [(plain, SparsePauliOp("ZZ"))], EstimatorPub.coerce((plain, ["ZZ"]))):
        assert Submission(given).to_json()["primitive"] == "estimator"
    body = Submission((BELL2, [["ZZ"], ["XX"]], None, 0.1), precision=0.5, primitive="estimator").to_json()
    assert body["options"] == {"precision": 0.5}
    assert body["pubs"] == [{"circuit": 0, "observables": [["ZZ"], ["XX"]], "precision": 0.1}]
    assert Submission(SamplerPub.coerce(bell())).to_json()["primitive"] == "sampler"


@pytest.mark.parametrize(
    ("given", "terms", "error"),
    [
        (5, {}, TypeError),
        ([], {}, ValueError),
        (rotation(), {}, ValueError),
        ((rotation(), {"a": 1, "b": 2}), {}, ValueError),
        ((rotation(), {"other": 1}), {}, ValueError),
        (bell(), {"shots": True}, TypeError),
        (BELL2, {"shots": 1.5}, TypeError),
        (BELL2, {"shots": 0}, ValueError),
        ((BELL2, None, 2.5), {}, TypeError),
        ((BELL2, None, -1), {}, ValueError),
        ((BELL2, None, 1, 1), {}, ValueError),
        ((BELL2, "ZZ"), {"precision": -0.1}, ValueError),
        ((BELL2, "ZZ"), {"precision": "0.1"}, TypeError),
        ((BELL2,), {"primitive": "estimator"}, ValueError),
        ("qreg q[1];", {}, ValueError),
    ],
)
def test_what_cannot_be_a_job_is_refused_before_sending(given: Any, terms: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        Submission(given, **terms).to_json()


def test_the_ideal_twin_and_a_day_of_a_device() -> None:
    body = Submission(BELL2, backend="generic", noise=False, calibration="2026-11-20").to_json()
    assert body["options"] == {"shots": 1024, "noise": False, "calibration": "2026-11-20"}
