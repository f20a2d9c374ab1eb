"""Both sides of the comparison do the same work, and it is the work that is claimed."""

from __future__ import annotations

import base64

import numpy as np
import orjson
import pytest

from backends.limits import Limits
from backends.run import execute
from benchmarks import bindings


def test_one_pub_over_all_sets_and_a_job_for_each_have_the_same_values() -> None:
    sets = bindings.parameter_sets(9)
    assert len({tuple(one) for one in sets}) == 9
    together = execute(bindings.work_of("estimator", sets, 7), "ideal", Limits())
    apart = [execute(bindings.work_of("estimator", one, 7), "ideal", Limits()) for one in sets]
    values = [orjson.loads(one.result)["pubs"][0]["evs"] for one in (together, *apart)]
    all_at_once, *single = [np.frombuffer(base64.b64decode(one["base64"])) for one in values]
    assert np.allclose(all_at_once, np.concatenate(single), atol=1e-9)


def test_both_spend_the_same_shots() -> None:
    sets = bindings.parameter_sets(8)
    together = execute(bindings.work_of("sampler", sets, 7), "ideal", Limits())
    apart = [execute(bindings.work_of("sampler", one, 7), "ideal", Limits()) for one in sets]
    assert together.shots == sum(one.shots for one in apart) == 8 * bindings.SHOTS


def test_both_sides_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bindings, "TURNS", 1)
    together_s, apart_s = bindings.in_a_worker("sampler", bindings.parameter_sets(30))
    assert together_s > 0
    assert apart_s > 0


def test_the_request_is_that_of_the_work() -> None:
    request = bindings.request_of("estimator", [[0.0] * 40], 3)
    assert request["backend"] == "ideal"
    assert request["options"] == {"seed": 3, "precision": 0.0}
    work = orjson.loads(bindings.work_of("estimator", [[0.0] * 40], 3))
    assert work["circuits"][0]["format"] == request["pubs"][0]["circuit"]["format"] == "qpy"
    for name in ("parameter_values", "observables"):
        assert work["pubs"][0][name] == request["pubs"][0][name]
