"""The fit finds a law where there is one, and is judged where it was not fitted."""

from __future__ import annotations

import math
import random

import orjson
import pytest

from backends.router import predicting
from benchmarks.train_router import FITTED, Row, fit, misses, read


def law(seed: int, *, families: int = 6, ended: bool = True) -> list[Row]:
    """Runs take 10^(number / 2) times what is foretold."""
    rng = random.Random(seed)
    rows = []
    for at in range(40 * families):
        number = rng.uniform(0, 3)
        numbers = (1.0, number, *(rng.uniform(0, 1) for _ in range(15)))
        rows.append(Row(f"family {at % families}", f"{at}", "one", 1e-3, 1e-3 * 10 ** (number / 2), ended, numbers))
    return rows


def test_a_law_is_found() -> None:
    weights = fit(law(1))["one"]
    assert weights[1] == pytest.approx(0.5, abs=0.02)
    assert max(map(abs, weights[2:])) < 0.05


def test_the_family_left_out_decides_nothing() -> None:
    rows = law(2)
    odd = [Row("odd", f"odd {at}", "one", 1e-3, 1e3, True, (1.0, 1.5, *[0.5] * 15)) for at in range(100)]
    assert fit([*rows, *odd], without="odd") == fit(rows)
    assert fit([*rows, *odd]) != fit(rows)


def test_an_engine_measured_too_little_is_not_corrected() -> None:
    assert fit(law(3)[:20]) == {}


def test_what_is_learned_is_judged_unseen() -> None:
    plain, learned = misses(law(4))["one"]
    assert plain > 3
    assert learned < 1.2


def test_what_ships_is_what_the_rows_say() -> None:
    """Nobody edits the weights by hand."""
    shipped = orjson.loads(FITTED.read_bytes())["weights"]
    fitted = fit(read())
    assert shipped.keys() == fitted.keys()
    for engine, weights in fitted.items():
        assert shipped[engine] == pytest.approx(weights, abs=1e-4)
    assert predicting.learned().keys() == fitted.keys()


def test_learning_helps_on_families_that_were_left_out() -> None:
    judged = misses(read())
    gained = sum(math.log(plain / learned) for plain, learned in judged.values())
    assert gained > 0
