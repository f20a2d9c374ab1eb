"""What the primitives send, and the corners of Qiskit's contract that are settled before anything is sent."""

from __future__ import annotations

import base64
import copy
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp

from qubator import EstimatorV2, SamplerV2, Session
from qubator.primitives import default_client
from qubator.remote_backend import RemoteBackend

QUEUED = {"id": "job_1", "state": "queued", "primitive": "sampler", "version": 1}


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.measure_all()
    return circuit


def unmeasured() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("t"), 0)
    return circuit


def sent(script: Any) -> dict[str, Any]:
    (body,) = script.bodies()
    return body


def accept(script: Any, times: int = 1) -> Any:
    script.say(*[script.answer(201, QUEUED)] * times)
    return script.client()


def test_they_are_qiskits_base_primitives(script: Any) -> None:
    assert isinstance(SamplerV2(script.client()), BaseSamplerV2)
    assert isinstance(EstimatorV2(script.client()), BaseEstimatorV2)


def test_shots_of_the_pub_come_before_those_of_the_run_and_of_the_options(script: Any) -> None:
    sampler = SamplerV2(accept(script), default_shots=11)
    sampler.options.default_shots = 12
    assert sampler.default_shots == 12
    sampler.run([bell(), (rotation(), [1.0], 14)], shots=13)
    assert [pub["shots"] for pub in sent(script)["pubs"]] == [13, 14]


def test_options_shots_hold_without_others(script: Any) -> None:
    SamplerV2(accept(script), default_shots=12).run([bell()])
    assert sent(script)["pubs"] == [{"circuit": 0, "shots": 12}]


def test_precision_of_the_pub_comes_before_that_of_the_run(script: Any) -> None:
    estimator = EstimatorV2(accept(script), default_precision=0.5)
    estimator.run([(bell(), "ZZ"), (unmeasured(), "ZZ", [1.0], 0.25)], precision=0.125)
    assert [pub["precision"] for pub in sent(script)["pubs"]] == [0.125, 0.25]


def test_all_options_travel(script: Any) -> None:
    sampler = SamplerV2(accept(script), backend="aer", seed=5, tags=["t"], name="n", priority=2, max_cost=9)
    sampler.options.metadata["k"] = "v"
    sampler.run([bell()])
    body = sent(script)
    assert body["options"]["seed"] == 5
    assert {word: body[word] for word in ("backend", "tags", "name", "priority", "max_cost", "metadata")} == {
        "backend": "aer", "tags": ["t"], "name": "n", "priority": 2, "max_cost": 9, "metadata": {"k": "v"},
    }  # fmt: skip


def test_a_generator_as_seed_gives_every_run_a_seed_of_its_own(script: Any) -> None:
    sampler = SamplerV2(accept(script, 4), seed=np.random.default_rng(1))
    twin = SamplerV2(sampler.client, seed=np.random.default_rng(1))
    for one in (sampler, sampler, twin, twin):
        one.run([bell()])
    seeds = [body["options"]["seed"] for body in script.bodies()]
    assert seeds[:2] == seeds[2:]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("kind", [SamplerV2, EstimatorV2])
def test_an_empty_list_is_an_empty_result_without_a_call(script: Any, kind: Any) -> None:
    job = kind(script.client()).run(iter([]))
    assert len(job.result()) == 0
    assert job.status() == JobStatus.DONE
    assert (job.done(), job.running(), job.cancelled(), job.in_final_state(), job.cancel()) == (
        True, False, False, True, False,
    )  # fmt: skip


def test_pubs_may_come_from_a_generator(script: Any) -> None:
    SamplerV2(accept(script)).run(bell() for _ in range(3))
    assert len(sent(script)["pubs"]) == 3


@pytest.mark.parametrize(
    ("pubs", "shots", "error"),
    [
        (lambda: [bell()], True, TypeError),
        (lambda: [bell()], 5.0, TypeError),
        (lambda: [bell()], 0, ValueError),
        (lambda: [bell()], -1, ValueError),
        (lambda: [(bell(), None, False)], None, TypeError),
        (lambda: [(bell(), None, 1.5)], None, TypeError),
        (lambda: [(bell(), None, 0)], None, ValueError),
        (lambda: [rotation()], None, ValueError),
        (lambda: [(rotation(), [[1, 2]], 1, 1)], None, ValueError),
        (lambda: [(bell(), [1.0])], None, ValueError),
        (bell, None, ValueError),
        (lambda: QuantumCircuit(1), None, ValueError),
    ],
)
def test_a_sampler_refuses_as_qiskit_does(script: Any, pubs: Any, shots: Any, error: type) -> None:
    with pytest.raises(error):
        SamplerV2(script.client()).run(pubs(), shots=shots)


@pytest.mark.parametrize("kind", [SamplerV2, EstimatorV2])
def test_a_bare_circuit_gets_a_hint(script: Any, kind: Any) -> None:
    with pytest.raises(ValueError, match=r"wrap it with `\[\]`"):
        kind(script.client()).run(bell())


@pytest.mark.parametrize(
    ("pub", "precision", "error"),
    [
        (lambda: (unmeasured(), "ZZ", [1.0], "0.1"), None, TypeError),
        (lambda: (unmeasured(), "ZZ", [1.0], -0.1), None, ValueError),
        (lambda: (unmeasured(), "ZZ", [1.0]), -1.0, ValueError),
        (lambda: (unmeasured(), "ZZZ", [1.0]), None, ValueError),
        (lambda: (unmeasured(), ["ZZ"] * 3, [[1.0]] * 4), None, ValueError),
        (lambda: (unmeasured(), SparsePauliOp("ZZ", 1j), [1.0]), None, ValueError),
        (lambda: (unmeasured(), "ZZ"), None, ValueError),
    ],
)
def test_an_estimator_refuses_as_qiskit_does(script: Any, pub: Any, precision: Any, error: type) -> None:
    with pytest.raises(error):
        EstimatorV2(script.client()).run([pub()], precision=precision)


