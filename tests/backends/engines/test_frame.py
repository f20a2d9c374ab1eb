"""Nearly Clifford circuits at any width: how large the dense state is, and outcomes where some are coins and some tell
of each other. (Its answers on small circuits: conformance.)
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from backends.engines.frame import Frame
from backends.engines.port import Budget, GaveUp
from backends.engines.traits import traits_of
from backends.program import Op, Program

WIDE = 90


def measured(gates: list[Op], qubits: int) -> Program:
    return Program(qubits, qubits, (*gates, *(Op("measure", (bit,), (), (bit,)) for bit in range(qubits))))


def hidden_coin(turns: int) -> Program:
    """A chain in which only the last qubit knows a bent coin: P(1) = sin²(turns π/8); the others are fair, but sum up
    to it in pairs.
    """
    gates = [Op("h", (0,)), *[Op("t", (0,))] * turns, Op("h", (0,))]
    for qubit in range(1, WIDE):
        gates += [Op("h", (qubit,)), Op("cx", (qubit, qubit - 1))]
    return measured(gates, WIDE)


@pytest.mark.parametrize("turns", [1, 3])
def test_a_bent_coin_behind_fair_ones(turns: int) -> None:
    drawn = Frame().sample(hidden_coin(turns), 4_000, 3, Budget())
    assert drawn.how.method == "Clifford frame around 1 qubits"
    fair = drawn.bits.mean(axis=0)
    assert np.all(abs(fair - 0.5) < 0.05)
    # The first qubit's own outcome is its coin plus the second's, which is its own plus the third's, …
    coin = drawn.bits.sum(axis=1) % 2
    wanted = math.sin(turns * math.pi / 8) ** 2
    assert abs(coin.mean() - wanted) < 0.04


def test_outcomes_that_determine_each_other() -> None:
    """A wide GHZ state turned by T gates: two outcomes, and the phase shows where it is asked for."""
    gates = [Op("h", (0,)), *(Op("cx", (qubit, qubit + 1)) for qubit in range(WIDE - 1))]
    gates += [Op("t", (qubit,)) for qubit in range(2, WIDE)]
    drawn = Frame().sample(measured(gates, WIDE), 1_000, 5, Budget()).bits
    assert set(Counter(map(bytes, drawn))) == {bytes(WIDE), bytes([1] * WIDE)}
    assert 400 < drawn[:, 0].sum() < 600
    everywhere = tuple((qubit, "X") for qubit in range(WIDE))
    found = Frame().expectation(
        Program(WIDE, 0, tuple(gates)), [everywhere, ((0, "Z"), (89, "Z")), ((4, "X"),)], Budget()
    )
    assert found.values == pytest.approx((math.cos((WIDE - 2) * math.pi / 4), 1.0, 0.0), abs=1e-9)


def test_equal_seeds_give_equal_outcomes() -> None:
    first, again, other = (Frame().sample(hidden_coin(1), 50, seed, Budget()).bits for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_it_gives_up_at_its_budget() -> None:
    gates = [Op("ry", (qubit,), (0.1,)) for qubit in range(40)]
    with pytest.raises(MemoryError):
        Frame().sample(measured(gates, 40), 1, 1, Budget(memory_bytes=1 << 20))
    with pytest.raises(GaveUp, match="active qubits"):
        Frame().sample(measured(gates, 40), 1, 1, Budget(seconds=1e-3))


def test_it_says_what_it_cannot_do() -> None:
    on_the_way = Program(1, 1, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,))))
    assert Frame().obstacle(traits_of(on_the_way)) == "outcomes are random before the end"
    prepared = Program(1, 0, (Op("initialize", (0,), (0.6, 0.8)),))
    assert Frame().obstacle(traits_of(prepared)) == "it prepares no state from amplitudes"
