"""SamplerV2 of the SDK against the running service, beside Qiskit's own StatevectorSampler."""

from __future__ import annotations

import math
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.library import QFTGate, UnitaryGate, real_amplitudes
from qiskit.primitives import StatevectorSampler
from qiskit.providers import JobStatus

from qubator import Refused, SamplerV2

SHOTS = 4000


@pytest.fixture(scope="module")
def startup(zone: Any) -> Any:
    return zone.startup()


@pytest.fixture
def sampler(startup: Any) -> SamplerV2:
    return SamplerV2(startup.client, seed=7)


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, metadata={"family": "bell", "pair": (0, 1)})
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def two_registers() -> QuantumCircuit:
    qubits, low, high, idle = (
        QuantumRegister(4),
        ClassicalRegister(3, "low"),
        ClassicalRegister(9, "high"),
        ClassicalRegister(2, "idle"),
    )
    circuit = QuantumCircuit(qubits, low, high, idle)
    circuit.h([0, 1])
    circuit.ry(Parameter("b"), 2)
    circuit.rx(Parameter("a"), 3)
    circuit.measure([0, 2, 3], [low[0], low[2], high[8]])
    return circuit


def ansatz() -> QuantumCircuit:
    circuit = real_amplitudes(3, reps=1)
    circuit.measure_all()
    return circuit


def qft() -> QuantumCircuit:
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.append(QFTGate(3), range(3))
    circuit.append(UnitaryGate(np.array([[1, 0], [0, 1j]])), [1])
    circuit.h(range(3))
    circuit.measure_all()
    return circuit


def close(ours: Any, theirs: Any) -> None:
    """The same registers and shapes, and the same distribution within five standard errors for every outcome."""
    assert list(ours.data) == list(theirs.data)
    assert ours.data.shape == theirs.data.shape
    assert ours.metadata == theirs.metadata
    for name, bits in theirs.data.items():
        mine = ours.data[name]
        assert (mine.array.dtype, mine.array.shape, mine.num_bits) == (
            bits.array.dtype,
            bits.array.shape,
            bits.num_bits,
        )
        for place in np.ndindex(*bits.shape):
            left, right = mine.get_int_counts(place), bits.get_int_counts(place)
            for outcome in left.keys() | right.keys():
                a, b = left.get(outcome, 0) / bits.num_shots, right.get(outcome, 0) / bits.num_shots
                spread = math.sqrt(2 * max(a, b) * (1 - min(a, b)) / bits.num_shots)
                assert abs(a - b) <= 5 * spread + 1e-3, (name, place, outcome, a, b)


@pytest.mark.parametrize(
    "pub",
    [
        lambda: bell(),
        lambda: (bell(),),
        lambda: (bell(), None, 123),
        lambda: qft(),
        lambda: (two_registers(), [0.3, 1.2]),
        lambda: (two_registers(), {"a": [0.1, 2.0, 3.0], "b": 0.4 * np.ones(3)}),
        lambda: (two_registers(), {("b", "a"): np.linspace(0, 3, 12).reshape(2, 3, 2)}, 500),
        lambda: (ansatz(), np.linspace(-3, 3, 5 * 6).reshape(5, 6)),
        lambda: (bell(), np.empty((2, 0))),
    ],
    ids=["bare", "tuple", "shots", "qft", "registers", "by-name", "by-tuple", "array", "shape-without-parameters"],
)  # fmt: skip
def test_every_form_of_pub_gives_what_qiskits_own_sampler_gives(sampler: SamplerV2, pub: Any) -> None:
    made = pub()
    (ours,), (theirs,) = (
        sampler.run([made], shots=SHOTS).result(),
        StatevectorSampler(seed=1).run([made], shots=SHOTS).result(),
    )
    close(ours, theirs)


def test_many_pubs_keep_their_order_and_their_own_shots(sampler: SamplerV2) -> None:
    pubs = [bell(), (two_registers(), [[0.0, 0.0], [3.1, 3.1]], 50), (bell(), None, 7), qft()]
    result = sampler.run(iter(pubs), shots=100).result()
    assert [each.metadata["shots"] for each in result] == [100, 50, 7, 100]
    assert [list(each.data) for each in result] == [["meas"], ["low", "high", "idle"], ["meas"], ["meas"]]
    assert result.metadata == {"version": 2}
    assert result[0].metadata["circuit_metadata"] == {"family": "bell", "pair": (0, 1)}
    assert not result[1].data.idle.array.any()
    assert result[1].join_data().num_bits == 14


