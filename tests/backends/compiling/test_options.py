"""Options of compilation from JSON and back, and refusals that name the option."""

from __future__ import annotations

from typing import Any

import pytest

from backends.compiling.options import CompileOptions
from backends.rejected import Rejected


def test_what_is_left_out_has_a_default() -> None:
    assert CompileOptions.from_json(None) == CompileOptions.from_json({}) == CompileOptions()
    assert CompileOptions.from_json({"seed": None}) == CompileOptions()


def test_there_and_back() -> None:
    options = CompileOptions("portfolio", 3, 7, (4, 2, 0), 500)
    assert CompileOptions.from_json(options.to_json()) == options
    assert CompileOptions.from_json(CompileOptions().to_json()) == CompileOptions()


@pytest.mark.parametrize(
    ("document", "option"),
    [
        ([], "compilation"),
        ({"levle": 1}, "compilation.levle"),
        ({"mode": "best"}, "compilation.mode"),
        ({"mode": ["single"]}, "compilation.mode"),
        ({"optimization_level": 4}, "compilation.optimization_level"),
        ({"optimization_level": True}, "compilation.optimization_level"),
        ({"seed": -1}, "compilation.seed"),
        ({"seed": 2**31}, "compilation.seed"),
        ({"budget_ms": 0.5}, "compilation.budget_ms"),
        ({"initial_layout": "0,1"}, "compilation.initial_layout"),
        ({"initial_layout": [0, 0]}, "compilation.initial_layout"),
        ({"initial_layout": [0, -1]}, "compilation.initial_layout"),
        ({"initial_layout": [0, True]}, "compilation.initial_layout"),
    ],
)
def test_what_is_wrong_is_named(document: Any, option: str) -> None:
    with pytest.raises(Rejected) as refused:
        CompileOptions.from_json(document)
    assert (refused.value.code, refused.value.fields["option"]) == ("option_invalid", option)
    assert option in refused.value.detail
