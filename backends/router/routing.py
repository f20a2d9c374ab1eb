"""The router: engines in the order in which they are worth a try, and the answer of the first that gives one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from backends.engines.port import FIDELITY_MIN, Budget, Engine, Expected, GaveUp, Pauli, Sampled, Unsuited
from backends.program import Program
from backends.reductions.ordering import reordered
from backends.rejected import Rejected
from backends.router.features import Features, features_of
from backends.router.predicting import Predicted, predict
from backends.router.trial import RanOut, in_child

_ON_A_LINE = frozenset({"aer.matrix_product_state"})
_UNFORETOLD = "ddsim"
_WORTH_A_TRIAL_S = 0.3
_TRIAL_SHARE = 0.25
_TRIAL_MAX_S = 5.0

A = TypeVar("A", Sampled, Expected)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that could run the program, what it would take, and whether it is only tried under a clock."""

    engine: Engine
    predicted: Predicted
    trial_s: float | None = None


@dataclass(frozen=True, slots=True)
class Routed(Generic[A]):
    """An answer, and one sentence for every engine that was tried before."""

    answer: A
    tried: tuple[str, ...]


def candidates(features: Features, shots: int, engines: Mapping[str, Engine], budget: Budget) -> list[Candidate]:
    """The engines that fit, the quickest first; what cannot be foretold is tried first where the rest is slow."""
    found = []
    for name, engine in engines.items():
        if name == _UNFORETOLD or engine.obstacle(features.traits) is not None:
            continue
        try:
            predicted = predict(name, features, shots)
        except KeyError:
            continue
        if predicted.memory_bytes <= budget.memory_bytes:
            found.append(Candidate(engine, predicted))
    found.sort(key=lambda one: (one.predicted.seconds, one.engine.name))
    diagram = engines.get(_UNFORETOLD)
    if diagram is not None and diagram.obstacle(features.traits) is None:
        best_s = found[0].predicted.seconds if found else float("inf")
        if best_s > _WORTH_A_TRIAL_S:
            trial_s = min(_TRIAL_MAX_S, _TRIAL_SHARE * best_s)
            found.insert(0, Candidate(diagram, Predicted(trial_s, 1, 0), trial_s))
    return found


def sample(program: Program, shots: int, seed: int, engines: Mapping[str, Engine], budget: Budget) -> Routed[Sampled]:
    """Outcomes of one program. Refuses with backend_infeasible when no engine gives an answer."""
    features = features_of(program)
    chosen = candidates(features, shots, engines, budget)
    return _first(chosen, features, program, lambda engine, placed: engine.sample(placed, shots, seed, budget), budget)


def expectation(
    program: Program, paulis: Sequence[Pauli], engines: Mapping[str, Engine], budget: Budget
) -> Routed[Expected]:
    """Values of Pauli products in the final state. Refuses with backend_infeasible when no engine gives an answer."""
    features = features_of(program)
    chosen = candidates(features, 1, engines, budget)

    def ask(engine: Engine, placed: Program) -> Expected:
        moved = paulis
        if placed is not program:
            place = {qubit: at for at, qubit in enumerate(features.order)}
            moved = [tuple((place[qubit], letter) for qubit, letter in pauli) for pauli in paulis]
        return engine.expectation(placed, moved, budget)

    return _first(chosen, features, program, ask, budget)


def _first(
    chosen: Sequence[Candidate],
    features: Features,
    program: Program,
    ask: Callable[[Engine, Program], A],
    budget: Budget,
) -> Routed[A]:
    tried: list[str] = []
    for one in chosen:
        name = one.engine.name
        placed = reordered(program, features.order) if name in _ON_A_LINE else program
        try:
            if one.trial_s is None:
                answer = ask(one.engine, placed)
            else:
                answer = in_child(partial(ask, one.engine, placed), one.trial_s)
        except (Unsuited, GaveUp, MemoryError, RanOut) as no:
            tried.append(f"{name}: {no}")
            continue
        if answer.how.fidelity >= FIDELITY_MIN:
            return Routed(answer, tuple(tried))
        tried.append(f"{name}: its fidelity is only known to be {answer.how.fidelity:.3f}")
    qubits = features.traits.busy
    reasons = "; ".join(tried) or f"it needs more than the {budget.memory_bytes >> 20} MiB there are"
    raise Rejected(
        "backend_infeasible",
        f"no engine can run a part of {qubits} qubits with {features.entangling} entangling gates: {reasons}",
        {"qubits": qubits, "memory_mib": budget.memory_bytes >> 20},
    )
