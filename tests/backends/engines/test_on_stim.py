"""What frames can and cannot do. (Its answers: conformance.)"""

from __future__ import annotations

import pytest

from backends.engines.on_stim import OnStim
from backends.engines.port import Budget, Unsuited
from backends.program import Clause, Op, Program

TOLD = (Op("h", (0,)), Op("measure", (0,), (), (0,)))


@pytest.mark.parametrize("value", [0, 1])
def test_a_pauli_gate_on_one_outcome(value: int) -> None:
    fed = Op("x", (1,), condition=(Clause((0,), (value,)),))
    drawn = OnStim().sample(Program(2, 2, (*TOLD, fed, Op("measure", (1,), (), (1,)))), 200, 5, Budget()).bits
    assert ((drawn[:, 0] == value) == drawn[:, 1]).all()
    assert 0 < drawn[:, 0].sum() < 200


@pytest.mark.parametrize(
    "fed",
    [Op("h", (1,), condition=(Clause((0,), (1,)),)), Op("x", (1,), condition=(Clause((0, 1), (3,)),))],
    ids=["no Pauli gate", "no parity"],
)
def test_what_is_not_for_frames(fed: Op) -> None:
    with pytest.raises(Unsuited, match="a condition that is no parity of outcomes"):
        OnStim().sample(Program(2, 2, (*TOLD, fed)), 1, 1, Budget())


@pytest.mark.parametrize(("values", "inside", "flips"), [((1, 2), True, 1), ((0, 3), True, 0), ((1, 2), False, 0)])
def test_a_pauli_gate_on_a_parity_of_outcomes(values: tuple[int, ...], inside: bool, flips: int) -> None:
    told = tuple(op for q in (0, 1) for op in (Op("h", (q,)), Op("measure", (q,), (), (q,))))
    fed = Op("x", (2,), condition=(Clause((0, 1), values, inside),))
    drawn = OnStim().sample(Program(3, 3, (*told, fed, Op("measure", (2,), (), (2,)))), 200, 5, Budget()).bits
    assert ((drawn[:, 0] ^ drawn[:, 1] == flips) == drawn[:, 2]).all()
    assert len({tuple(row) for row in drawn[:, :2].tolist()}) == 4
