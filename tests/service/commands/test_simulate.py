"""`qubatord simulate`: the worlds themselves are told of in tests/simulation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from service.commands import simulate
from simulation.run import SimulationFailure


def test_a_few_worlds_in_words_and_as_json(shell: Any, narrow: Callable[[str], None]) -> None:
    said = shell("simulate", "--seeds", "3").stdout
    assert said.startswith("3 small worlds, ")
    assert said.endswith("every law held after every event\n")
    narrow(said)
    told = json.loads(shell("simulate", "--seeds", "3", "--json").stdout)
    assert (told["worlds"], told["world"]) == (3, "small")
    assert told["admitted"] == told["succeeded"] + told["failed"] + told["cancelled"]


def test_one_seed_is_one_world_and_always_the_same(shell: Any) -> None:
    first, second = (json.loads(shell("simulate", "--seed", "7", "--json").stdout) for _ in range(2))
    assert first["worlds"] == 1
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_a_broken_law_ends_with_the_command_that_repeats_it(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seeds: range, world: str) -> Any:
        raise SimulationFailure(seeds[0], world, "the books do not balance", "…")

    monkeypatch.setattr(simulate, "play", broken)
    result = shell("simulate", "--seed", "41", code=1)
    assert "the books do not balance" in result.stderr
    assert "qubatord simulate --seed 41 --world small" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--seed", "-1"], ["--world", "nowhere"]])
def test_what_cannot_be_played_is_a_usage_error(shell: Any, arguments: list[str]) -> None:
    shell("simulate", *arguments, code=2)
