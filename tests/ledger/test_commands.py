"""Commands are values: equal when they ask the same, and never changed on their way."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from ledger import commands
from ledger.commands import ANYBODY, Command, PlaceHold
from ledger.model import Line
from ledger.terms import GENERAL


@pytest.mark.parametrize("command", typing.get_args(Command))
def test_every_command_is_frozen_and_says_first_when_it_was_asked(command: type) -> None:
    assert command.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert dataclasses.fields(command)[0].name == "at_us"


def test_the_union_names_every_command_of_the_module() -> None:
    own = {value for value in vars(commands).values() if isinstance(value, type) and dataclasses.is_dataclass(value)}
    assert {value for value in own if value.__module__ == commands.__name__} == set(typing.get_args(Command))


def test_commands_compare_by_value() -> None:
    lines = (Line("job", 1, 5),)
    assert PlaceHold(1, "j1", "acme", "CNY", lines) == PlaceHold(1, "j1", "acme", "CNY", (Line("job", 1, 5),))


def test_anybody_claims_nothing() -> None:
    assert (ANYBODY.member_id, ANYBODY.category, ANYBODY.tags, ANYBODY.age_months) == ("", GENERAL, (), None)
