"""The router: engines in the order in which they are worth a try, and the answer of the first that gives one.

The quickest *sure* engine sets a limit. Before it, *counted* engines get small budgets that grow fourfold from round to
round: what is easy for one of them is found at little cost, and all tries together cost a small share of the limit
(after M. Luby, A. Sinclair, D. Zuckerman, Optimal speedup of Las Vegas algorithms, IPL 47, 1993). No clock decides, so
the same program with the same seed has the same answer everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from backends.engines.port import FIDELITY_MIN, Budget, Engine, Expected, GaveUp, Pauli, Sampled, Unsuited
from backends.engines.traits import traits_of
from backends.program import Program
from backends.reductions.ordering import reordered
from backends.rejected import Rejected
from backends.router.at_once import at_once
from backends.router.features import Features, features_of
from backends.router.predicting import COUNTED, Predicted, predict

_ON_A_LINE = frozenset({"aer.matrix_product_state", "mps", "prismq.mps"})
_NOT_WORTH_IT_S = 2e-3
"""A sure engine that takes no longer is asked at once."""
_FIRST_S = 1e-3
_GROWTH = 4
_SHARE = 1 / 40
"""The largest budget beside a sure engine's time: three counted engines then cost a tenth of it at worst."""
_TRUSTED, _TRUSTED_SHARE = 4, 1 / 2
"""Who is expected to be so many times as quick may have this share, divided among all of whom that is expected."""
_LONGEST_S = 1e6
_ENDING = 3 / 8
"""Fourfold steps add up to 4/3 of the last one, and nominal seconds may be two of the clock."""

_NOES = (Unsuited, GaveUp, MemoryError)

