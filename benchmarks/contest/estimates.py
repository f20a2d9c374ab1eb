"""Circuits with an observable, and who estimates its exact value: Aer's EstimatorV2, and the backend `ideal`.

The truth comes from neither: each Pauli term by its own light cone, found gate by gate here, in Qiskit's `Statevector`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import orjson
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector

from benchmarks.circuit_suite.entry import Entry, rng_of
from benchmarks.circuit_suite.layered import brickwork, ising
from benchmarks.contest.child import MEMORY_BYTES
from benchmarks.contest.contestants import Drawn

AER = "aer-estimator"
IDEAL = "ideal"
_FIELD = 0.9

Question = tuple[QuantumCircuit, SparsePauliOp]


def entries_of(source: str) -> tuple[Entry, ...]:
    """TFIM energies and Pauli strings with small light cones; `source` is not used."""
    del source
    return tuple(_entries())


def _entries() -> Iterator[Entry]:
    for qubits in (16, 18, 20, 22, 24, 26, 28, 32, 40, 50, 60, 70, 80):
        # The entry's circuit is a question here: a circuit and its observable.
        yield Entry(f"tfim_energy_{qubits}", "tfim", partial(_energy, qubits))  # type: ignore[arg-type]
    for qubits in (16, 20, 24, 28, 40, 60, 80):
        for weight in (1, 2, 4):
            name = f"pauli_{qubits}_{weight}"
            yield Entry(name, "pauli", partial(_string, name, qubits, weight))  # type: ignore[arg-type]


def _bare(circuit: QuantumCircuit) -> QuantumCircuit:
    bare: QuantumCircuit = circuit.remove_final_measurements(inplace=False)
    return bare


def _energy(qubits: int) -> Question:
    """The energy of a quenched Ising line after three Trotter steps."""
    terms = [("ZZ", [place, place + 1], -1.0) for place in range(qubits - 1)]
    terms += [("X", [place], -_FIELD) for place in range(qubits)]
    return _bare(ising(qubits, 3, range(qubits))), SparsePauliOp.from_sparse_list(terms, qubits)


def _string(name: str, qubits: int, weight: int) -> Question:
    """A product of Pauli operators on neighbours after three layers of brickwork."""
    letters = "".join(rng_of(name).choice(list("XYZ"), weight))
    first = (qubits - weight) // 2
    observable = SparsePauliOp.from_sparse_list([(letters, list(range(first, first + weight)), 1.0)], qubits)
    return _bare(brickwork(name, qubits, 3)), observable


def truth(question: Question) -> float:
    """The value, term by term."""
    circuit, observable = question
    return sum(float(weight.real) * _term(circuit, label) for label, weight in observable.to_list())


def _term(circuit: QuantumCircuit, label: str) -> float:
    """One Pauli product in the final state: of the gates only those that reach it, going back from the end."""
    pauli = Pauli(label)
    cone = {qubit for qubit in range(circuit.num_qubits) if pauli.x[qubit] or pauli.z[qubit]}
    kept: list[tuple[Any, list[int]]] = []
    for instruction in reversed(circuit.data):
        where = [circuit.find_bit(bit).index for bit in instruction.qubits]
        if instruction.name != "barrier" and not cone.isdisjoint(where):
            cone.update(where)
            kept.append((instruction.operation, where))
    lines = {qubit: line for line, qubit in enumerate(sorted(cone))}
    small = QuantumCircuit(len(lines))
    for operation, where in reversed(kept):
        small.append(operation, [lines[qubit] for qubit in where])
    narrow = "".join(label[len(label) - 1 - qubit] for qubit in sorted(cone, reverse=True))
    return float(Statevector(small).expectation_value(Pauli(narrow)).real)


def contestant(name: str) -> Callable[[Question, int, int], Drawn]:
    """By name; shots and seeds do not matter."""
    return {AER: by_aer, IDEAL: by_ideal}[name]


@cache
def _estimator() -> Any:
    from qiskit_aer.primitives import EstimatorV2

    options = {"max_parallel_threads": 1, "max_memory_mb": MEMORY_BYTES >> 20}
    return EstimatorV2(options={"default_precision": 0.0, "backend_options": options})


def by_aer(question: Question, shots: int, seed: int) -> Drawn:
    """As its users call it."""
    del shots, seed
    value = float(_estimator().run([question], precision=0.0).result()[0].data.evs)
    if not np.isfinite(value):
        raise RuntimeError("no value")
    return Drawn(lambda: np.array([value]), 1.0, "estimator")  # type: ignore[arg-type, return-value]


def by_ideal(question: Question, shots: int, seed: int) -> Drawn:
    """As a worker calls it, on work that has just been decoded."""
    from backends import observables, run
    from backends.limits import Limits
    from backends.work import Circuit, EstimatorPub, Work

    del shots
    circuit, observable = question
    limits = Limits()
    decoded = Circuit(circuit, seed.to_bytes(8, "big"))
    weights = {label: float(weight.real) for label, weight in observable.to_list()}
    sums = observables.read(weights, circuit.num_qubits, limits, "the PUB")
    pub = EstimatorPub(decoded, np.zeros(0), sums, (), 0.0)
    document = orjson.loads(run.backend_of("ideal").run(Work("estimator", (decoded,), (pub,), seed), limits).result)
    (answer,) = document["pubs"]
    (value,) = np.frombuffer(base64.b64decode(answer["evs"]["base64"]), dtype=np.float64)
    names = sorted({how["engine"] for how in answer["metadata"]["engines"]})
    note = f"error bound of a term {answer['metadata']['error_bound']:.1e}"
    return Drawn(lambda: np.array([value]), 1.0, "/".join(names), 0.0, note)  # type: ignore[arg-type, return-value]


def small() -> tuple[Question, ...]:
    """Questions to warm up with."""
    return _energy(4), _string("warm", 14, 2)
