"""The documents of api/schemas/money.py: every example is one of what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from api.schemas import money

MODELS = [
    model
    for model in vars(money).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == money.__name__
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_are_valid(model: type[BaseModel]) -> None:
    assert model.__doc__
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    assert examples
    for example in examples:
        assert isinstance(example, dict)
        parsed = model.model_validate(example)
        assert set(example) <= set(type(parsed).model_fields) | set(parsed.model_extra or {})


@pytest.mark.parametrize(
    ("model", "document"),
    [
        (money.PaymentRequest, {"amount": {"micro": 0}, "key": "1"}),
        (money.PaymentRequest, {"amount": {"micro": 1}, "key": ""}),
        (money.PaymentRequest, {"amount": {"micro": 1}, "key": "a\x00b"}),
        (money.PaymentRequest, {"amount": {"micro": 1}, "key": "1", "direction": "back"}),
        (money.BudgetRequest, {"kind": "team", "key": "x", "limit": 1}),
        (money.BudgetRequest, {"kind": "tag", "key": "x", "limit": -1}),
        (money.RateRequest, {"resource": "qpu_ms", "unit_price": 10**11 + 1}),
        (money.RateRequest, {"resource": "qpu_ms", "unit_price": 1, "hours": [8]}),
        (money.RateRequest, {"resource": "qpu_ms", "unit_price": 0.5}),
        (money.ProfileRequest, {"stage": "se\ned"}),
        (money.ProfileRequest, {"traits": ["x"] * 51}),
        (money.ActRequest, {"kind": "increase", "subject": "grt 1", "body": {}, "reason": "x"}),
        (money.ActRequest, {"kind": "increase", "subject": "grt", "body": {}, "reason": ""}),
        (money.ApplyRequest, {"programmes": []}),
        (money.ApplyRequest, {"programmes": [{"name": "x"}]}),
    ],
)
def test_what_is_no_request(model: type[BaseModel], document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(document)
