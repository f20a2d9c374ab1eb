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


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


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


def test_it_has_a_name_a_width_and_limits() -> None:
    backend = RemoteBackend(RECORD)
    assert (backend.name, backend.num_qubits, backend.max_circuits, backend.max_shots) == ("aer", 30, 1000, None)
    told = RemoteBackend({**RECORD, "circuits_max": 5, "shots_max": 9})
    assert (told.max_circuits, told.max_shots) == (5, 9)


def test_run_sends_one_job_with_all_circuits(script: Any) -> None:
    script.say(script.answer(201, {"id": "job_1", "state": "queued", "primitive": "sampler", "version": 1}))
    backend = RemoteBackend(RECORD, script.client())
    job = backend.run([bell(), bell()], shots=7, seed_simulator=3, tags=["t"])
    (body,) = script.bodies()
    assert body["backend"] == "aer"
    assert body["options"]["seed"] == 3
    assert body["tags"] == ["t"]
    assert [pub["shots"] for pub in body["pubs"]] == [7, 7]
    assert (job.job_id(), job.backend()) == ("job_1", backend)


def test_options_of_the_backend_hold_where_the_run_names_none(script: Any) -> None:
    script.say(*[script.answer(201, {"id": "job_1", "state": "queued", "version": 1})] * 2)
    backend = RemoteBackend(RECORD, script.client(), asked="auto")
    backend.run(bell())
    backend.set_options(shots=9, seed_simulator=4)
    backend.run(bell())
    first, second = script.bodies()
    assert (first["pubs"][0]["shots"], first["options"].get("seed"), first["backend"]) == (1024, None, "auto")
    assert (second["pubs"][0]["shots"], second["options"]["seed"]) == (9, 4)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"noise_model": object()}, TypeError, "no such option: noise_model"),
        ({"meas_level": 1}, ValueError, "meas_level 1 is out of scope"),
        ({"shots": 0}, ValueError, "shots must be positive"),
        ({"shots": 1.5}, TypeError, "shots must be an integer"),
    ],
)
def test_what_it_cannot_honour_it_refuses(script: Any, options: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        RemoteBackend(RECORD, script.client()).run(bell(), **options)


def test_what_changes_nothing_it_says(script: Any) -> None:
    script.say(script.answer(201, {"id": "job_1", "state": "queued", "version": 1}))
    with pytest.warns(UserWarning, match="aer takes no notice of rep_delay"):
        RemoteBackend(RECORD, script.client()).run(bell(), rep_delay=1e-4, meas_level=2)


def test_what_is_not_given_is_not_spoken_of_and_tags_have_two_names(script: Any) -> None:
    script.say(script.answer(201, {"id": "job_1", "state": "queued", "version": 1}))
    RemoteBackend(RECORD, script.client()).run(bell(), rep_delay=None, job_tags=["calibration"])
    assert script.bodies()[0]["tags"] == ["calibration"]


def test_more_circuits_than_a_job_takes_are_refused_with_both_numbers(script: Any) -> None:
    backend = RemoteBackend({**RECORD, "circuits_max": 1}, script.client())
    with pytest.raises(ValueError, match="2 circuits were given, aer takes at most 1 a call"):
        backend.run([bell(), bell()])


def test_without_a_client_it_takes_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUBATOR_TOKEN", "qb_x")
    monkeypatch.setenv("QUBATOR_URL", "http://one.example")
    assert RemoteBackend(RECORD).client.url == "http://one.example"


def test_auto_is_the_first_that_is_online(script: Any) -> None:
    offline = {**RECORD, "name": "old", "state": "offline"}
    script.say(*[script.answer(200, {"backends": [offline, RECORD]})] * 3)
    client = script.client()
    auto = client.backend()
    assert (auto.name, auto.asked, auto.client) == ("aer", "auto", client)
    assert find_backend(client, "old").name == "old"
    with pytest.raises(LookupError, match="no backend 'new'; it offers old, aer"):
        find_backend(client, "new")