A = TypeVar("A", Sampled, Expected)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that could run the program, what it would take, and the nominal seconds it is given, if they end.

    `order` is the line that qubits are put on first, where the engine has one and it is not that of the program.
    """

    engine: Engine
    predicted: Predicted
    budget_s: float = math.inf
    order: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Routed(Generic[A]):
    """An answer, and one sentence for every engine that was tried before."""

    answer: A
    tried: tuple[str, ...]


def suitable(features: Features, shots: int, engines: Mapping[str, Engine]) -> list[Candidate]:
    """The engines that could run the program had they the memory, the quickest first."""
    found = []
    for name, engine in engines.items():
        if engine.obstacle(features.traits) is not None:
            continue
        try:
            order = features.order if name in _ON_A_LINE and features.order != _natural(features) else None
            found.append(Candidate(engine, predict(name, features, shots), order=order))
        except KeyError:
            continue
    if any(one.engine.name == "mps" for one in found):
        # Ours does the same, stops where it is told to, and says what it dropped.
        found = [one for one in found if one.engine.name != "aer.matrix_product_state"]
    return sorted(found, key=lambda one: (one.predicted.seconds, one.engine.name))


def _natural(features: Features) -> tuple[int, ...]:
    return tuple(range(features.traits.qubits))


def plan(features: Features, shots: int, engines: Mapping[str, Engine], budget: Budget) -> Iterator[Candidate]:
    """What to try in turn."""
    found = suitable(features, shots, engines)
    quick = at_once(features.traits, engines)
    yield from [one for one in found if one.engine is quick]
    found = [one for one in found if one.engine is not quick]
    counted = [one for one in found if one.engine.name in COUNTED]
    fitting = [one for one in found if one.predicted.memory_bytes <= budget.memory_bytes]
    # A counted engine that fits at worst is as sure as its bound.
    last = sorted(fitting, key=lambda one: (_surely_s(one), one.engine.name))
    limit_s = min((_surely_s(last[0]) if last else math.inf), budget.seconds)
    if limit_s > _NOT_WORTH_IT_S:
        yield from _tries(counted, limit_s, sure=bool(last))
    yield from last


def _surely_s(one: Candidate) -> float:
    return one.predicted.most_s if one.engine.name in COUNTED else one.predicted.seconds


def _tries(counted: Sequence[Candidate], limit_s: float, *, sure: bool) -> Iterator[Candidate]:
    """Counted engines under budgets that grow fourfold up to a share of the limit; without a sure one, up to it."""
    trusted = [one for one in counted if one.predicted.seconds * _TRUSTED < limit_s]
    rounds: list[tuple[float, float, Candidate]] = []
    turns = sum(1 if one.order is None else 2 for one in counted)
    for one in counted:
        if not sure:
            largest_s = _largest_s(limit_s, turns)
        elif one in trusted:
            largest_s = limit_s * _TRUSTED_SHARE / len(trusted)
        else:
            largest_s = limit_s * _SHARE
        while largest_s > max(_FIRST_S, one.predicted.least_s) and largest_s * _GROWTH**2 > one.predicted.seconds:
            # Who needs more for certain, or is expected to need far more, waits for a later round.
            rounds.append((largest_s, one.predicted.seconds, one))
            if one.order is not None:
                # Bounds know nothing of angles: what looks entangled on this line may not be on the program's own.
                rounds.append((largest_s, one.predicted.seconds, replace(one, order=None)))
            largest_s /= _GROWTH
    rounds.sort(key=lambda each: each[:2])
    yield from (replace(one, budget_s=budget_s) for budget_s, _, one in rounds)


def _largest_s(limit_s: float, turns: int) -> float:
    """The largest budget of a step such that all of them together end within the limit, even at half the speed.

    Steps are the same under every limit, so that a longer one only adds tries.
    """
    share_s = min(limit_s * _ENDING / turns, _LONGEST_S)
    steps = math.floor(math.log(max(share_s, _FIRST_S) / _FIRST_S, _GROWTH))
    return float(_FIRST_S * _GROWTH**steps)


def sample(program: Program, shots: int, seed: int, engines: Mapping[str, Engine], budget: Budget) -> Routed[Sampled]:
    """Outcomes of one program. Refuses with backend_infeasible when no engine gives an answer."""
    if quick := at_once(traits_of(program), engines):
        with suppress(*_NOES):
            return Routed(quick.sample(program, shots, seed, budget), ())
    features = features_of(program)
    return _first(
        plan(features, shots, engines, budget),
        features,
        program,
        lambda one, placed, allowed: one.engine.sample(placed, shots, seed, allowed),
        budget,
    )


def expectation(
    program: Program, paulis: Sequence[Pauli], engines: Mapping[str, Engine], budget: Budget
) -> Routed[Expected]:
    """Values of Pauli products in the final state. Refuses with backend_infeasible when no engine gives an answer."""
    if quick := at_once(traits_of(program), engines):
        with suppress(*_NOES):
            return Routed(quick.expectation(program, paulis, budget), ())
    features = features_of(program)

    def ask(one: Candidate, placed: Program, allowed: Budget) -> Expected:
        moved = paulis
        if one.order is not None:
            place = {qubit: at for at, qubit in enumerate(one.order)}
            moved = [tuple((place[qubit], letter) for qubit, letter in pauli) for pauli in paulis]
        return one.engine.expectation(placed, moved, allowed)

    return _first(plan(features, 1, engines, budget), features, program, ask, budget)


def _first(
    planned: Iterator[Candidate],
    features: Features,
    program: Program,
    ask: Callable[[Candidate, Program, Budget], A],
    budget: Budget,
) -> Routed[A]:
    tried: dict[str, str] = {}
    for one in planned:
        name = one.engine.name
        placed = program if one.order is None else reordered(program, one.order)
        try:
            answer = ask(one, placed, replace(budget, seconds=min(one.budget_s, budget.seconds)))
        except _NOES as no:
            tried[name] = f"{name}: {no}"
            continue
        if answer.how.fidelity >= FIDELITY_MIN:
            return Routed(answer, tuple(tried.values()))
        tried[name] = f"{name}: its fidelity is only known to be {answer.how.fidelity:.3f}"
    qubits = features.traits.busy
    reasons = "; ".join(tried.values()) or f"it needs more than the {budget.memory_bytes >> 20} MiB there are"
    raise Rejected(
        "backend_infeasible",
        f"no engine can run a part of {qubits} qubits with {features.entangling} entangling gates: {reasons}",
        {"qubits": qubits, "memory_mib": budget.memory_bytes >> 20},
    )
