"""The documents of api/schemas/engines.py: every example is one of what it shows."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from api.schemas import engines

MODELS = [
    model
    for model in vars(engines).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == engines.__name__
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_are_valid(model: type[BaseModel]) -> None:
    assert model.__doc__
    extra = model.model_config.get("json_schema_extra") or {}
    assert isinstance(extra, dict)
    for example in extra.get("examples", []):
        parsed = model.model_validate(example)
        assert set(example) <= set(type(parsed).model_fields)
