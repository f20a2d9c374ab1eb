"""The work document: hoisted circuits, resolved defaults, one canonical spelling, and what cannot become one."""

from __future__ import annotations

import base64
import gzip
import struct
import tracemalloc
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check
from api.schemas.jobs import JobRequest
from api.work_document import qpy_count, work_document
from dispatcher.model import Refusal

A = {"format": "openqasm2", "content": "a"}
B = {"format": "openqasm3", "content": "b"}


def qpy(count: int, version: int = 18, tail: bytes = b"") -> bytes:
    return struct.pack("!6sBBBBQ", b"QISKIT", version, 2, 6, 1, count) + b"\x00" * 64 + tail


def qpy_circuit(count: int, tail: bytes = b"") -> dict[str, str]:
    return {"format": "qpy", "content": base64.b64encode(qpy(count, tail=tail)).decode()}


def made(document: dict[str, Any], at: str = "") -> dict[str, Any] | Refusal:
    request = check(JobRequest, document)
    assert isinstance(request, JobRequest), request
    work = work_document(request, at)
    if isinstance(work, Refusal):
        return work
    assert work == orjson.dumps(orjson.loads(work), option=orjson.OPT_SORT_KEYS)
    return dict(orjson.loads(work))


def sampler(*pubs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"primitive": "sampler", "pubs": list(pubs), **more}


def test_a_circuit_inside_a_pub_moves_to_the_list() -> None:
    assert made(sampler({"circuit": A})) == {
        "v": 1,
        "primitive": "sampler",
        "circuits": [A],
        "pubs": [{"circuit": 0, "parameter_values": None, "shots": 1024}],
        "seed": None,
    }


def test_the_same_circuit_twice_is_listed_once() -> None:
    work = made(sampler({"circuit": A}, {"circuit": B}, {"circuit": A}, {"circuit": 0}, circuits=[B]))
    assert isinstance(work, dict)
    assert work["circuits"] == [B, A]
    assert [pub["circuit"] for pub in work["pubs"]] == [1, 0, 1, 0]


def test_a_qpy_file_of_three_counts_as_three() -> None:
    three, single = qpy_circuit(3), qpy_circuit(1)
    work = made(sampler({"circuit": A}, {"circuit": 2}, {"circuit": 3}, {"circuit": single}, circuits=[three, B]))
    assert isinstance(work, dict)
    assert work["circuits"] == [three, B, A, single]
    assert [pub["circuit"] for pub in work["pubs"]] == [4, 2, 3, 5]


def test_a_file_of_several_cannot_stand_inside_a_pub() -> None:
    refusal = made(sampler({"circuit": qpy_circuit(2)}))
    assert isinstance(refusal, Refusal)
    assert refusal.detail == (
        "/pubs/0/circuit/content carries 2 circuits; list the file under circuits and give the index of one"
    )


def test_not_even_if_the_same_file_is_listed() -> None:
    three = qpy_circuit(3)
    assert isinstance(made(sampler({"circuit": three}, circuits=[three])), Refusal)
    single = qpy_circuit(1)
    work = made(sampler({"circuit": single}, circuits=[three, single]))
    assert isinstance(work, dict)
    assert (work["circuits"], work["pubs"][0]["circuit"]) == ([three, single], 3)


@pytest.mark.parametrize(
    ("index", "circuits", "there"),
    [
        (0, [], "the request lists none"),
        (1, [A], "there are 1, counted from 0"),
        (-1, [A], "there are 1, counted from 0"),
        (3, [qpy_circuit(3)], "there are 3, counted from 0"),
    ],
)
def test_an_index_without_a_circuit_is_refused(index: int, circuits: list[Any], there: str) -> None:
    refusal = made(sampler({"circuit": index}, circuits=circuits), "/jobs/9")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_request"
    assert refusal.detail == (
        f"/jobs/9/pubs/0/circuit is {index}, which is the index of no circuit under circuits: {there}"
    )


def test_a_hoisted_circuit_has_no_index_of_its_own() -> None:
    """Otherwise the meaning of an index would hang on the order of the PUBs."""
    assert isinstance(made(sampler({"circuit": A}, {"circuit": 0})), Refusal)


def test_shots_of_the_pub_before_those_of_the_options_before_1024() -> None:
    own = made(sampler({"circuit": A, "shots": 5}, {"circuit": A}, options={"shots": 7}))
    default = made(sampler({"circuit": A}, options={"shots": None}))
    assert isinstance(own, dict)
    assert isinstance(default, dict)
    assert [pub["shots"] for pub in own["pubs"]] == [5, 7]
    assert [pub["shots"] for pub in default["pubs"]] == [1024]


def test_shots_of_zero_are_kept_for_the_inspector_to_refuse() -> None:
    work = made(sampler({"circuit": A, "shots": 0}, options={"shots": 7}))
    assert isinstance(work, dict)
    assert work["pubs"][0]["shots"] == 0


def test_precision_is_resolved_and_always_a_double() -> None:
    document = {
        "primitive": "estimator",
        "pubs": [
            {"circuit": A, "observables": "ZZ", "precision": 1},
            {"circuit": A, "observables": [["ZZ"], [{"XX": [1, 0]}]]},
        ],
        "options": {"precision": 0.5, "shots": 10, "seed": 3},
    }
    work = made(document)
    assert isinstance(work, dict)
    assert work["seed"] == 3
    assert work["pubs"] == [
        {"circuit": 0, "parameter_values": None, "observables": "ZZ", "precision": 1.0},
        {"circuit": 0, "parameter_values": None, "observables": [["ZZ"], [{"XX": [1, 0]}]], "precision": 0.5},
    ]


