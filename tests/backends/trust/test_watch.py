"""What is watched, and that nobody notices."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.circuit import Parameter, QuantumCircuit

from backends.engines.port import How, Sampled
from backends.engines.roster import installed as everyone
from backends.program import Program
from backends.run import execute
from backends.trust import watch
from backends.trust.oversight import Oversight
from backends.trust.watch import SampledPart, ValuedPart, watching

PROGRAM = Program(1, 1, ())


def answer(engine: str, shots: int = 3) -> Sampled:
    return Sampled(np.ones((shots, 1), dtype=np.uint8), How(engine, "1", "any"))


def kept(oversight: Oversight, *engines: str) -> list[str]:
    with watching(oversight) as seen:
        for engine in engines:
            watch.sampled(PROGRAM, answer(engine))
    return [part.how.engine for part in seen.parts]


def test_jobs_below_the_share_are_watched_and_more_of_young_engines() -> None:
    asked = ("stim", "prismq.clifford", "sweep")
    assert kept(Oversight(0.01, 0.1, lot=0.005), *asked) == list(asked)
    assert kept(Oversight(0.01, 0.1, lot=0.05), *asked) == ["prismq.clifford", "sweep"]
    assert kept(Oversight(0.01, 0.1, lot=0.5), *asked) == []
    assert kept(Oversight(0.0, 0.1, lot=0.0), *asked) == [], "a share of 0 turns all off"
    assert kept(Oversight(0.2, 0.1, lot=0.15), *asked) == list(asked)


def test_few_parts_and_not_all_shots_are_kept() -> None:
    with watching(Oversight(1.0, lot=0.0)) as seen:
        for _ in range(9):
            watch.sampled(PROGRAM, answer("stim", shots=20_000))
    assert len(seen.parts) == watch.PARTS_MAX
    assert all(isinstance(part, SampledPart) and len(part.bits) == watch.SHOTS_MAX for part in seen.parts)


def test_engines_under_quarantine_are_not_there() -> None:
    assert watch.installed() == everyone()
    with watching(Oversight(quarantined=frozenset({"stim", "sweep"}))):
        assert watch.installed().keys() == everyone().keys() - {"stim"}
        assert not watch.usable("sweep")
        assert watch.usable("sparse")
    assert watch.usable("sweep")


def circuit() -> QuantumCircuit:
    made = QuantumCircuit(3)
    made.h(0)
    made.cx(0, 1)
    made.t(1)
    made.rx(0.3, 2)
    made.cx(1, 2)
    made.h(1)
    made.measure_all()
    return made


def swept() -> QuantumCircuit:
    made = QuantumCircuit(2)
    made.ry(Parameter("a"), 0)
    made.cx(0, 1)
    return made


def test_the_result_is_the_same_and_the_parts_are_what_the_user_was_given(desk: Any) -> None:
    work = desk.sampler(circuit(), {"shots": 50}, seed=3)
    plain = execute(work, "ideal", desk.limits)
    with watching(Oversight(1.0, lot=0.0)) as seen:
        assert execute_inside(work, desk).result == plain.result
    assert plain.afterwards is None
    (part,) = seen.parts
    assert isinstance(part, SampledPart)
    (bits,) = desk.samples(work, "ideal")
    assert sorted(part.bits.sum(axis=1).tolist()) == sorted(
        np.unpackbits(bits["meas"].array, axis=1).sum(axis=1).tolist()
    )


def execute_inside(work: bytes, desk: Any) -> Any:
    from backends.run import backend_of
    from backends.work import decode

    return backend_of("ideal").run(decode(work, desk.limits), desk.limits)


def test_values_and_sweeps_are_told_too(desk: Any) -> None:
    with watching(Oversight(1.0, lot=0.0)) as seen:
        values = [[0.1 * number] for number in range(10)]
        execute_inside(desk.estimator(swept(), {"parameter_values": values, "observables": ["ZZ", "IX"] * 5}), desk)
        execute_inside(desk.estimator(swept(), {"parameter_values": [0.4], "observables": ["ZI"]}), desk)
        counted = swept()
        counted.measure_all()
        execute_inside(desk.sampler(counted, {"parameter_values": values, "shots": 40}), desk)
    first, second, third = seen.parts
    assert isinstance(first, ValuedPart)
    assert first.how.engine == "sweep"
    assert first.paulis == (((0, "Z"), (1, "Z")),), "what the first set was asked for"
    assert np.allclose(first.values, 1.0)
    assert isinstance(second, ValuedPart)
    assert np.allclose(second.values, np.cos(0.4))
    assert isinstance(third, SampledPart)
    assert third.program.operations[0].params == (0.0,)
    assert third.bits.shape == (40, 2)


def test_a_quarantined_sweep_is_left_to_the_router(desk: Any) -> None:
    values = [[0.1 * number] for number in range(10)]
    work = desk.estimator(swept(), {"parameter_values": values, "observables": ["ZZ"]})
    result = execute(work, "ideal", desk.limits, Oversight(quarantined=frozenset({"sweep"}))).result
    assert b'"sweep"' not in result
    assert b'"sweep"' in execute(work, "ideal", desk.limits).result
