"""Mitigation options in the words of IBM's primitives, and refusals that name the option."""

from __future__ import annotations

from typing import Any

import pytest

from backends.mitigation.options import TWIRLS_AUTO, MitigationOptions, Zne
from backends.rejected import Rejected


def test_nothing_asked_for_is_nothing() -> None:
    for document in ({}, {"resilience": None}, {"twirling": {"enable_gates": False, "num_randomizations": 4}}):
        assert not MitigationOptions.from_json(document)


def test_everything_asked_for() -> None:
    found = MitigationOptions.from_json(
        {
            "dynamical_decoupling": {"enable": True, "sequence_type": "XY4"},
            "twirling": {"enable_gates": True, "num_randomizations": 8},
            "resilience": {
                "measure_mitigation": True,
                "zne_mitigation": True,
                "zne": {"noise_factors": [1, 1.5, 2], "extrapolator": "linear"},
            },
        }
    )
    assert found == MitigationOptions("XY4", 8, True, Zne((1.0, 1.5, 2.0), "linear"))
    assert found


def test_defaults_of_what_is_enabled() -> None:
    found = MitigationOptions.from_json(
        {
            "dynamical_decoupling": {"enable": True},
            "twirling": {"enable_gates": True, "num_randomizations": "auto"},
            "resilience": {"zne_mitigation": True},
        }
    )
    assert found == MitigationOptions("XX", TWIRLS_AUTO, False, Zne((1.0, 3.0, 5.0), "exponential"))


@pytest.mark.parametrize(
    ("document", "option"),
    [
        ({"dynamical_decoupling": True}, "dynamical_decoupling"),
        ({"dynamical_decoupling": {"enable": 1}}, "dynamical_decoupling.enable"),
        ({"dynamical_decoupling": {"sequence_type": "XpXm"}}, "dynamical_decoupling.sequence_type"),
        ({"twirling": {"enable_measure": True}}, "twirling.enable_measure"),
        ({"twirling": {"num_randomizations": 0}}, "twirling.num_randomizations"),
        ({"twirling": {"num_randomizations": True}}, "twirling.num_randomizations"),
        ({"resilience": {"pec_mitigation": True}}, "resilience.pec_mitigation"),
        ({"resilience": {"measure_mitigation": "yes"}}, "resilience.measure_mitigation"),
        ({"resilience": {"zne": {"factors": []}}}, "resilience.zne.factors"),
        ({"resilience": {"zne": {"extrapolator": "cubic"}}}, "resilience.zne.extrapolator"),
        ({"resilience": {"zne": {"noise_factors": [1]}}}, "resilience.zne.noise_factors"),
        ({"resilience": {"zne": {"noise_factors": [1, 3, 3]}}}, "resilience.zne.noise_factors"),
        ({"resilience": {"zne": {"noise_factors": [3, 5]}}}, "resilience.zne.noise_factors"),
        ({"resilience": {"zne": {"noise_factors": [1, 16]}}}, "resilience.zne.noise_factors"),
        ({"resilience": {"zne": {"noise_factors": [1, float("nan")]}}}, "resilience.zne.noise_factors"),
    ],
)
def test_what_is_wrong_is_named(document: Any, option: str) -> None:
    with pytest.raises(Rejected) as refused:
        MitigationOptions.from_json(document)
    assert (refused.value.code, refused.value.fields["option"]) == ("option_invalid", option)
