"""Engines are tried in turn, and the first answer that is good enough is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from backends.engines.port import Budget, Expected, How, Sampled, Unsuited
from backends.engines.roster import installed
from backends.program import Op, Program
from backends.rejected import Rejected
from backends.router import predicting, routing
from backends.router.features import features_of
from backends.router.predicting import predict

BELL = Program(2, 2, (Op("h", (0,)), Op("cx", (0, 1)), Op("measure", (0,), (), (0,)), Op("measure", (1,), (), (1,))))


@pytest.fixture(autouse=True)
def _by_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """These stories are about the policy, whatever was learned last."""
    monkeypatch.setattr(predicting, "learned", dict)


@dataclass
class Scripted:
    """An engine that answers as it is told."""

    name: str
    answer: Any
    licence: str = "MIT"
    version: str = "0"

    def available(self) -> bool:
        return True

    def obstacle(self, traits: Any) -> str | None:
        return None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        if isinstance(self.answer, Exception):
            raise self.answer
        return Sampled(np.zeros((shots, 2), dtype=np.uint8), How(self.name, "0", "", self.answer))

    def expectation(self, program: Program, paulis: Any, budget: Budget) -> Expected:
        return Expected(tuple(float(len(pauli)) for pauli in paulis), 0.0, How(self.name, "0", ""))


def scripted(**answers: Any) -> dict[str, Any]:
    return {name: Scripted(name, answer) for name, answer in answers.items()}


def test_the_next_one_is_asked_when_one_cannot() -> None:
    names = ("prismq.statevector", "qulacs", "aer.statevector")
    engines = {name: Scripted(name, 1.0) for name in names}
    order = [one.engine.name for one in routing.plan(features_of(BELL), 10, engines, Budget())]
    assert sorted(order) == sorted(names)
    engines[order[0]].answer, engines[order[1]].answer = Unsuited("no such gate"), MemoryError("too wide")
    routed = routing.sample(BELL, 10, 1, engines, Budget())
    assert routed.answer.how.engine == order[2]
    assert routed.tried == (f"{order[0]}: no such gate", f"{order[1]}: too wide")


def test_an_answer_of_low_fidelity_is_none() -> None:
    engines = {"sparse": Scripted("sparse", 0.5), "stim": Scripted("stim", 0.989)}
    with pytest.raises(Rejected, match=r"its fidelity is only known to be 0\.500") as refused:
        routing.sample(BELL, 10, 1, engines, Budget())
    assert refused.value.code == "backend_infeasible"


def test_what_fits_nowhere_says_so() -> None:
    wide = Program(34, 34, tuple(Op("ry", (qubit,), (0.3,)) for qubit in range(34)))
    with pytest.raises(Rejected, match="it needs more than the 16 MiB there are"):
        routing.sample(wide, 10, 1, scripted(**{"aer.statevector": 1.0}), Budget(16 << 20))


def scattered(qubits: int) -> Program:
    """Nothing is known of it but bounds: everything branches, everything meets everything."""
    gates = [Op("ry", (qubit,), (0.3,)) for qubit in range(qubits)]
    for stride in (5, 7, 3, 11) * 2:
        gates += [
            Op("crx", (qubit, (qubit * stride + 1) % qubits), (0.3,))
            for qubit in range(qubits)
            if (qubit * stride + 1) % qubits != qubit
        ]
    return Program(qubits, 0, tuple(gates))


COUNTING = ("sparse", "mps", "ddsim")


def test_what_can_be_stopped_is_tried_in_growing_rounds_before_what_is_sure() -> None:
    names = (*COUNTING, "aer.statevector")
    found = list(routing.plan(features_of(scattered(24)), 10, scripted(**dict.fromkeys(names, 1.0)), Budget()))
    tries = [one for one in found if math.isfinite(one.budget_s)]
    last = [one for one in found if math.isinf(one.budget_s)]
    assert {one.engine.name for one in tries} <= set(COUNTING)
    assert len(tries) >= 3
    assert last[0].engine.name == "aer.statevector"
    assert found == [*tries, *last]
    for name in COUNTING:
        budgets = [one.budget_s for one in tries if one.engine.name == name]
        assert all(before <= after for before, after in pairwise(budgets))
        assert len(set(budgets)) >= 2


def test_a_chain_of_tensors_is_tried_on_the_programs_own_line_too() -> None:
    """Bounds know nothing of angles, so the line that they like best may not be the best."""
    line = [(7 * place) % 24 for place in range(24)]
    gates = [Op("ry", (qubit,), (0.3,)) for qubit in range(24)]
    gates += [
        Op("rzz", (line[place], line[place + hop]), (0.3,)) for hop in (1, 2, 3, 4, 5) for place in range(24 - hop)
    ] * 2
    gates += [Op("rx", (qubit,), (0.3,)) for qubit in range(24)]
    features = features_of(Program(24, 0, tuple(gates)))
    assert features.order != tuple(range(24))
    found = routing.plan(features, 10, scripted(**dict.fromkeys(("mps", "aer.statevector"), 1.0)), Budget())
    orders = [one.order for one in found if one.engine.name == "mps" and math.isfinite(one.budget_s)]
    assert set(orders) == {None, features.order}


@pytest.mark.parametrize("qubits", range(14, 28))
def test_all_tries_together_cost_a_share_of_the_sure_answer(qubits: int) -> None:
    features = features_of(scattered(qubits))
    engines = scripted(**dict.fromkeys((*COUNTING, "aer.statevector"), 1.0))
    found = list(routing.plan(features, 10, engines, Budget(64 << 30)))
    sure_s = predict("aer.statevector", features, 10).seconds
    tried_s = sum(one.budget_s for one in found if math.isfinite(one.budget_s))
    # Half for those that are trusted, a fortieth for each other, and a third of both for the rounds before.
    # Tensors are tried on two lines.
    assert tried_s <= sure_s * (2 * 1 / 2 + (len(COUNTING) + 1) / 40) * 4 / 3


def test_where_nothing_is_sure_rounds_end_with_the_budget() -> None:
    features = features_of(scattered(60))
    engines = scripted(**dict.fromkeys(COUNTING, 1.0))
    found = list(routing.plan(features, 10, engines, Budget(seconds=60.0)))
    assert found
    assert all(math.isfinite(one.budget_s) for one in found)
    assert {one.engine.name for one in found} == set(COUNTING)
    assert 60.0 / 16 < sum(one.budget_s for one in found) <= 60.0 / 2
    # A longer limit adds tries, and changes none.
    longer = list(routing.plan(features, 10, engines, Budget(seconds=600.0)))
    key = [(one.engine.name, one.budget_s, one.order) for one in longer]
    assert len(longer) > len(found)
    assert {(one.engine.name, one.budget_s, one.order) for one in found} <= set(key)


def test_a_quick_answer_is_not_put_off_by_tries() -> None:
    both = scripted(**dict.fromkeys(("aer.statevector", "ddsim"), 1.0))
    assert next(routing.plan(features_of(BELL), 10, both, Budget())).engine.name == "aer.statevector"
    assert routing.sample(BELL, 10, 1, both, Budget()).answer.how.engine == "aer.statevector"


def test_aers_tensors_are_not_asked_where_ours_are() -> None:
    both = scripted(**dict.fromkeys(("aer.matrix_product_state", "mps"), 1.0))
    assert [one.engine.name for one in routing.suitable(features_of(BELL), 10, both)] == ["mps"]


def test_equal_seeds_give_equal_answers_through_whatever_is_tried() -> None:
    """No clock has a say in it."""
    ends = tuple(Op("measure", (qubit,), (), (qubit,)) for qubit in range(20))
    program = Program(20, 20, (*scattered(20).operations, *ends))
    first, second = (routing.sample(program, 200, 5, installed(), Budget()) for _ in range(2))
    assert first.tried == second.tried
    assert first.answer.how == second.answer.how
    assert np.array_equal(first.answer.bits, second.answer.bits)


def test_observables_follow_the_qubits_that_are_moved() -> None:
    line = [(7 * place) % 20 for place in range(20)]
    gates = [Op("ry", (line[0],), (0.7,))]
    gates += [Op("cx", pair) for pair in pairwise(line)]
    paulis = [((line[3], "Z"),), ((line[0], "Z"), (line[19], "Z"))]
    only = {"aer.matrix_product_state": installed()["aer.matrix_product_state"]}
    found = routing.expectation(Program(20, 0, tuple(gates)), paulis, only, Budget())
    assert found.answer.values == pytest.approx((np.cos(0.7), 1.0), abs=1e-6)
