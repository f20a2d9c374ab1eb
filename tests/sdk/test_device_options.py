"""Groups of options become what the request carries: what is asked for, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qubator.device_options import CompilationOptions, ResilienceOptions, TwirlingOptions, ZneOptions, asked
from qubator.options import EstimatorOptions
from qubator.submission import Submission

QASM = 'OPENQASM 2.0;include "qelib1.inc";qreg q[1];creg c[1];h q[0];measure q->c;'


def test_what_is_not_asked_for_is_not_sent() -> None:
    assert asked(None) == asked(CompilationOptions()) == asked(ResilienceOptions()) == asked({}) == {}
    assert Submission(QASM, twirling=TwirlingOptions()).to_json()["options"] == {"shots": 1024}


def test_groups_nest_and_numbers_of_numpy_are_plain() -> None:
    group = ResilienceOptions(zne_mitigation=True, zne=ZneOptions(noise_factors=(1, np.float64(1.5))))
    assert asked(group) == {"zne_mitigation": True, "zne": {"noise_factors": [1, 1.5]}}
    assert asked({"initial_layout": (np.int64(3), 1)}) == {"initial_layout": [3, 1]}


def test_a_mapping_goes_as_it_is_for_the_service_to_judge() -> None:
    body = Submission(QASM, compilation={"mode": "best"}).to_json()
    assert body["options"]["compilation"] == {"mode": "best"}


def test_anything_else_is_no_group() -> None:
    with pytest.raises(TypeError, match="int is no group of options"):
        asked(3)


def test_options_of_primitives_are_set_as_in_other_runtimes() -> None:
    options = EstimatorOptions()
    options.resilience.measure_mitigation = True
    options.resilience.zne.extrapolator = "linear"
    assert asked(options.resilience) == {"measure_mitigation": True, "zne": {"extrapolator": "linear"}}
    assert asked(EstimatorOptions().resilience) == {}


def test_a_client_takes_every_group_for_a_job_and_for_its_quote(script: Any, told: Any) -> None:
    groups = {
        "compilation": CompilationOptions(mode="portfolio", seed=3),
        "dynamical_decoupling": {"enable": True},
        "twirling": TwirlingOptions(enable_gates=True),
        "resilience": ResilienceOptions(measure_mitigation=True),
    }
    script.say(script.answer(201, {"id": "job_1", "state": "queued"}), script.answer(200, told.quoted()))
    client = script.client()
    client.submit(QASM, backend="generic", **groups)
    client.quote(QASM, backend="generic", **groups)
    for body in script.bodies():
        assert body["options"] == {
            "shots": 1024,
            "compilation": {"mode": "portfolio", "seed": 3},
            "dynamical_decoupling": {"enable": True},
            "twirling": {"enable_gates": True},
            "resilience": {"measure_mitigation": True},
        }
