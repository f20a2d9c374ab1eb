"""Mitigated works on devices: nearer to the truth, billed for all that ran, and refused where nothing honours them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import orjson
import pytest
from qiskit import qpy
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import Pauli, Statevector

from backends import circuits
from backends.catalogue import feasible, qpu_us
from backends.limits import Limits
from backends.measure import measure
from backends.rejected import Rejected, Rejection
from backends.run import execute
from backends.work import decode

LABELS = ["ZZII", "IXXI", "IIIZ"]
DEVICE = "sherbrooke-snapshot"
READOUT: dict[str, Any] = {"resilience": {"measure_mitigation": True}}


def work(circuit: QuantumCircuit, primitive: str, pub: dict[str, Any], **options: Any) -> bytes:
    written = io.BytesIO()
    qpy.dump(circuit, written)
    source = {"format": "qpy", "content": base64.b64encode(written.getvalue()).decode()}
    body = {"v": 1, "primitive": primitive, "seed": 3, "circuits": [source], "pubs": [{"circuit": 0, **pub}]}
    return orjson.dumps({**body, "calibration": "stated", **options})


def ansatz() -> tuple[QuantumCircuit, list[list[float]]]:
    circuit = efficient_su2(4, reps=1)
    return circuit, np.random.default_rng(1).uniform(0, 1, (2, circuit.num_parameters)).tolist()


def estimated(**options: Any) -> tuple[float, dict[str, Any], int]:
    circuit, values = ansatz()
    observables = [[label] for label in LABELS]
    pub = {"parameter_values": values, "observables": observables, "precision": 0.02}
    ran = execute(work(circuit, "estimator", pub, **options), DEVICE, Limits())
    (part,) = orjson.loads(ran.result)["pubs"]
    evs = np.frombuffer(base64.b64decode(part["evs"]["base64"]), part["evs"]["dtype"]).reshape(part["evs"]["shape"])
    exact = [
        [Statevector(circuit.assign_parameters(one)).expectation_value(Pauli(label)).real for one in values]
        for label in LABELS
    ]
    return float(np.sqrt(np.mean((evs - exact) ** 2))), part["metadata"], ran.qpu_us


def test_values_come_nearer_and_all_that_ran_is_billed() -> None:
    raw, _, raw_us = estimated()
    error, about, billed_us = estimated(**READOUT)
    (row,) = about["mitigation"]["methods"]
    assert row["applied"]
    assert error < raw
    assert billed_us > 1.5 * raw_us
    assert about["mitigation"]["twin"]["exact_by"] == "statevector"


def test_samples_have_a_corrected_distribution_beside_them() -> None:
    circuit = QuantumCircuit(3)
    circuit.x([0, 2])
    circuit.measure_all()
    ran = execute(work(circuit, "sampler", {"shots": 2000}, **READOUT), DEVICE, Limits())
    (part,) = orjson.loads(ran.result)["pubs"]
    (corrected,) = part["metadata"]["quasi_distributions"]
    assert corrected["101"] == pytest.approx(1, abs=0.03)
    assert part["registers"]["meas"]["shots"] == 2000


def test_equal_seeds_give_equal_bytes() -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    twirled = {"twirling": {"enable_gates": True, "num_randomizations": 3}}
    asked = work(circuit, "sampler", {"shots": 100}, compilation={"mode": "portfolio"}, **twirled)
    assert execute(asked, DEVICE, Limits()).result == execute(asked, DEVICE, Limits()).result


def test_the_quote_covers_what_mitigation_runs() -> None:
    circuit, values = ansatz()
    pub = {"parameter_values": values, "observables": [[label] for label in LABELS], "precision": 0.02}
    quotes = []
    for options in ({}, READOUT):
        decoded = decode(work(circuit, "estimator", pub, **options), Limits())
        quoted = qpu_us(DEVICE, measure(decoded, Limits()))
        assert quoted is not None
        quotes.append(quoted[1])
    assert quotes[1] > quotes[0]
    assert estimated(**READOUT)[2] <= quotes[1]


@pytest.mark.parametrize("options", [READOUT, {"compilation": {"mode": "single"}}])
@pytest.mark.parametrize("backend", ["aer", "ideal", "auto"])
def test_what_is_no_device_refuses(backend: str, options: dict[str, Any]) -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    asked = work(circuit, "sampler", {"shots": 10}, **options)
    found = feasible(measure(decode(asked, Limits()), Limits()), backend, 1_000)
    assert isinstance(found, Rejection)
    assert found.code == "option_invalid"
    assert "name a device as the backend" in found.detail
    if backend != "auto":
        with pytest.raises(Rejected, match="is no device"):
            execute(asked, backend, Limits())


@pytest.mark.parametrize(
    ("primitive", "pub", "options", "word"),
    [
        ("sampler", {"shots": 10}, {**READOUT, "noise": False}, "the ideal twin has no errors"),
        ("sampler", {"shots": 10}, {"resilience": {"zne_mitigation": True}}, "ask the estimator"),
        ("estimator", {"observables": ["Z"], "precision": 0}, READOUT, "asks for exact ones"),
    ],
)
def test_what_cannot_be_mitigated_is_refused(
    primitive: str, pub: dict[str, Any], options: dict[str, Any], word: str
) -> None:
    circuit = QuantumCircuit(1)
    if primitive == "sampler":
        circuit.measure_all()
    with pytest.raises(Rejected, match=word) as refused:
        decode(work(circuit, primitive, pub, **options), Limits())
    assert refused.value.code == "option_invalid"


def test_an_as_is_circuit_that_is_none_is_refused_with_the_gate() -> None:
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    circuit.measure_all()
    with pytest.raises(Rejected, match="is cx on qubits 0, 1") as refused:
        execute(work(circuit, "sampler", {"shots": 10}, compilation={"mode": "as-is"}), DEVICE, Limits())
    assert refused.value.code == "circuit_not_isa"


def test_a_remembered_circuit_takes_the_values_of_the_same_text_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenQASM 3 gives the same names new parameters each time it is read."""
    text = 'OPENQASM 3.0;include "stdgates.inc";input float a;input float b;qubit q;bit c;rx(b) q;rz(a) q;c=measure q;'
    pub = {"circuit": 0, "parameter_values": {"a": 0.3, "b": np.pi}, "shots": 100}
    source = {"format": "openqasm3", "content": text}
    body = {"v": 1, "primitive": "sampler", "seed": 3, "circuits": [source], "pubs": [pub], "calibration": "stated"}
    for noise in (True, False):
        asked = orjson.dumps({**body, "noise": noise})
        said = []
        for _ in range(2):
            monkeypatch.setattr(circuits, "_memory", circuits._Memory())
            said.append(execute(asked, "nairobi-snapshot", Limits()).result)
        assert said[0] == said[1]
