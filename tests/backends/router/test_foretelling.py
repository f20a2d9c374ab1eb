"""What is promised before a run: hopeful where a structure may help, sober where circuits entangle as random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.engines.port import Budget
from backends.engines.roster import installed
from backends.program import Op, Program
from backends.router.foretelling import foretell

GIB = 1 << 30


def brickwork(width: int, layers: int) -> Program:
    rng = np.random.default_rng(2)
    operations: list[Op] = []
    for layer in range(layers):
        operations += [Op("u", (q,), tuple(rng.uniform(0, 2 * math.pi, 3).tolist())) for q in range(width)]
        operations += [Op("cx", (q, q + 1)) for q in range(layer % 2, width - 1, 2)]
    return measured(width, operations)


def measured(width: int, operations: list[Op]) -> Program:
    ends = [Op("measure", (q,), (), (q,)) for q in range(width)]
    return Program(width, width, (*operations, *ends))


def trotter(width: int, steps: int) -> Program:
    operations: list[Op] = []
    for _ in range(steps):
        operations += [Op("rzz", (q, q + 1), (0.7,)) for q in range(width - 1)]
        operations += [Op("rx", (q,), (0.9,)) for q in range(width)]
    return measured(width, operations)


def test_a_small_circuit_surely_runs_in_no_time() -> None:
    found = foretell(brickwork(5, 3), 1000, installed(), Budget(GIB))
    assert found.sure
    assert 0 < found.seconds < 0.1
    assert found.memory_bytes <= 64 << 20
    assert found.tries[0].engine.name in {one.engine.name for one in found.candidates}


def test_a_deep_random_circuit_needs_more_than_there_is() -> None:
    found = foretell(brickwork(60, 60), 1000, installed(), Budget(4 * GIB))
    assert not found.sure
    assert math.isinf(found.seconds)
    assert found.memory_bytes > 1 << 45, "a bond of 2^21 and a state of 2^60"


def test_a_shallow_one_is_bounded_by_its_bonds() -> None:
    found = foretell(brickwork(60, 8), 1000, installed(), Budget(4 * GIB))
    assert found.sure
    assert found.seconds < 1


def test_what_a_structure_may_save_is_tried_and_told_unsure() -> None:
    """The same bounds as of the random circuit, and angles that repeat."""
    found = foretell(trotter(60, 60), 1000, installed(), Budget(4 * GIB, 60.0))
    assert not found.sure
    assert math.isfinite(found.seconds)
    assert found.memory_bytes <= 64 << 20
    assert found.tries
    assert all(math.isfinite(one.budget_s) for one in found.tries)


def test_a_random_circuit_on_few_qubits_takes_as_long_as_its_dense_state() -> None:
    """Tensors could be hoped for; a price must not be made of hope."""
    found = foretell(brickwork(24, 40), 1000, installed(), Budget(4 * GIB))
    dense = [one for one in found.candidates if one.engine.name.endswith(("statevector", "qulacs"))]
    tensors = next(one for one in found.candidates if one.engine.name == "mps")
    assert found.seconds == min(one.predicted.seconds for one in dense)
    assert tensors.predicted.seconds < found.seconds


@pytest.mark.parametrize("width", [2, 12, 20])
def test_nobody_else_is_needed_where_aer_is_all_there_is(width: int) -> None:
    aer = {name: engine for name, engine in installed().items() if name.startswith("aer.")}
    found = foretell(brickwork(width, 4), 100, aer, Budget(GIB))
    assert found.sure
    assert {one.engine.name for one in found.candidates} <= set(aer)
