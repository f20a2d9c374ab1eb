"""The documents of api/schemas/prices.py: every example is one of what it shows."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from api.schemas import prices
from ledger.receipt_words import explanation

MODELS = [
    model
    for model in vars(prices).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == prices.__name__
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


def test_the_example_of_a_receipt_explains_its_own_figures() -> None:
    assert prices.RECEIPT_EXAMPLE["explanation"] == explanation(prices.RECEIPT_EXAMPLE)


def test_the_example_of_a_quote_adds_up() -> None:
    assert prices.QUOTE_EXAMPLE["expected"]["micro"] == sum(line["amount"] for line in prices.QUOTE_EXAMPLE["lines"])