def test_a_circuit_without_registers_is_warned_of_and_has_an_empty_result_without_a_call(script: Any) -> None:
    circuit = QuantumCircuit(1, metadata={"k": 1})
    with pytest.warns(UserWarning, match="no output classical registers"):
        result = SamplerV2(script.client()).run([circuit], shots=5).result()
    assert len(result) == 1
    assert len(result[0].data) == 0
    assert result[0].metadata == {"shots": 5, "circuit_metadata": {"k": 1}}


def test_registers_without_measurements_are_zeros_and_warned_of(script: Any) -> None:
    circuit = QuantumCircuit(2, 9)
    circuit.ry(Parameter("t"), 0)
    with pytest.warns(UserWarning, match="all its bits will be 0"):
        result = SamplerV2(script.client()).run([(circuit, [[1.0], [2.0]], 4)]).result()
    assert result[0].data.c.array.shape == (2, 4, 2)
    assert result[0].data.c.num_bits == 9
    assert not result[0].data.c.array.any()


def test_beside_others_it_keeps_its_place(script: Any) -> None:
    bits = base64.b64encode(bytes([1])).decode()
    array = {"dtype": "|u1", "shape": [1, 1], "base64": bits}
    pub = {"registers": {"meas": {"shape": [], "shots": 1, "bits": 2, "array": array}}, "metadata": {}}
    sampler = SamplerV2(accept(script))
    with pytest.warns(UserWarning, match="no output classical registers"):
        job = sampler.run([QuantumCircuit(1), bell(), QuantumCircuit(2)])
    assert len(sent(script)["pubs"]) == 1
    script.say(script.answer(200, {"v": 1, "primitive": "sampler", "pubs": [pub]}))
    assert [list(each.data) for each in job.result()] == [[], ["meas"], []]


def test_a_copied_primitive_keeps_its_client_and_has_options_of_its_own(script: Any) -> None:
    sampler = SamplerV2(script.client(), default_shots=5)
    twin = copy.deepcopy(sampler)
    twin.options.default_shots = 6
    assert (sampler.default_shots, twin.default_shots) == (5, 6)
    assert twin.client is sampler.client


def test_the_backend_is_asked_for_once(script: Any) -> None:
    script.say(script.answer(200, {"backends": [{"name": "aer", "state": "online", "basis_gates": ["h", "cx"]}]}))
    sampler = SamplerV2(script.client())
    assert sampler.backend.name == "aer"
    assert sampler._backend is sampler.backend


def test_the_default_client_is_made_at_first_use_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = SamplerV2()
    monkeypatch.setenv("QUBATOR_TOKEN", "qb_x")
    monkeypatch.setenv("QUBATOR_URL", "http://one.example")
    assert sampler.client.url == "http://one.example"
    assert default_client() is sampler.client
    monkeypatch.setenv("QUBATOR_URL", "http://two.example")
    assert default_client().url == "http://two.example"


def test_it_runs_where_it_is_told(script: Any) -> None:
    client = accept(script, 4)
    backend = RemoteBackend({"name": "aer", "qubits_max": 3}, client)
    for sampler in (
        SamplerV2(backend),
        SamplerV2(mode=backend),
        SamplerV2(backend=backend),
        SamplerV2(client, backend="aer"),
    ):
        assert sampler.client is client
        sampler.run([bell()])
    assert {body["backend"] for body in script.bodies()} == {"aer"}


def test_a_backend_found_as_auto_leaves_the_choice_to_the_service(script: Any) -> None:
    sampler = SamplerV2(RemoteBackend({"name": "aer"}, accept(script), asked="auto"))
    sampler.run([bell()])
    assert sent(script)["backend"] == "auto"
    assert sampler.backend.name == "aer"


def test_what_is_no_place_to_run_is_said() -> None:
    with pytest.raises(TypeError, match="object is no place to run: give a qubator Client"):
        SamplerV2(object())


def test_options_may_come_as_to_qiskits_own_primitives(script: Any) -> None:
    sampler = SamplerV2(accept(script), options={"default_shots": 7, "seed_simulator": 3, "run_options": None})
    sampler.options.seed_simulator += 1
    sampler.run([bell()])
    assert sent(script)["options"] == {"shots": 1024, "seed": 4}
    assert sent(script)["pubs"] == [{"circuit": 0, "shots": 7}]
    estimator = EstimatorV2(script.client(), options={"default_precision": 0.25, "abelian_grouping": False})
    assert estimator.default_precision == 0.25
    with pytest.raises(TypeError, match="no such option: shoots"):
        SamplerV2(script.client(), options={"shoots": 7})
    with pytest.raises(ValueError, match="meas_level 1 is out of scope"):
        SamplerV2(script.client(), options={"run_options": {"meas_level": 1}})


def test_a_session_marks_its_jobs_and_takes_none_once_closed(script: Any) -> None:
    with Session(RemoteBackend({"name": "aer"}, accept(script))) as session:
        sampler = SamplerV2(mode=session, tags=["mine"])
        sampler.run([bell()])
        assert sampler.mode is session
    assert sent(script)["tags"] == ["mine", session.tag]
    assert sent(script)["backend"] == "aer"
    with pytest.raises(ValueError, match=f"session {session.session_id} is closed"):
        sampler.run([bell()])
