"""Bodies: what is no JSON, what is the wrong JSON, and where the fault lies."""

from __future__ import annotations

from typing import Any

import pytest

from api.answers import Refused
from api.documents import ERRORS_TOLD, canonical, check, invalid, parse, pointer, refusal_of_query
from api.schemas.jobs import JobRequest
from dispatcher.model import Refusal

CIRCUIT = {"format": "openqasm2", "content": "x"}


def errors(document: Any, at: str = "") -> list[dict[str, str]]:
    refusal = check(JobRequest, document, at)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_request"
    return list(refusal.fields["errors"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"{", "is not valid JSON"),
        (b'{"a": NaN}', "is not valid JSON"),
        (b'{"a": Infinity}', "is not valid JSON"),
        (b'{"a": -Infinity}', "is not valid JSON"),
        (b'{"a": 1e999}', "is not valid JSON"),
        (b'{"a": "\xff"}', "is not valid JSON"),
        (b'{"a": "\\ud800"}', "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"a":' * 100_000, "is not valid JSON"),
        (b"{'a': 1}", "is not valid JSON"),
        (b"\xef\xbb\xbf{}", "is not valid JSON"),
    ],
)
def test_what_is_no_json_is_said_to_be_none(body: bytes, said: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(body)
    refusal = caught.value.refusal
    assert refusal.code == "invalid_request"
    assert refusal.detail.startswith("The body " + said)
    assert len(refusal.detail) < 300


def test_json_is_read() -> None:
    assert parse(b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}') == {"a": [1, 2.5, None, True, "é"]}


def test_each_fault_is_named_by_its_pointer() -> None:
    document = {
        "primitive": "sampler",
        "pubs": [{"circuit": CIRCUIT, "shots": True}, {"circuit": {"format": "qasm"}}, {"circuit": "x"}, {}, 7],
        "priority": 1000,
        "shot": 5,
    }
    assert errors(document) == [
        {"pointer": "/pubs/0/shots", "detail": "must be an integer"},
        {"pointer": "/pubs/1/circuit/format", "detail": "should be 'qpy', 'openqasm2' or 'openqasm3'"},
        {"pointer": "/pubs/1/circuit/content", "detail": "is required"},
        {
            "pointer": "/pubs/2/circuit",
            "detail": "must be a circuit {format, content} or the index of one in `circuits`",
        },
        {"pointer": "/pubs/3/circuit", "detail": "is required"},
        {"pointer": "/pubs/4", "detail": "must be a JSON object"},
        {"pointer": "/priority", "detail": "should be less than or equal to 100"},
        {"pointer": "/shot", "detail": 'is not a field here; is "shots" meant?'},
    ]


def test_the_detail_tells_the_first_fault_and_how_many_more() -> None:
    refusal = check(JobRequest, {"primitive": "sampler", "pubs": 7, "name": 3, "tags": "a"}, "/jobs/4")
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "/jobs/4/pubs must be an array (and 2 more)."


@pytest.mark.parametrize("document", [None, 1, "x", [], True])
def test_a_body_that_is_no_object_has_the_empty_pointer(document: Any) -> None:
    assert errors(document) == [{"pointer": "", "detail": "must be a JSON object"}]


def test_a_thousand_faults_are_told_in_part() -> None:
    document = {"primitive": "sampler", "pubs": [{"circuit": None}] * 1_000}
    assert len(errors(document)) == ERRORS_TOLD


def test_a_field_name_of_a_megabyte_is_not_repeated() -> None:
    (error,) = errors({"primitive": "sampler", "pubs": [], "x" * 1_000_000: 1})
    assert len(error["pointer"]) < 80


def test_pointers_escape_their_separator() -> None:
    assert pointer({"a/b": {"~": 1}}, ("a/b", "~")) == "/a~1b/~0"


def test_branches_of_a_union_are_no_part_of_a_pointer() -> None:
    assert pointer({"circuit": {"format": 1}}, ("circuit", "circuit", "format")) == "/circuit/format"
    assert pointer({}, ("pubs",), missing=True) == "/pubs"
    assert pointer([1], (0,)) == "/0"


def test_one_spelling_whatever_the_order_and_the_white_space() -> None:
    assert canonical(parse(b'{"b": 1, "a": {"d": [], "c": 2}}')) == b'{"a":{"c":2,"d":[]},"b":1}'
    assert canonical(parse(b'{"a":{"c":2,"d":[]},"b":1}')) == b'{"a":{"c":2,"d":[]},"b":1}'


def test_what_is_nested_too_deep_to_be_spelled_is_refused() -> None:
    refusal = canonical(parse(b"[" * 1_000 + b"]" * 1_000), "/jobs/2")
    assert refusal == invalid("is nested too deep", "/jobs/2")
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "/jobs/2 is nested too deep"


def test_parameters_of_the_address_are_named_by_name() -> None:
    refusal = refusal_of_query([{"loc": ("query", "limit"), "type": "less_than_equal", "msg": "Input should be less"}])
    assert refusal.detail == "The parameter limit should be less."
    assert refusal.fields["errors"] == [{"parameter": "limit", "detail": "should be less"}]


@pytest.mark.parametrize("number", [b"18446744073709551616", b"-18446744073709551616", b"1" + b"0" * 40])
def test_an_integer_without_a_place_in_64_bits_is_told_the_bound(number: bytes) -> None:
    body = parse(
        b'{"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": "x"}}], "priority": %s}'
        % number
    )
    (told,) = errors(body)
    assert told["pointer"] == "/priority"
    assert "at most 9223372036854775807 in size" in told["detail"]