def test_a_seed_repeats_a_result_bit_by_bit_also_beside_others(startup: Any) -> None:
    def bits(seed: int | None, neighbours: int) -> np.ndarray:
        pubs = [bell()] + [qft()] * neighbours
        return SamplerV2(startup.client, seed=seed).run(pubs, shots=200).result()[0].data.meas.array

    assert np.array_equal(bits(5, 0), bits(5, 3))
    assert not np.array_equal(bits(5, 0), bits(6, 0))
    assert not np.array_equal(bits(None, 0), bits(None, 0))


def test_no_parameter_sets_are_an_empty_result(sampler: SamplerV2) -> None:
    (result,) = sampler.run([(ansatz(), np.empty((0, 6)))], shots=10).result()
    assert result.data.shape == (0,)
    assert result.data.meas.array.shape == (0, 10, 1)


def test_mid_circuit_measurement_and_control_flow_run(sampler: SamplerV2) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    (result,) = sampler.run([circuit], shots=20).result()
    assert result.data.c.get_counts() == {"11": 20}


def test_a_state_prepared_and_undone_is_nothing(sampler: SamplerV2) -> None:
    state = np.random.default_rng(3).normal(size=8)
    circuit = QuantumCircuit(3)
    circuit.prepare_state(state / np.linalg.norm(state))
    circuit.compose(circuit.inverse(), inplace=True)
    circuit.measure_all()
    assert sampler.run([circuit], shots=50).result()[0].data.meas.get_counts() == {"000": 50}


def test_a_wide_batch_of_bound_circuits_fits_one_job(sampler: SamplerV2) -> None:
    points = np.random.default_rng(3).normal(size=(200, 6))
    result = sampler.run([ansatz().assign_parameters(point) for point in points], shots=20).result()
    assert [each.data.meas.num_shots for each in result] == [20] * 200


def test_a_circuit_changed_between_runs_is_sent_as_it_is_now(sampler: SamplerV2) -> None:
    circuit = QuantumCircuit(1, 1)
    seen = []
    for _ in range(5):
        circuit.x(0)
        circuit.measure(0, 0)
        seen.append(next(iter(sampler.run([circuit], shots=3).result()[0].data.c.get_counts())))
    assert seen == ["1", "0", "1", "0", "1"]


def test_the_job_object_lives_through_its_states(sampler: SamplerV2) -> None:
    job = sampler.run([bell()], shots=10)
    assert job.job_id().startswith("job_")
    assert job.result(timeout=60)[0].data.meas.num_shots == 10
    assert (job.status(), job.done(), job.in_final_state()) == (JobStatus.DONE, True, True)
    assert job.cancel() is False
    assert (job.metadata["method"], job.metadata["engine"]) == ("routed", "prismq.statevector")
    assert job.metadata["seed"] == 7
    assert job.job.cost.micro > 0
    assert pickle.loads(pickle.dumps(job)).result()[0].data.meas == job.result()[0].data.meas


def test_what_the_service_refuses_is_raised_by_run(sampler: SamplerV2) -> None:
    wide = QuantumCircuit(1, 1)
    wide.measure(0, 0)
    with pytest.raises(Refused) as caught:
        sampler.run([wide], shots=10**9)
    assert caught.value.code == "shots_out_of_range"
    sampler.options.backend = "no-such-machine"
    with pytest.raises(Refused) as caught:
        sampler.run([wide])
    assert caught.value.code == "unknown_backend"


def test_threads_share_one_sampler(sampler: SamplerV2) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda shots: sampler.run([bell()], shots=shots).result(), range(1, 25)))
    assert [result[0].data.meas.num_shots for result in results] == list(range(1, 25))


def _sampled(given: tuple[SamplerV2, int]) -> int:
    sampler, shots = given
    return sampler.run([bell()], shots=shots).result()[0].data.meas.num_shots


def test_forked_and_spawned_processes_share_one_sampler(sampler: SamplerV2) -> None:
    assert _sampled((sampler, 1)) == 1
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_sampled, [(sampler, shots) for shots in (2, 3, 4)]) == [2, 3, 4]
    assert _sampled((sampler, 5)) == 5


def test_compilers_take_the_samplers_backend(sampler: SamplerV2) -> None:
    from qiskit.transpiler import generate_preset_pass_manager

    compiled = generate_preset_pass_manager(optimization_level=1, backend=sampler._backend).run(qft())
    assert compiled.num_qubits == 3
    (ours,) = sampler.run([compiled], shots=SHOTS).result()
    (theirs,) = StatevectorSampler(seed=1).run([qft()], shots=SHOTS).result()
    close(ours, theirs)
