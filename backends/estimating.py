"""Estimator PUBs on an engine: expectation values of Pauli sums, exact where one state tells them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import Pauli
from qiskit_aer.backends.aer_compiler import assemble_circuits

from backends import engine, seeds
from backends.assembly import Assembly, expectations
from backends.compiled import Compiled
from backends.engine import Method
from backends.measure import trajectories
from backends.observables import Observables
from backends.parameters import Values
from backends.paulis import expectation, narrow
from backends.sampling import jumping, states
from backends.work import EstimatorPub

_VALUES_AT_ONCE = 2**20

Evaluations = NDArray[np.float64]


def estimate_pub(pub: EstimatorPub, compiled: Compiled, method: Method, seed: int) -> Evaluations:
    """The expectation values of one PUB, of its broadcast shape, before any noise is added."""
    sets = math.prod(pub.values.shape[:-1])
    pairs = pairs_of(pub, sets)
    evs = np.zeros(math.prod(pub.shape))
    if not evs.size:
        return evs.reshape(pub.shape)
    values = pub.values.reshape(sets, pub.values.shape[-1])
    made = compiled.assembly
    if made is not None and made.terminal and (method == "statevector" or not made.lines):
        _from_states(pub.observables, compiled, made, values, pairs, evs)
    else:
        table = _from_engine(pub, compiled, method, values, seed)
        for index, (targets, sums) in enumerate(pairs):
            for target, position in zip(targets, sums, strict=True):
                evs[target] = sum(weight * table[index, label] for label, weight in pub.observables.sums[position])
    return evs.reshape(pub.shape)


def pairs_of(pub: EstimatorPub, sets: int) -> list[tuple[Sequence[int], Sequence[int]]]:
    """For every parameter set, where in the flat result it goes and with which observable."""
    which_set = np.broadcast_to(np.arange(sets).reshape(pub.values.shape[:-1]), pub.shape).ravel()
    observables = pub.observables
    which_sum = np.broadcast_to(np.arange(len(observables.sums)).reshape(observables.shape), pub.shape).ravel()
    order = np.argsort(which_set, kind="stable")
    bounds = np.searchsorted(which_set[order], np.arange(sets + 1))
    return [(order[first:last].tolist(), which_sum[order[first:last]].tolist()) for first, last in pairwise(bounds)]


def _from_states(
    observables: Observables,
    compiled: Compiled,
    made: Assembly,
    values: Values,
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
    evs: Evaluations,
) -> None:
    """Evaluate each label that a parameter set needs once, in its state."""
    width = len(made.lines)
    for state, (targets, sums) in zip(states(compiled, made, values), pairs, strict=True):
        known: dict[int, float] = {}
        for target, position in zip(targets, sums, strict=True):
            total = 0.0
            for label, weight in observables.sums[position]:
                if label not in known:
                    known[label] = expectation(state, width, observables.labels[label], made.lines)
                total += weight * known[label]
            evs[target] = total


def _from_engine(pub: EstimatorPub, compiled: Compiled, method: Method, values: Values, seed: int) -> Evaluations:
    """All labels at all parameter sets, evaluated inside the engine; shape (sets, labels)."""
    labels = pub.observables.labels
    table = np.zeros((len(values), len(labels)))
    made = compiled.assembly
    if made is None:
        return _from_branches(pub, compiled, method, values, seed, table)
    assert made.binding is not None
    narrowed = [narrow(label, made.lines) for label in labels]
    asked = tuple(dict.fromkeys(label for label in narrowed if label is not None))
    circuit = compiled.with_ending(("values", asked), lambda: made.engine_circuit(expectations(made, asked)))
    batch = max(1, _VALUES_AT_ONCE // max(1, len(asked))) if made.binding.places else 1
    for start in range(0, len(values), batch):
        filled = made.binding.fill(values[start : start + batch])
        results = engine.execute(
            [circuit],
            method,
            qubits=len(made.lines),
            clbits=made.clbits,
            shots=1 if made.terminal else trajectories(pub.precision),
            seed=seeds.of_pub(seed, start),
            parameterizations=[filled] if filled else (),
        )
        for offset, result in enumerate(results):
            found = result["data"]
            table[start + offset] = [0.0 if label is None else found[label] for label in narrowed]
    return table


def _from_branches(
    pub: EstimatorPub, compiled: Compiled, method: Method, values: Values, seed: int, table: Evaluations
) -> Evaluations:
    """Circuits with control flow, averaged over runs."""
    for index, numbers in enumerate(values):
        circuit = jumping(compiled.flat, numbers).copy()
        for label in pub.observables.labels:
            circuit.save_expectation_value(Pauli(label), range(circuit.num_qubits), label=label)
        (assembled,), _ = assemble_circuits([circuit])
        (result,) = engine.execute(
            [assembled],
            method,
            qubits=circuit.num_qubits,
            clbits=circuit.num_clbits,
            shots=trajectories(pub.precision),
            seed=seeds.of_pub(seed, index),
        )
        table[index] = [result["data"][label] for label in pub.observables.labels]
    return table
