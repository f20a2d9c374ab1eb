"""The documents of api/schemas/reports.py: every example is one of what it shows."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from api.schemas import reports

MODELS = [
    model
    for model in vars(reports).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == reports.__name__
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_are_valid(model: type[BaseModel]) -> None:
    assert model.__doc__
    extra = model.model_config.get("json_schema_extra") or {}
    assert isinstance(extra, dict)
    examples = extra.get("examples", [])
    assert isinstance(examples, list)
    for example in examples:
        assert isinstance(example, dict)
        parsed = model.model_validate(example)
        assert set(example) <= set(type(parsed).model_fields) | set(parsed.model_extra or {})


def test_the_figures_of_the_examples_add_up() -> None:
    line = reports.MonthStatement.model_config["json_schema_extra"]["examples"][0]["totals"]["CNY"]  # type: ignore[index,call-overload]
    assert line["closing"] == line["opening"] + line["issued"] - line["settled"] + line["corrected"]
    assert line["held_closing"] == line["held_opening"] + line["held"] - line["settled"] - line["released"]
