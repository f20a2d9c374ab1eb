"""From bit arrays per register to Qiskit's Result: counts and memory of a whole circuit."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.providers import JobStatus
from qiskit.result import Result

from qubator.backend_job import LOOSE, BackendJob, readable
from qubator.job import Job
from qubator.primitive_job import EmptyJob, PrimitiveJob
from qubator.remote_backend import RemoteBackend


def document(shots: int, **registers: list[int]) -> dict[str, Any]:
    """A result document of one PUB: for each register its values shot by shot, eight bits wide."""
    told = {}
    for name, values in registers.items():
        packed = np.array(values, dtype=np.uint8).reshape(shots, 1)
        array = {"dtype": "|u1", "shape": [shots, 1], "base64": base64.b64encode(packed.tobytes()).decode()}
        told[name] = {"shape": [], "shots": shots, "bits": 8, "array": array}
    metadata = {"shots": shots}
    return {
        "v": 1,
        "primitive": "sampler",
        "pubs": [{"registers": told, "metadata": metadata}],
        "metadata": {"seed": 5, "engine": "aer"},
    }


def job(script: Any, circuit: QuantumCircuit, said: dict[str, Any], *, memory: bool = False) -> BackendJob:
    record = {"id": "job_1", "state": "succeeded", "primitive": "sampler", "version": 1}
    script.say(script.answer(200, said))
    backend = RemoteBackend({"name": "aer", "qubits_max": 30}, script.client())
    inner = PrimitiveJob(Job(backend.client.connection, record), [circuit.metadata])
    return BackendJob(backend, inner, [circuit], memory=memory)


def test_counts_and_memory_are_those_of_qiskit(script: Any) -> None:
    circuit = QuantumCircuit(
        QuantumRegister(1), ClassicalRegister(8, "low"), ClassicalRegister(8, "high"), metadata={"k": (1, 2)}
    )
    circuit.name = "pair"
    result = job(script, circuit, document(3, low=[1, 2, 1], high=[3, 0, 3]), memory=True).result()
    assert isinstance(result, Result)
    assert result.get_counts() == {"00000011 00000001": 2, "00000000 00000010": 1}
    assert result.get_counts(circuit) == result.get_counts("pair") == result.get_counts(0)
    assert result.get_memory() == ["00000011 00000001", "00000000 00000010", "00000011 00000001"]
    assert result.results[0].header["metadata"] == {"k": (1, 2)}
    assert (result.results[0].shots, result.results[0].seed, result.backend_name) == (3, 5, "aer")
    assert result.success
    assert result.metadata["engine"] == "aer"


def test_memory_is_there_only_when_asked_for(script: Any) -> None:
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(8, "c"))
    result = job(script, circuit, document(1, c=[4])).result()
    assert not hasattr(result.results[0].data, "memory")
    assert result.results[0].data.counts == {"0x4": 1}


def test_bits_of_no_register_travel_in_one_made_for_them(script: Any) -> None:
    loose = [Clbit() for _ in range(8)]
    register = ClassicalRegister(8, "c")
    circuit = QuantumCircuit(QuantumRegister(1), loose, register)
    sent = readable(circuit)
    assert [each.name for each in circuit.cregs] == ["c"], "the caller's own circuit stays as it is"
    assert [each.name for each in sent.cregs] == ["c", LOOSE]
    assert readable(sent) is sent
    result = job(script, circuit, document(1, c=[1], **{LOOSE: [2]})).result()
    assert result.results[0].data.counts == {hex(1 << 8 | 2): 1}


@given(
    st.permutations(range(12)),
    st.integers(1, 11),
    st.lists(st.integers(0, 2**12 - 1), min_size=1, max_size=20),
)
def test_every_bit_comes_back_to_its_place(order: list[int], cut: int, words: list[int]) -> None:
    from qiskit.primitives.containers import BitArray, DataBin

    from qubator.backend_job import _Layout

    bits = [Clbit() for _ in range(12)]
    first = ClassicalRegister(name="a", bits=[bits[place] for place in order[:cut]])
    second = ClassicalRegister(name="b", bits=[bits[place] for place in order[cut:]])
    circuit = QuantumCircuit(bits, first, second)
    values = {
        "a": [sum((word >> place & 1) << n for n, place in enumerate(order[:cut])) for word in words],
        "b": [sum((word >> place & 1) << n for n, place in enumerate(order[cut:])) for word in words],
    }
    data = DataBin(
        a=BitArray.from_samples(values["a"], num_bits=cut), b=BitArray.from_samples(values["b"], num_bits=12 - cut)
    )
    packed = _Layout(circuit).words(data, len(words))
    assert packed is not None
    assert [int.from_bytes(word.tobytes(), "big") for word in packed] == words


def test_a_circuit_without_bits_has_no_counts_and_costs_nothing() -> None:
    from qiskit.primitives.containers import DataBin, SamplerPubResult

    backend = RemoteBackend({"name": "aer"})
    empty = EmptyJob([SamplerPubResult(DataBin(shape=()), metadata={"shots": 4})])
    done = BackendJob(backend, empty, [QuantumCircuit(1)], memory=True)
    assert (done.status(), done.job, done.cancel()) == (JobStatus.DONE, None, False)
    assert not hasattr(done.result().results[0].data, "counts")
    assert done.backend() is backend


def test_parameters_without_values_are_named() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("speed"), 0)
    with pytest.raises(ValueError, match=r"without values \(speed\): bind them"):
        readable(circuit)
