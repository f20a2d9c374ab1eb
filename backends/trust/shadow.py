"""Runs again, on an engine of another library, what was answered; a disagreement is looked at twice before it counts.

Only what is expected to take less than a second altogether is run again, after the job's own result has been told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backends import seeds
from backends.engines.port import Budget, Engine, Expected, GaveUp, Sampled, Unsuited
from backends.engines.traits import traits_of
from backends.rejected import Rejected
from backends.router import routing
from backends.router.features import features_of
from backends.router.predicting import COUNTED
from backends.trust import reference
from backends.trust.comparing import sample_alarm, values_alarm
from backends.trust.finding import Finding
from backends.trust.names import is_reference, library_of, on_probation
from backends.trust.watch import SHOTS_MAX, Part, SampledPart

SUSPICION = 1e-6
"""A first look that is less likely than this among right engines is followed by a second one."""
CONDEMNED = 1e-9
"""A second look that is less likely than this is a disagreement."""
SECONDS_MAX = 1.0
"""What the shadows of one job are expected to take at most."""
_ENGINES_MAX = 3

Answer = Sampled | Expected
_NO = (Unsuited, GaveUp, MemoryError, Rejected)


@dataclass(frozen=True, slots=True)
class _Candidate:
    engine: Engine
    seconds: float


def shadows(parts: Sequence[Part], engines: Mapping[str, Engine], budget: Budget) -> Iterator[Finding]:
    """The findings about all parts, each as soon as it is known."""
    left_s = SECONDS_MAX
    for number, part in enumerate(parts):
        known = _candidates(part, engines, budget)
        first = known.pop(part.how.engine, None)
        others = _others(known.values(), part.how.engine)
        expected_s = sum(one.seconds for one in (first, *others[:1]) if one is not None)
        if first is None or not others or expected_s > left_s:
            continue
        left_s -= expected_s
        yield from _looks(number, part, first.engine, [one.engine for one in others], budget)


def _candidates(part: Part, engines: Mapping[str, Engine], budget: Budget) -> dict[str, _Candidate]:
    """Who could run the part, and the seconds it is expected to take."""
    shots = len(part.bits) if isinstance(part, SampledPart) else 1
    found = {
        one.engine.name: _Candidate(one.engine, one.predicted.seconds)
        for one in routing.suitable(features_of(part.program), shots, engines)
        if one.predicted.seconds <= SECONDS_MAX
        and (one.engine.name in COUNTED or one.predicted.memory_bytes <= budget.memory_bytes)
    }
    own = engines.get(reference.NAME)
    if own is not None and own.obstacle(traits_of(part.program)) is None:
        found[own.name] = _Candidate(own, reference.seconds_of(part.program))
    return found


def _others(known: Iterable[_Candidate], first: str) -> list[_Candidate]:
    """One engine of every other library, those of long standing first, then the quick ones."""
    best: dict[str, _Candidate] = {}
    for one in sorted(known, key=lambda each: (on_probation(each.engine.name), each.seconds, each.engine.name)):
        if library_of(one.engine.name) != library_of(first):
            best.setdefault(library_of(one.engine.name), one)
    return list(best.values())


def _looks(number: int, part: Part, first: Engine, others: Sequence[Engine], budget: Budget) -> Iterator[Finding]:
    """A first look with what the user was given; when that is suspicious, a second one with fresh runs of all."""
    shots = len(part.bits) if isinstance(part, SampledPart) else 0
    seed = _seed(part)
    given: Answer
    if isinstance(part, SampledPart):
        given = Sampled(part.bits, part.how)
    else:
        given = Expected(part.values, part.error, part.how)
    asked = ((other, _ask(other, part, shots, seeds.of_pub(seed, 0), budget)) for other in others)
    other, answer = next(((engine, found) for engine, found in asked if found is not None), (None, None))
    if other is None or answer is None:
        return

    def finding(alarm: float, *, repeat: bool, agreed: bool, guilty: tuple[str, ...] = ()) -> Finding:
        return Finding(
            part=number,
            kind="sample" if shots else "values",
            engine=first.name,
            version=first.version,
            other=other.name,
            other_version=other.version,
            repeat=repeat,
            agreed=agreed,
            alarm=alarm,
            guilty=guilty,
            qubits=part.program.qubits,
            shots=shots,
            program=_digest(part),
        )

    alarm = alarm_of(given, answer)
    yield finding(alarm, repeat=False, agreed=alarm >= SUSPICION)
    if alarm >= SUSPICION:
        return
    again: dict[str, Answer] = {}
    for place, engine in enumerate((first, other, *(one for one in others if one is not other))):
        fresh = _ask(engine, part, SHOTS_MAX, seeds.of_pub(seed, 1 + place), budget)
        if fresh is not None:
            again[engine.name] = fresh
        if len(again) == _ENGINES_MAX:
            break
    if first.name not in again or other.name not in again:
        return
    alarm = alarm_of(again[first.name], again[other.name])
    agreed = alarm >= CONDEMNED
    yield finding(alarm, repeat=True, agreed=agreed, guilty=() if agreed else judged(first.name, other.name, again))


def alarm_of(one: Answer, other: Answer) -> float:
    """The chance, at most, that two engines that are both as good as they say answer so differently."""
    match one, other:
        case Sampled(), Sampled():
            return sample_alarm(one.bits, other.bits, _slack(one.how.fidelity) + _slack(other.how.fidelity))
        case Expected(), Expected():
            return values_alarm(one.values, other.values, one.error + other.error)
        case _:
            raise TypeError("a sample and values have nothing in common")


def judged(first: str, other: str, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """Who is wrong of two that disagree: the one that a third contradicts and the other does not; without such a third
    both, but for one that is a reference.
    """
    for name, third in answers.items():
        if name in (first, other):
            continue
        with_first = alarm_of(answers[first], third) >= CONDEMNED
        with_other = alarm_of(answers[other], third) >= CONDEMNED
        if with_first != with_other:
            return (other,) if with_first else (first,)
    suspects = tuple(name for name in (first, other) if not is_reference(name))
    return suspects or (first, other)


def _ask(engine: Engine, part: Part, shots: int, seed: int, budget: Budget) -> Answer | None:
    """The engine's answer; None if it has none within the budget."""
    allowed = Budget(budget.memory_bytes, SECONDS_MAX)
    only = {engine.name: engine}
    try:
        if isinstance(part, SampledPart):
            if engine.name == reference.NAME:
                return engine.sample(part.program, shots, seed, allowed)
            return routing.sample(part.program, shots, seed, only, allowed).answer
        if engine.name == reference.NAME:
            return engine.expectation(part.program, part.paulis, allowed)
        return routing.expectation(part.program, part.paulis, only, allowed).answer
    except _NO:
        return None


def _slack(fidelity: float) -> float:
    """How far outcomes may be from the truth, in total variation, at this fidelity."""
    return float(max(0.0, 1.0 - fidelity) ** 0.5)


def _digest(part: Part) -> str:
    return hashlib.sha256(repr((part.program.qubits, part.program.operations)).encode()).hexdigest()[:16]


def _seed(part: Part) -> int:
    """Of its own for every job: the outcomes given are in it."""
    given = part.bits.tobytes() if isinstance(part, SampledPart) else b""
    return int.from_bytes(hashlib.sha256(_digest(part).encode() + given).digest()[:6])
