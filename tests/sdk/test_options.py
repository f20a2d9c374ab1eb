"""Options can be read, set, updated and copied, and a misspelt one is told."""

from __future__ import annotations

import copy

import pytest

from qubator.options import EstimatorOptions, SamplerOptions


def test_defaults_are_those_of_qiskits_reference_primitives() -> None:
    assert SamplerOptions().default_shots == 1024
    assert EstimatorOptions().default_precision == 0.0
    assert SamplerOptions().seed is None


def test_options_are_set_and_updated() -> None:
    options = SamplerOptions()
    options.default_shots = 7
    options.update(seed=3, backend="aer")
    assert (options.default_shots, options.seed, options.backend) == (7, 3, "aer")
    with pytest.raises(
        TypeError, match="no such option: shots; there are backend, calibration, category, compilation, default_shots"
    ):
        options.update(shots=5)


def test_clients_that_copy_and_update_may_bring_words_of_their_own() -> None:
    options = SamplerOptions(default_shots=5)
    local = copy.copy(options)
    local.update_options(shots=7, default_shots=6)
    assert (local.get("shots"), local.default_shots, local.get("nothing", 1)) == (7, 6, 1)
    assert (options.default_shots, options.get("shots")) == (5, None)


def test_a_copy_does_not_share_lists() -> None:
    options = SamplerOptions(tags=["a"])
    twin = copy.deepcopy(options)
    twin.tags.append("b")
    assert options.tags == ["a"]
