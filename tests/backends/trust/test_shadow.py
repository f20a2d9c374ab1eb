"""Shadow runs: right engines agree, a wrong one is found out, and who is wrong is decided by a third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from backends.engines.port import Budget, Engine, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.roster import installed
from backends.program import Op, Program
from backends.run import execute
from backends.trust import reference, shadow
from backends.trust.finding import Finding
from backends.trust.oversight import Oversight
from backends.trust.shadow import judged, shadows
from backends.trust.watch import Part, SampledPart, ValuedPart

ALL: Mapping[str, Engine] = {**installed(), **reference.unless(frozenset())}
BELL = (Op("ry", (0,), (0.8,)), Op("cx", (0, 1)), Op("t", (1,)), Op("rx", (1,), (0.5,)))
PROGRAM = Program(2, 2, (*BELL, Op("measure", (0,), (), (0,)), Op("measure", (1,), (), (1,))))
PAULIS: tuple[Pauli, ...] = (((0, "Z"), (1, "Z")), ((1, "X"),))


class Wrong:
    """A real engine whose bits arrive the other way round, and whose values have lost their sign."""

    licence = "none"
    version = "0"

    def __init__(self, name: str) -> None:
        self.name = name
        self._real = installed()[name]

    def available(self) -> bool:
        return True

    def obstacle(self, traits: Any) -> str | None:
        return self._real.obstacle(traits)

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        found = self._real.sample(program, shots, seed, budget)
        return Sampled(found.bits ^ 1, found.how)

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        found = self._real.expectation(program, paulis, budget)
        return replace(found, values=tuple(-value for value in found.values))


class Refusing(Wrong):
    """Gives no answer at all."""

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        raise Unsuited("not today")


def sampled(engine: Engine, shots: int = 1000, seed: int = 5) -> SampledPart:
    found = engine.sample(PROGRAM, shots, seed, Budget())
    return SampledPart(PROGRAM, found.bits, How(engine.name, engine.version, "any"))


def valued(engine: Engine) -> ValuedPart:
    found = engine.expectation(Program(2, 0, BELL), PAULIS, Budget())
    return ValuedPart(Program(2, 0, BELL), PAULIS, found.values, found.error, How(engine.name, engine.version, "any"))


def found(parts: Sequence[Part], **changed: Engine) -> list[Finding]:
    engines = {**ALL, **{name.replace("__", "."): engine for name, engine in changed.items()}}
    return list(shadows(parts, engines, Budget()))


@pytest.mark.parametrize("name", ["aer.statevector", "prismq.statevector", "qulacs", "sparse", "ddsim", "sweep"])
def test_right_engines_agree(name: str) -> None:
    for part in (sampled(ALL[name]), valued(ALL[name])):
        (one,) = found([part])
        assert one.engine == name
        assert one.other.partition(".")[0] != name.partition(".")[0]
        assert (one.agreed, one.repeat, one.guilty) == (True, False, ())
        assert one.alarm > shadow.SUSPICION
        assert (one.version, one.other_version) == (ALL[name].version, ALL[one.other].version)


@pytest.mark.parametrize("kind", [sampled, valued])
def test_a_wrong_engine_is_found_out_by_two_others(kind: Any) -> None:
    wrong = Wrong("qulacs")
    first, second = found([kind(wrong)], qulacs=wrong)
    assert (first.agreed, first.repeat, first.guilty) == (False, False, ())
    assert (second.agreed, second.repeat, second.guilty) == (False, True, ("qulacs",))
    assert second.alarm < shadow.CONDEMNED
    assert first.program == second.program


def test_a_wrong_witness_does_not_condemn_who_was_right() -> None:
    """Whom is asked first lies; the third knows."""
    (plain,) = found([sampled(ALL["sparse"])])
    liar = Wrong(plain.other)
    _, second = found([sampled(ALL["sparse"])], **{plain.other.replace(".", "__"): liar})
    assert (second.other, second.guilty) == (plain.other, (plain.other,))


def test_one_fluke_condemns_nobody() -> None:
    """What the user was given is no sample of the program, but the engine's fresh runs are right."""
    part = replace(sampled(ALL["qulacs"]), bits=np.ones((1000, 2), dtype=np.uint8))
    first, second = found([part])
    assert (first.agreed, first.repeat) == (False, False)
    assert (second.agreed, second.repeat, second.guilty) == (True, True, ())


def test_who_is_wrong_without_a_third() -> None:
    right, wrong = sampled(ALL["qulacs"], 8192), sampled(Wrong("qulacs"), 8192)
    good, bad = Sampled(right.bits, right.how), Sampled(wrong.bits, wrong.how)
    assert judged("qulacs", "stim", {"qulacs": good, "stim": bad}) == ("qulacs", "stim")
    assert judged("qulacs", "aer.statevector", {"qulacs": good, "aer.statevector": bad}) == ("qulacs",)
    assert judged("sweep", "qulacs", {"qulacs": good, "sweep": bad}) == ("qulacs",)
    assert judged("sweep", "aer.statevector", {"aer.statevector": good, "sweep": bad}) == ("sweep", "aer.statevector")
    assert judged("a", "b", {"a": good, "b": bad, "c": good}) == ("b",)
    assert judged("a", "b", {"a": good, "b": bad, "c": bad}) == ("a",)
    neither = Sampled(np.zeros_like(right.bits), right.how)
    assert judged("a", "b", {"a": good, "b": bad, "c": neither}) == ("a", "b")


def test_who_gives_no_answer_is_passed_over() -> None:
    (plain,) = found([sampled(ALL["sparse"])])
    (one,) = found([sampled(ALL["sparse"])], **{plain.other.replace(".", "__"): Refusing(plain.other)})
    assert one.other != plain.other
    assert one.agreed


def test_without_a_second_library_nothing_is_told() -> None:
    alone = {name: engine for name, engine in ALL.items() if name.startswith("aer.")}
    assert list(shadows([sampled(ALL["aer.statevector"])], alone, Budget())) == []
    assert list(shadows([sampled(ALL["qulacs"])], alone, Budget())) == [], "who answered is not there any more"


def test_what_takes_long_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [sampled(ALL["qulacs"]), valued(ALL["qulacs"])]
    assert [one.part for one in found(parts)] == [0, 1]
    monkeypatch.setattr(shadow, "SECONDS_MAX", 1e-6)
    assert found(parts) == []


def test_a_job_tells_afterwards(desk: Any) -> None:
    circuit = QuantumCircuit(3)
    circuit.ry(0.3, 0)
    circuit.cx(0, 1)
    circuit.ry(0.4, 1)
    circuit.cx(1, 2)
    circuit.rx(0.5, 2)
    works = [desk.estimator(circuit, {"observables": ["ZXY"]})]
    circuit.measure_all()
    works.append(desk.sampler(circuit, {"shots": 300}))
    oversight = Oversight(1.0, lot=0.0)
    for work in works:
        execution = execute(work, "ideal", desk.limits, oversight)
        assert execution.afterwards is not None
        findings = list(execution.afterwards())
        assert findings
        assert all(one.agreed for one in findings)
    assert execute(desk.sampler(circuit), "aer", desk.limits, oversight).afterwards is None