@pytest.mark.parametrize(
    ("primitive", "pub", "said"),
    [
        ("sampler", {"observables": ["ZZ"]}, "/pubs/0/observables belongs to the estimator"),
        ("sampler", {"precision": 0.1}, "/pubs/0/precision belongs to the estimator"),
        ("estimator", {"observables": ["ZZ"], "shots": 10}, "/pubs/0/shots belongs to the sampler"),
        ("estimator", {}, "/pubs/0/observables is required"),
    ],
)
def test_a_field_of_the_other_primitive_is_a_mistake(primitive: str, pub: dict[str, Any], said: str) -> None:
    refusal = made({"primitive": primitive, "pubs": [{"circuit": A, **pub}]})
    assert isinstance(refusal, Refusal)
    assert refusal.detail.startswith(said)


@pytest.mark.parametrize("values", [[[1.5, 2]], {"theta": [0.5]}, {"npy": "k05VTVBZ"}, 0.5, 3, None, []])
def test_parameter_values_pass_as_they_are(values: Any) -> None:
    work = made(sampler({"circuit": A, "parameter_values": values}))
    assert isinstance(work, dict)
    assert work["pubs"][0]["parameter_values"] == values


def test_values_nested_too_deep_to_be_written_are_refused() -> None:
    deep: Any = 1.0
    for _ in range(300):
        deep = [deep]
    refusal = made(sampler({"circuit": A, "parameter_values": deep}))
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "The body is nested too deep"


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress, zlib.compress], ids=["plain", "gzip", "zlib"])
def test_the_head_of_a_qpy_file_is_read_through_its_compression(squeeze: Any) -> None:
    packed = squeeze(qpy(12, tail=b"\x07" * 100_000))
    assert qpy_count(base64.b64encode(packed).decode()) == 12


def test_a_bomb_is_not_inflated() -> None:
    bomb = zlib.compress(qpy(1) + b"\x00" * 50_000_000)
    content = base64.b64encode(bomb).decode()
    tracemalloc.start()
    assert qpy_count(content) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize("content", ["", "QISKIT", "!!!!", "AAAA", "x" * 9_000, "\N{SNOWMAN}", "eJw", "H4sIAAAAAAAC"])
def test_what_is_no_qpy_file_is_refused_before_it_can_shift_an_index(content: str) -> None:
    assert qpy_count(content) is None


def test_the_refusal_of_no_qpy_file_points_at_it() -> None:
    refusal = made(sampler({"circuit": {"format": "qpy", "content": "AAAA"}}))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields["pointer"]) == ("circuit_invalid", "/pubs/0/circuit/content")


def test_a_count_beyond_reason_is_refused() -> None:
    refusal = made(sampler({"circuit": 0}, circuits=[qpy_circuit(2**63)]))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields["limit"]) == ("circuit_too_large", 100_000)


texts = st.sampled_from(["a", "b", "c"])
circuits = st.one_of(
    st.builds(lambda text: {"format": "openqasm2", "content": text}, texts),
    st.integers(1, 3).map(qpy_circuit),
)


@given(listed=st.lists(circuits, max_size=4), inline=st.lists(texts, min_size=1, max_size=6))
def test_every_pub_finds_the_circuit_it_was_written_with(listed: list[Any], inline: list[str]) -> None:
    pubs = [{"circuit": {"format": "openqasm2", "content": text}} for text in inline]
    work = made(sampler(*pubs, circuits=listed))
    assert isinstance(work, dict)
    flat = []
    for circuit in work["circuits"]:
        count = qpy_count(circuit["content"]) if circuit["format"] == "qpy" else 1
        flat += [circuit["content"]] * (count or 0)
    assert [flat[pub["circuit"]] for pub in work["pubs"]] == inline
    assert work["circuits"][: len(listed)] == listed


def test_what_only_devices_read_is_left_out_where_it_says_nothing() -> None:
    plain = made(sampler({"circuit": A}, options={"noise": True, "calibration": None}))
    assert plain == made(sampler({"circuit": A}))
    asked = made(sampler({"circuit": A}, options={"noise": False, "calibration": "2026-11-20"}))
    assert asked == {**plain, "noise": False, "calibration": "2026-11-20"}
    assert made(sampler({"circuit": A}, options={"calibration": "stated"})) == {**plain, "calibration": "stated"}


def test_groups_for_compilers_and_mitigation_are_carried_without_what_is_null() -> None:
    groups = {
        "compilation": {"mode": "portfolio", "initial_layout": [2, 0], "budget_ms": 0},
        "dynamical_decoupling": {"enable": True, "sequence_type": "XY4"},
        "twirling": {"enable_gates": False, "num_randomizations": "auto"},
        "resilience": {"zne_mitigation": True, "zne": {"noise_factors": [1.0, 2.5]}},
    }
    plain = made(sampler({"circuit": A}))
    assert made(sampler({"circuit": A}, options=groups)) == {**plain, **groups}
    assert made(sampler({"circuit": A}, options=dict.fromkeys(groups))) == plain
    nulls = {"compilation": {"mode": None, "seed": 3}, "resilience": {"zne": {"extrapolator": None}}}
    found = made(sampler({"circuit": A}, options=nulls))
    assert found == {**plain, "compilation": {"seed": 3}, "resilience": {"zne": {}}}
