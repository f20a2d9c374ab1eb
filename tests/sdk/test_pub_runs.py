"""What a sampler has to run at all; the road to a job is told with the primitives."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qubator.options import SamplerOptions
from qubator.primitive_job import EmptyJob
from qubator.pub_runs import measures_nothing, submit_pubs

QUEUED = {"id": "job_1", "state": "queued", "primitive": "sampler", "version": 1}


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def test_whatever_might_set_a_bit_is_measured() -> None:
    direct, inside, branch = bell(), QuantumCircuit(1, 1), QuantumCircuit(1, 1)
    part = QuantumCircuit(1, 1)
    part.measure(0, 0)
    inside.append(part.to_instruction(), [0], [0])
    with branch.for_loop(range(2)):
        branch.measure(0, 0)
    assert [measures_nothing(each) for each in (direct, inside, branch)] == [False, False, False]
    assert measures_nothing(QuantumCircuit(1, 1))


def test_pubs_that_measure_nothing_are_answered_without_a_call(script: Any) -> None:
    pubs = [SamplerPub.coerce((QuantumCircuit(1, bits), None, 3)) for bits in (0, 9)]
    job = submit_pubs(script.client(), "sampler", SamplerOptions(), pubs)
    assert isinstance(job, EmptyJob)
    first, second = job.result()
    assert list(first.data) == []
    assert np.array_equal(second.data.c.array, np.zeros((3, 2), np.uint8))


def test_an_estimator_sends_circuits_that_measure_nothing(script: Any) -> None:
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    script.say(script.answer(201, QUEUED))
    pub = EstimatorPub.coerce((QuantumCircuit(1), "Z"))
    submit_pubs(script.client(), "estimator", SamplerOptions(), [pub])
    assert len(script.bodies()[0]["pubs"]) == 1


def test_a_generator_shared_by_threads_gives_each_job_a_seed_of_its_own(script: Any) -> None:
    script.say(*[script.answer(201, QUEUED)] * 8)
    client, options = script.client(), SamplerOptions(seed=np.random.default_rng(1))
    pubs = [SamplerPub.coerce((bell(), None, 3))]
    threads = [threading.Thread(target=submit_pubs, args=(client, "sampler", options, pubs)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({body["options"]["seed"] for body in script.bodies()}) == 8
    assert copy.deepcopy(options).seed is not options.seed
