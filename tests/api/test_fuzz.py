"""Whatever is sent, the answer is documented, never a 500, and the books hold only what was created."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app

CIRCUIT = {"format": "openqasm2", "content": "qreg q[1]; creg c[1]; measure q -> c;"}
VALID: dict[str, dict[str, Any]] = {
    "/v1/jobs": {
        "primitive": "estimator",
        "circuits": [CIRCUIT],
        "pubs": [
            {"circuit": 0, "parameter_values": [[0.5]], "observables": ["ZZ", {"XX": 1.0}], "precision": 0.1},
            {"circuit": CIRCUIT, "observables": "Z"},
        ],
        "options": {"shots": 10, "precision": 0.0, "seed": 1},
        "backend": "auto",
        "priority": 0,
        "name": "n",
        "tags": ["t"],
        "metadata": {"k": [1, None]},
        "time_limit_s": 1.5,
        "max_cost": 10**9,
    },
    "/v1/projects": {"name": "n", "weight": 1},
    "/v1/projects/me/members": {"name": "n", "role": "member"},
    "/v1/projects/me/tokens": {"label": "l", "expires_us": 5},
    "/v1/funders": {"name": "f"},
    "/v1/programmes": {"name": "p", "funder_id": "fun_1", "budget": {"micro": 1, "asset": "CNY"}},
    "/v1/grants": {
        "project_id": "p",
        "programme_id": "g",
        "amount": {"micro": 1},
        "valid_from_us": 1,
        "valid_until_us": 2**62,
        "priority": 1,
    },
    "/v1/backends/aer/state": {"state": "online", "reason": "r"},
}
VALID["/v1/quotes"] = VALID["/v1/jobs"]
VALID["/v1/jobs/batch"] = {"jobs": [VALID["/v1/jobs"], VALID["/v1/jobs"]]}
PUT = {"/v1/backends/aer/state"}

odd = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1.5,
        2**31,
        2**63 - 1,
        2**63,
        2**64 - 1,
        -(2**63),
        1e308,
        -0.0,
        5e-324,
        "",
        "x",
        "\x00",
        "\u202e",
        "é" * 300,
        "NaN",
        "0",
        [],
        {},
        [[]],
        [None],
        {"": ""},
        {"\x00": 1},
        {"npy": "AAAA"},
    ]
)
json_values = st.recursive(
    st.one_of(
        odd, st.text(max_size=20), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document."""
    yield path
    parts = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, inner in parts:
        yield from places(inner, (*path, name))


def mutated(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = orjson.loads(orjson.dumps(document))
    here = copied
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return copied


@st.composite
def bent_requests(draw: st.DrawFn) -> tuple[str, Any]:
    """A valid request in which one to three values have become something else."""
    address = draw(st.sampled_from(sorted(VALID)))
    document: Any = VALID[address]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(document))))
        document = mutated(document, path, draw(st.one_of(odd, json_values)))
    return address, document


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, template: Any, wire: Any) -> Iterator[Any]:
    """One house for all examples; what is asked of it is that it stands."""
    with template.copied(tmp_path_factory.mktemp("fuzz")) as house:
        app = create_app(house.room)
        with wire(app) as client:
            yield house, app, client


def documented_statuses(app: FastAPI, address: str, method: str) -> set[int]:
    path = {"/v1/projects/me/members": "/v1/projects/{project_id}/members"}.get(address, address)
    path = path.replace("/me/", "/{project_id}/").replace("/aer/", "/{name}/")
    return {int(status) for status in app.openapi()["paths"][path][method.lower()]["responses"]}


def sent(world: Any, address: str, body: bytes, who: str) -> httpx.Response:
    house, app, client = world
    method = "PUT" if address in PUT else "POST"
    before = house.books()[1] if "jobs" in address else 0
    answer = client.request(method, address, content=body, headers=house.headers(who))
    assert isinstance(answer, httpx.Response)
    assert answer.status_code < 500, answer.text
    assert answer.status_code in documented_statuses(app, address, method), answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        if "jobs" in address:
            assert house.books()[1] == before
    return answer


RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@RELAXED
@given(bent=bent_requests(), who=st.sampled_from(["admin of moz", "operator"]))
def test_a_bent_request_is_refused_or_done_and_never_a_fault(world: Any, bent: tuple[str, Any], who: str) -> None:
    address, document = bent
    sent(world, address, orjson.dumps(document), who)


@RELAXED
@given(address=st.sampled_from(sorted(VALID)), document=json_values)
def test_any_json_is_answered(world: Any, address: str, document: Any) -> None:
    sent(world, address, orjson.dumps(document), "operator")


@RELAXED
@given(address=st.sampled_from(sorted(VALID)), cut=st.integers(0, 400), junk=st.binary(max_size=30))
def test_any_bytes_are_answered(world: Any, address: str, cut: int, junk: bytes) -> None:
    whole = orjson.dumps(VALID[address])
    sent(world, address, whole[:cut] + junk + whole[cut + len(junk) :], "admin of moz")


@RELAXED
@given(
    query=st.dictionaries(
        st.sampled_from(["state", "tag", "cursor", "limit", "since_us", "project", "x"]),
        st.text(max_size=12),
        max_size=3,
    )
)
def test_any_query_is_answered(world: Any, query: dict[str, str]) -> None:
    house, _, client = world
    answer = client.get("/v1/jobs", params=query, headers=house.headers("admin of moz"))
    assert answer.status_code in (200, 404, 422), answer.text


@RELAXED
@given(seed=st.integers(0, 2**32))
def test_any_path_is_answered(world: Any, seed: int) -> None:
    house, app, client = world
    rng = random.Random(seed)
    template, methods = rng.choice(sorted(app.openapi()["paths"].items()))
    odd_part = "".join(rng.choice("ab/%.~ é\u2028\U0001f4a9'\"<0") for _ in range(rng.randrange(1, 9)))
    path = httpx.URL("http://house").copy_with(path="/" + template.strip("/").split("{")[0] + odd_part).raw_path
    answer = client.request(
        rng.choice(["GET", "POST", "PUT", "DELETE", "PATCH"]),
        path.decode(),
        content=b"{}",
        headers=house.headers("operator"),
    )
    assert answer.status_code < 500
    assert methods


def test_the_house_still_works_after_all_that(world: Any, tmp_path: Path) -> None:
    house, _, client = world
    body = {"primitive": "sampler", "pubs": [{"circuit": CIRCUIT}]}
    assert client.post("/v1/jobs", json=body, headers=house.headers("member of moz")).status_code == 201
