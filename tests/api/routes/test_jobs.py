"""Jobs over HTTP: created once, listed, read, cancelled, priced; and refused without a trace in the books."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest

from api.schemas.answers import History, JobMade, JobPage
from api.schemas.routes import RouteAnswer


def create(client: httpx.Client, body: Any, key: str | None = None, **headers: str) -> httpx.Response:
    if key is not None:
        headers["idempotency-key"] = key
    return client.post("/v1/jobs", json=body, headers=headers)


def test_a_job_is_created(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    answer = create(client, {**sampler, "name": "贝尔", "tags": ["x"], "metadata": {"a": 1}, "priority": 3})
    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/jobs/{told['id']}" == told["links"]["self"]
    assert (told["state"], told["version"], told["project_id"]) == ("queued", 1, house.projects["moz"])
    assert (told["name"], told["tags"], told["metadata"], told["priority"]) == ("贝尔", ["x"], {"a": 1}, 3)
    assert told["quote"]["ceiling"]["asset"] == "CNY"
    assert (told["category"], told["warnings"]) == ("general", [])
    assert "qubator-quota-warning" not in answer.headers
    JobMade.model_validate(told)


def test_the_work_document_reaches_the_inspector_and_the_store(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    create(client, sampler)
    (work,) = house.inspector.seen
    assert orjson.loads(work)["pubs"] == [{"circuit": 0, "parameter_values": None, "shots": 100}]
    job = house.room.job(house.caller("operator"), client.get("/v1/jobs").json()["jobs"][0]["id"])
    with house.database.read() as conn:
        assert house.ground.blobs.get(conn, job.work_hash) == work


def test_the_same_key_and_body_is_the_same_job(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    first = create(client, sampler, "K")
    again = client.post(
        "/v1/jobs",
        content=orjson.dumps(dict(reversed(sampler.items())), option=orjson.OPT_INDENT_2),
        headers={"idempotency-key": "K"},
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert house.books()[1] == 1


def test_the_same_key_and_another_body_is_a_conflict(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    first = create(client, sampler, "K").json()
    books = house.books()
    answer = create(client, {**sampler, "priority": 1}, "K")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert answer.json()["job_id"] == first["id"]
    assert house.books() == books


def test_a_key_belongs_to_its_project(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    mine = create(client, sampler, "K")
    theirs = create(client, sampler, "K", **house.headers("member of lao"))
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


def test_retries_during_the_first_try_make_one_job(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    """Twenty retries overtake a first try that hangs in the inspector; all get the one job."""
    house.inspector.may_go_on.clear()
    with ThreadPoolExecutor(20) as clients:
        tries = [clients.submit(create, client, sampler, "K") for _ in range(20)]
        assert house.inspector.entered.wait(10)
        house.inspector.may_go_on.set()
        answers = [each.result() for each in tries]
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert house.books()[1] == 1


@pytest.mark.parametrize("key", ["", "a b", "K#0", "x" * 201, b"\xc3\xa9"])
def test_an_odd_key_is_refused(client: httpx.Client, house: Any, sampler: dict[str, Any], key: Any) -> None:
    books = house.books()
    answer = client.post("/v1/jobs", json=sampler, headers={"idempotency-key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert house.books() == books


@pytest.mark.parametrize(
    "code",
    [
        "circuit_invalid",
        "circuit_too_large",
        "payload_unsupported",
        "no_measurement",
        "shots_out_of_range",
        "precision_out_of_range",
        "parameters_unbound",
        "parameters_shape",
        "parameters_not_finite",
        "observable_invalid",
        "observable_width",
        "option_invalid",
        "control_flow_too_deep",
        "result_too_large",
        "decoder_crashed",
        "decoder_timeout",
        "decoder_memory",
    ],
)
def test_what_the_inspector_refuses_is_told_and_leaves_no_trace(client: httpx.Client, house: Any, code: str) -> None:
    books = house.books()
    body = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": f"refuse: {code}"}}]}
    assert client.post("/v1/route", json=body).json()["code"] == code
    answer = create(client, body, "K")
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (422, code, 7)
    assert answer.json()["detail"] == f"refused as {code}"
    assert house.books() == books


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"backend": "nowhere"}, 422, "unknown_backend"),
        ({"max_cost": 1}, 422, "cost_limit"),
        ({"time_limit_s": 86_400}, 422, "invalid_request"),
        ({"project_id": "prj_none"}, 404, "not_found"),
        ({"pubs": "x"}, 422, "invalid_request"),
        ({"metadata": {"a": "\x00"}}, 422, "invalid_request"),
        ({"name": "a\x00b"}, 422, "invalid_request"),
        ({"tags": ["\u202e"]}, 422, "invalid_request"),
    ],
)
def test_what_is_refused_leaves_no_trace(
    client: httpx.Client, house: Any, sampler: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    books = house.books()
    answer = create(client, {**sampler, **change}, "K")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert house.books() == books


@pytest.mark.parametrize(
    "body",
    [b"", b"[" * 100_000, b'{"primitive": NaN}', b"\xff", b"null", b'"x"', b'{"a":' * 90_000, b"[" * 500 + b"]" * 500],
)
def test_what_is_no_request_at_all_is_refused(client: httpx.Client, house: Any, body: bytes) -> None:
    for path in ("/v1/jobs", "/v1/quotes", "/v1/route", "/v1/jobs/batch"):
        answer = client.post(path, content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert house.books()[1] == 0


def test_values_too_deep_are_refused(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    deep = b"[" * 400 + b"]" * 400
    body = orjson.dumps(sampler).replace(b'"shots":100', b'"parameter_values":' + deep)
    for path in ("/v1/jobs", "/v1/quotes"):
        answer = client.post(path, content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert "nested too deep" in answer.json()["detail"]


def test_a_route_says_where_a_job_would_run_and_writes_nothing(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    books = house.books()
    answer = client.post("/v1/route", json=sampler)
    assert answer.status_code == 200
    RouteAnswer.model_validate(answer.json())
    told = answer.json()
    assert (told["asked"], told["backend"], told["refusal"]) == ("auto", "ideal", None)
    assert create(client, sampler).json()["backend"] == told["backend"]
    assert house.books() != books, "this one was kept"
    books = house.books()
    refused = client.post("/v1/route", json={**sampler, "backend": "nowhere"})
    assert (refused.status_code, refused.json()["backend"]) == (200, None)
    assert refused.json()["refusal"]["code"] == "unknown_backend"
    assert refused.json()["refusal"]["status"] == 422
    assert house.books() == books


def test_operators_submit_for_a_project_and_auditors_for_none(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    operator, auditor = house.headers("operator"), house.headers("auditor")
    assert create(client, sampler, **operator).json()["errors"][0]["pointer"] == "/project_id"
    named = {**sampler, "project_id": house.projects["lao"]}
    assert create(client, named, **operator).json()["project_id"] == house.projects["lao"]
    assert create(client, named, **auditor).json()["code"] == "forbidden"


def test_another_project_s_job_does_not_exist(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    theirs = create(client, sampler, **house.headers("member of lao")).json()["id"]
    for method, path in (
        ("GET", f"/v1/jobs/{theirs}"),
        ("GET", f"/v1/jobs/{theirs}?wait=30"),
        ("GET", f"/v1/jobs/{theirs}/history"),
        ("GET", f"/v1/jobs/{theirs}/result"),
        ("GET", f"/v1/jobs/{theirs}/receipt"),
        ("GET", f"/v1/jobs/{theirs}/events"),
        ("POST", f"/v1/jobs/{theirs}/cancel"),
    ):
        answer = client.request(method, path)
        missing = client.request(method, path.replace(theirs, "job_none"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        hidden, absent = ({**one.json(), "request_id": ""} for one in (answer, missing))
        assert orjson.dumps(hidden).decode().replace(theirs, "job_none") == orjson.dumps(absent).decode()
    assert client.get("/v1/jobs").json()["jobs"] == []
    assert client.get(f"/v1/jobs?project={house.projects['lao']}").json()["code"] == "not_found"
    assert client.get(f"/v1/jobs/{theirs}", headers=house.headers("operator")).json()["id"] == theirs
    assert client.get(f"/v1/jobs/{theirs}", headers=house.headers("auditor")).json()["id"] == theirs


def test_a_list_goes_page_by_page_newest_first(client: httpx.Client, sampler: dict[str, Any]) -> None:
    made = [create(client, sampler).json()["id"] for _ in range(7)]
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = client.get("/v1/jobs", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        JobPage.model_validate(page)
        seen += [job["id"] for job in page["jobs"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (seen, pages) == (made[::-1], 3)


def test_a_list_shows_what_is_asked_for(
    client: httpx.Client, house: Any, sampler: dict[str, Any], estimator: dict[str, Any]
) -> None:
    first = create(client, {**sampler, "tags": ["a", "b"]}).json()
    second = create(client, {**estimator, "tags": ["b"]}).json()
    third = create(client, {**sampler, "backend": "aer-statevector"}).json()
    house.move(first["id"], "running")
    names = {first["id"]: "first", second["id"]: "second", third["id"]: "third"}

    def shown(**wanted: Any) -> list[str]:
        return [names[job["id"]] for job in client.get("/v1/jobs", params=wanted).json()["jobs"]]

    assert shown(state="running") == ["first"]
    assert shown(state=["running", "queued"]) == ["third", "second", "first"]
    assert shown(tag="b") == ["second", "first"]
    assert shown(primitive="estimator") == ["second"]
    assert shown(backend="aer-statevector") == ["third"]
    assert shown(since_us=second["created_us"]) == ["third", "second"]
    assert shown(until_us=second["created_us"]) == ["first"]
    assert shown(member=first["member_id"]) == ["third", "second", "first"]
    assert shown(member="mem_none") == []
    assert shown(project=house.projects["moz"]) == ["third", "second", "first"]


def test_a_queued_job_says_why_it_waits(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    job = create(client, sampler).json()
    house.why[job["id"]] = "position 4 of 10; 2 slots, all busy"
    assert client.get(f"/v1/jobs/{job['id']}").json()["wait_reason"] == "position 4 of 10; 2 slots, all busy"
    house.move(job["id"], "running")
    assert client.get(f"/v1/jobs/{job['id']}").json()["wait_reason"] is None


def test_a_history_has_every_step(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    job = create(client, sampler).json()["id"]
    house.move(job, "running", "started")
    house.finish(job)
    told = client.get(f"/v1/jobs/{job}/history").json()
    History.model_validate(told)
    assert [(step["state"], step["version"]) for step in told["history"]] == [
        ("queued", 1),
        ("running", 2),
        ("succeeded", 3),
    ]
    assert told["attempts"] == []


def test_cancelling_is_asked_for_and_may_be_repeated(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    job = create(client, sampler).json()["id"]
    house.move(job, "running")
    first, again = (client.post(f"/v1/jobs/{job}/cancel") for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (200, "cancelling")
    assert again.json()["version"] == first.json()["version"]
    assert client.post(f"/v1/jobs/{job}/cancel", headers=house.headers("auditor")).json()["code"] == "forbidden"


def test_an_ended_job_cannot_be_cancelled(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    job = create(client, sampler).json()["id"]
    house.finish(job)
    answer = client.post(f"/v1/jobs/{job}/cancel")
    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "job_ended", "succeeded")


def test_a_full_queue_says_when_to_come_again(
    client: httpx.Client, house: Any, sampler: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatcher.admission import Admission
    from dispatcher.model import Refusal

    full = Refusal("queue_full", "Full.", {"limit": 1, "value": 1, "retry_after_s": 10})
    monkeypatch.setattr(Admission, "_queue_full", lambda *_: full)
    answer = create(client, sampler)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "queue_full", "10")
