"""Tenancy and roles over HTTP, every address in one table: who gets in, who is refused, for whom it does not exist."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'
JOB = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": BELL}}]}
PROGRAMME = {"name": "of {who}", "funder_id": "{funder}", "budget": {"micro": 1}}
GRANT = {
    "project_id": "{project}",
    "programme_id": "{programme}",
    "amount": {"micro": 1},
    "valid_until_us": 2**62,
}
PLAN = {"name": "plan", "funders": [{"name": "new"}], "budget": "5", "rules": [{"share": "30 %"}]}
BUDGET = {"kind": "tag", "key": "nightly", "limit": 5}
REQUEST = {"kind": "claw_back", "subject": "grt_none", "body": {"amount": 1}, "reason": "a try"}
WHO = ("operator", "auditor", "admin", "member", "other")

# What each of WHO gets from an address: the project, job and token named are those of admin and member; `other` is an
# admin of another project. A 2 stands for any success.
TABLE: list[tuple[str, str, Any, tuple[int, int, int, int, int]]] = [
    ("GET", "/v1/me", None, (2, 2, 2, 2, 2)),
    ("GET", "/v1/jobs", None, (2, 2, 2, 2, 2)),
    ("GET", "/v1/jobs?project={project}", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/jobs/{job}", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/jobs/{job}?wait=20", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/jobs/{job}/history", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/jobs/{job}/result", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/jobs/{job}/receipt", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/jobs/{job}/events", None, (2, 2, 2, 2, 404)),
    ("POST", "/v1/jobs/{job}/cancel", None, (409, 403, 409, 409, 404)),
    ("POST", "/v1/jobs", {**JOB, "project_id": "{project}"}, (2, 403, 2, 2, 404)),
    ("POST", "/v1/quotes", {**JOB, "project_id": "{project}"}, (2, 403, 2, 2, 404)),
    ("POST", "/v1/route", {**JOB, "project_id": "{project}"}, (2, 403, 2, 2, 404)),
    ("POST", "/v1/jobs/batch", {"jobs": []}, (2, 403, 2, 2, 2)),
    ("GET", "/v1/backends", None, (2, 2, 2, 2, 2)),
    ("PUT", "/v1/backends/aer-mps/state", {"state": "online"}, (2, 403, 403, 403, 403)),
    ("GET", "/v1/engines", None, (2, 2, 2, 2, 2)),
    ("PUT", "/v1/engines/sweep/state", {"state": "trusted"}, (2, 403, 403, 403, 403)),
    ("GET", "/v1/engines/disagreements", None, (2, 2, 403, 403, 403)),
    ("GET", "/v1/projects", None, (2, 2, 2, 2, 2)),
    ("POST", "/v1/projects", {"name": "made by {who}"}, (2, 403, 403, 403, 403)),
    ("GET", "/v1/projects/{project}", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/projects/{project}/members", None, (2, 2, 2, 2, 404)),
    ("POST", "/v1/projects/{project}/members", {"name": "new"}, (2, 403, 2, 403, 404)),
    ("GET", "/v1/projects/{project}/tokens", None, (2, 2, 2, 2, 404)),
    ("POST", "/v1/projects/{project}/tokens", {"member_id": "{member}"}, (2, 403, 2, 2, 404)),
    ("DELETE", "/v1/tokens/{token}", None, (2, 403, 2, 2, 404)),
    ("GET", "/v1/projects/{project}/grants", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/projects/{project}/balance", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/projects/{project}/statement", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/funders", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/funders", {"name": "made by {who}"}, (2, 403, 403, 403, 403)),
    ("GET", "/v1/programmes", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/programmes", PROGRAMME, (2, 403, 403, 403, 403)),
    ("POST", "/v1/grants", GRANT, (2, 403, 403, 403, 403)),
    ("GET", "/v1/programmes/{programme}/terms", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/programmes/apply", {"programmes": [PLAN], "dry_run": True}, (2, 403, 403, 403, 403)),
    ("POST", "/v1/projects/{project}/wallet", {"amount": {"micro": 1}, "key": "of {who}"}, (2, 403, 403, 403, 403)),
    ("PUT", "/v1/projects/{project}/profile", {"stage": "seed"}, (2, 403, 403, 403, 403)),
    ("PUT", "/v1/projects/{project}/budgets", BUDGET, (2, 403, 2, 403, 404)),
    ("GET", "/v1/projects/{project}/budgets", None, (2, 2, 2, 2, 404)),
    ("DELETE", "/v1/projects/{project}/budgets?kind=tag&key=nightly", None, (2, 403, 404, 403, 404)),
    ("GET", "/v1/rates", None, (2, 2, 2, 2, 2)),
    ("POST", "/v1/rates", {"resource": "gpu_ms", "unit_price": 1}, (2, 403, 403, 403, 403)),
    ("GET", "/v1/requests", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/requests", REQUEST, (404, 403, 403, 403, 403)),
    ("POST", "/v1/requests/req_1/approve", None, (404, 403, 403, 403, 403)),
    ("GET", "/v1/projects/{project}/statements/2026-11", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/projects/{project}/focus/2026-11", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/projects/{project}/focus/2026-11/metadata", None, (2, 2, 2, 2, 404)),
    ("GET", "/v1/funders/{funder}/report?from=2026-11&to=2026-11", None, (2, 2, 403, 403, 403)),
    ("GET", "/v1/closes", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/closes", {"month": "2999-01"}, (409, 403, 403, 403, 403)),
    ("GET", "/v1/ledger/key", None, (2, 2, 2, 2, 2)),
    ("GET", "/v1/ledger/checkpoint", None, (2, 2, 2, 2, 2)),
    ("GET", "/v1/ledger/consistency?from=1&to=1", None, (2, 2, 2, 2, 2)),
    ("GET", "/v1/facility/members", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/facility/members", {"name": "new", "role": "auditor"}, (2, 403, 403, 403, 403)),
    ("GET", "/v1/facility/tokens", None, (2, 2, 403, 403, 403)),
    ("POST", "/v1/facility/tokens", {"member_id": "{auditor_id}", "role": "auditor"}, (2, 403, 403, 403, 403)),
]  # fmt: skip


class People:
    """One client for each of WHO, and the names that the table speaks of."""

    def __init__(self, zone: Any) -> None:
        self.operator = zone.http(zone.operator_token)
        startup, other = zone.startup(role="admin"), zone.startup(role="admin")
        auditor = self.made("/v1/facility/members", {"name": "auditor", "role": "auditor"})
        asked = {"member_id": auditor["id"], "role": "auditor"}
        auditor_secret = self.made("/v1/facility/tokens", asked)["secret"]
        home = f"/v1/projects/{startup.project_id}"
        member = self.made(f"{home}/members", {"name": "member"})
        self.member_asked = {"member_id": member["id"], "label": "to be revoked"}
        member_secret = self.made(f"{home}/tokens", {"member_id": member["id"]})["secret"]
        self.home = home
        job = startup.http.post("/v1/jobs?wait=60", json=JOB).json()
        assert job["state"] == "succeeded"
        assert zone.service.service.ground.notary.sign() is not None
        self.clients: dict[str, httpx.Client] = {
            "operator": self.operator,
            "auditor": zone.http(auditor_secret),
            "admin": startup.http,
            "member": zone.http(member_secret),
            "other": other.http,
        }
        self.names = {
            "project": startup.project_id,
            "job": job["id"],
            "member": member["id"],
            "auditor_id": auditor["id"],
            "programme": zone.programme_id,
            "funder": self.operator.get("/v1/funders").json()["funders"][0]["id"],
        }

    def made(self, path: str, body: Any) -> Any:
        answer = self.operator.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def filled(self, template: Any, who: str) -> Any:
        if isinstance(template, str):
            names = {**self.names, "who": who}
            if "{token}" in template:
                names["token"] = self.made(f"{self.home}/tokens", self.member_asked)["id"]
            for name, value in names.items():
                template = template.replace("{" + name + "}", value)
            return template
        if isinstance(template, dict):
            return {name: self.filled(value, who) for name, value in template.items()}
        return template


@pytest.fixture(scope="module")
def people(zone: Any) -> People:
    return People(zone)


@pytest.mark.parametrize(("method", "path", "body", "expected"), TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_the_table_of_roles(people: People, method: str, path: str, body: Any, expected: tuple[int, ...]) -> None:
    found = []
    for who in WHO:
        arguments = {} if body is None else {"json": people.filled(body, who)}
        answer = people.clients[who].request(method, people.filled(path, who), **arguments)
        found.append(2 if answer.status_code < 300 else answer.status_code)
        if answer.status_code >= 400:
            codes = {403: ["forbidden"], 404: ["not_found"], 409: ["job_ended", "month_not_over"]}
            assert answer.json()["code"] in codes[answer.status_code]
    assert dict(zip(WHO, found, strict=True)) == dict(zip(WHO, expected, strict=True))


def test_the_table_names_every_address(people: People) -> None:
    described = people.operator.get("/openapi.json").json()["paths"]
    names = {
        "project": "project_id",
        "job": "job_id",
        "token": "token_id",
        "member": "member_id",
        "programme": "programme_id",
        "funder": "funder_id",
    }
    asked = set()
    for method, path, _, _ in TABLE:
        plain = (
            path.partition("?")[0]
            .replace("/aer-mps/", "/{name}/")
            .replace("/sweep/", "/{name}/")
            .replace("2026-11", "{month}")
        )
        plain = plain.replace("/req_1/approve", "/{request_id}/{decision}")
        for short, long in names.items():
            plain = plain.replace("{" + short + "}", "{" + long + "}")
        asked.add((method.lower(), plain))
    there = {(method, path) for path, methods in described.items() for method in methods}
    open_to_all = {"/health/live", "/health/ready", "/v1/version", "/problems", "/problems/{code}"}
    left = {(method, path) for method, path in there - asked if path not in open_to_all}
    assert left == {("get", "/v1/backends/{name}"), ("get", "/v1/events")}


def test_nobody_sees_another_project_in_a_stream(people: People) -> None:
    headers = {"last-event-id": "0"}
    job = people.names["job"]
    for who, sees in (("admin", True), ("operator", True), ("auditor", True), ("other", False)):
        own = people.clients["other"].post("/v1/jobs?wait=60", json=JOB).json()["id"]
        wanted = own if who == "other" else job
        seen = set()
        with people.clients[who].stream("GET", "/v1/events", headers=headers) as response:
            for line in response.iter_lines():
                seen |= {one for one in (own, job) if one in line}
                if wanted in seen:
                    break
        assert (job in seen) is sees
        if who == "admin":
            assert own not in seen
