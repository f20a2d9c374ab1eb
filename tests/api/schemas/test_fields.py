"""Names, tags, metadata and values: what is taken, and what is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.schemas.fields import METADATA_BYTES, Identifier, Metadata, Money, Name, Observables, ParameterValues, Tag


def fault(kind: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value, strict=True)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize("name", ["a", "Bell pair", "贝尔态 №1", "naïve", "👩‍🔬 run", "<b>&amp;'\"", "x" * 200])
def test_names_people_give(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\x00b", "must not contain the character U+0000"),
        ("a\nb", "must not contain the character U+000A"),
        ("a\x1b[31m", "must not contain the character U+001B"),
        ("a\x85", "must not contain the character U+0085"),
        ("a\u2028b", "must not contain the character U+2028"),
        ("a\u202eb", "must not contain the character U+202E"),
        ("a\u2066b", "must not contain the character U+2066"),
        ("\ufeffa", "must not contain the character U+FEFF"),
        (" a", "must not begin or end with white space"),
        ("a\u3000", "must not begin or end with white space"),
        ("", "at least 1 character"),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_names_that_hide_something(name: str, said: str) -> None:
    assert said in fault(Name, name)


def test_tags_are_shorter() -> None:
    assert "at most 64 characters" in fault(Tag, "x" * 65)


@pytest.mark.parametrize("value", ["", "a/b", "a b", "é", "a\x00", "x" * 101, "%00"])
def test_an_identifier_is_plain(value: str) -> None:
    fault(Identifier, value)


def test_metadata_are_kept_as_they_are() -> None:
    given = {"a": [1, {"b": None}], "é": "x\\u0000y"}
    assert TypeAdapter(Metadata).validate_python(given) == given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": "x" * METADATA_BYTES}, f"at most {METADATA_BYTES} are kept"),
        ({"a": [{"b": "x\x00"}]}, "must not contain the character U+0000"),
        ({"a\x00": 1}, "must not contain the character U+0000"),
    ],
)
def test_metadata_that_are_refused(given: dict[str, Any], said: str) -> None:
    assert said in fault(Metadata, given)


def test_metadata_too_deep() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    assert "is nested too deep" in fault(Metadata, {"a": deep})


@pytest.mark.parametrize("value", [None, [], [1], {}, {"npy": "x"}, 0.5, 3])
def test_values_of_a_right_kind(value: Any) -> None:
    assert TypeAdapter(ParameterValues).validate_python(value) == value


@pytest.mark.parametrize("value", [True, "x"])
def test_values_of_a_wrong_kind(value: Any) -> None:
    assert "must be an array, an object, a number or null" in fault(ParameterValues, value)


@pytest.mark.parametrize("value", [True, 1, 0.5])
def test_observables_of_a_wrong_kind(value: Any) -> None:
    assert "must be an array, an object or a string" in fault(Observables, value)


@pytest.mark.parametrize(
    "value",
    [{"micro": 0}, {"micro": -1}, {"micro": 1.0}, {"micro": True}, {"micro": "1"}, {"micro": 1, "asset": "C N Y"}, {}],
)
def test_money_is_a_positive_integer(value: Any) -> None:
    fault(Money, value)


def test_money_is_yuan_unless_it_says_otherwise() -> None:
    assert Money.model_validate({"micro": 5}) == Money(micro=5, asset="CNY")
