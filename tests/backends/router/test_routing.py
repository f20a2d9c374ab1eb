"""Engines are tried in turn, and the first answer that is good enough is taken."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from backends.engines.port import Budget, Expected, GaveUp, How, Sampled, Unsuited
from backends.engines.roster import installed
from backends.program import Op, Program
from backends.rejected import Rejected
from backends.router import routing
from backends.router.features import features_of

BELL = Program(2, 2, (Op("h", (0,)), Op("cx", (0, 1)), Op("measure", (0,), (), (0,)), Op("measure", (1,), (), (1,))))


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
    names = ("prismq.statevector", "qulacs", "aer.statevector", "sparse")
    answers: list[Any] = [GaveUp("too much"), Unsuited("no such gate"), MemoryError("too wide"), 1.0]
    engines = {name: Scripted(name, answer) for name, answer in zip(names, answers, strict=True)}
    order = [one.engine.name for one in routing.candidates(features_of(BELL), 10, engines, Budget())]
    engines[order[-1]].answer = 1.0
    for name, answer in zip(order[:-1], answers[:3], strict=True):
        engines[name].answer = answer
    routed = routing.sample(BELL, 10, 1, engines, Budget())
    assert routed.answer.how.engine == order[-1]
    assert routed.tried == (f"{order[0]}: too much", f"{order[1]}: no such gate", f"{order[2]}: too wide")


def test_an_answer_of_low_fidelity_is_none() -> None:
    engines = {"sparse": Scripted("sparse", 0.5), "stim": Scripted("stim", 0.989)}
    with pytest.raises(Rejected, match=r"its fidelity is only known to be 0\.500") as refused:
        routing.sample(BELL, 10, 1, engines, Budget())
    assert refused.value.code == "backend_infeasible"


def test_what_fits_nowhere_says_so() -> None:
    wide = Program(34, 34, tuple(Op("ry", (qubit,), (0.3,)) for qubit in range(34)))
    with pytest.raises(Rejected, match="it needs more than the 16 MiB there are"):
        routing.sample(wide, 10, 1, scripted(**{"aer.statevector": 1.0}), Budget(16 << 20))


def test_a_diagram_is_tried_where_the_rest_is_slow() -> None:
    dense = [Op("ry", (qubit,), (0.3,)) for qubit in range(24)]
    dense += [Op("crx", (qubit, (qubit + 5) % 24), (0.3,)) for qubit in range(24)] * 4
    slow = features_of(Program(24, 0, tuple(dense)))
    first = routing.candidates(slow, 10, scripted(**{"aer.statevector": 1.0, "ddsim": 1.0}), Budget())[0]
    assert first.engine.name == "ddsim"
    assert first.trial_s is not None and 0 < first.trial_s <= 5  # noqa: PT018 - one fact
    quick = routing.candidates(features_of(BELL), 10, scripted(**{"aer.statevector": 1.0, "ddsim": 1.0}), Budget())
    assert [one.engine.name for one in quick] == ["aer.statevector"]


def test_observables_follow_the_qubits_that_are_moved() -> None:
    line = [(7 * place) % 20 for place in range(20)]
    gates = [Op("ry", (line[0],), (0.7,))]
    gates += [Op("cx", pair) for pair in pairwise(line)]
    paulis = [((line[3], "Z"),), ((line[0], "Z"), (line[19], "Z"))]
    only = {"aer.matrix_product_state": installed()["aer.matrix_product_state"]}
    found = routing.expectation(Program(20, 0, tuple(gates)), paulis, only, Budget())
    assert found.answer.values == pytest.approx((np.cos(0.7), 1.0), abs=1e-6)
