"""The whole service in this process: a job by HTTP from its submission to its receipt, and the same data again."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from dispatcher.model import GrantTerms
from service.embedded import CONSOLE, embedded

QASM = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
JOB: dict[str, Any] = {
    "primitive": "sampler",
    "pubs": [{"circuit": {"format": "openqasm2", "content": QASM}, "shots": 100}],
    "options": {"seed": 7},
}
DAY_US = 86_400_000_000


def signed_receipt(http: httpx.Client, job_id: str) -> dict[str, Any]:
    """The receipt once a checkpoint covers it: the service signs in the background, and a stop signs what is left."""
    deadline = time.monotonic() + 60
    while True:
        receipt: dict[str, Any] = http.get(f"/v1/jobs/{job_id}/receipt").raise_for_status().json()
        if receipt["proof"]["state"] == "signed":
            return receipt
        assert time.monotonic() < deadline, receipt["proof"]
        time.sleep(0.05)


def test_a_job_by_http_and_the_same_data_after_a_restart(tmp_path: Path) -> None:
    threads, children = set(threading.enumerate()), set(psutil.Process().children(recursive=True))
    with embedded(tmp_path, slots=1, inspectors=1) as service:
        room = service.room
        assert service.operator_token is not None
        project = room.create_project(CONSOLE, "acme")
        funder = room.create_funder(CONSOLE, "city")
        programme = room.create_programme(CONSOLE, "vouchers", [(funder.id, 1)], "CNY", 10**9)
        now = room.now_us()
        room.issue_grant(CONSOLE, GrantTerms(project.id, programme.id, "CNY", 10**7, now, now + DAY_US, 0))
        member = room.create_member(CONSOLE, project.id, "Ann", "admin")
        _, secret = room.create_token(CONSOLE, project.id, member.id, "admin", "t", None)
        http = httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
        job = http.post("/v1/jobs", params={"wait": 30}, json=JOB).raise_for_status().json()
        assert job["state"] == "succeeded", job
        counts = http.get(f"/v1/jobs/{job['id']}/result", params={"format": "counts"}).raise_for_status().json()
        assert sum(counts["pubs"][0]["registers"]["c"]["counts"].values()) == 100
        receipt = signed_receipt(http, job["id"])
        assert receipt["charged"] == job["cost"]["micro"] > 0
        assert http.get("/health/ready").status_code == 200
        bad = JOB | {"pubs": [{"circuit": {"format": "openqasm2", "content": "OPENQASM 2.0; nonsense"}}]}
        rows = room.statement(CONSOLE, project.id)["jobs"]
        assert http.post("/v1/jobs", json=bad).status_code == 422
        assert room.statement(CONSOLE, project.id)["jobs"] == rows
    with embedded(tmp_path, slots=1, inspectors=1) as again:
        assert again.operator_token is None, "shown once"
        http = httpx.Client(base_url=again.url, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
        assert http.get(f"/v1/jobs/{job['id']}").json()["cost"] == job["cost"]
        assert http.get(f"/v1/jobs/{job['id']}/receipt").json() == receipt
    left = {thread.name for thread in set(threading.enumerate()) - threads if not thread.daemon}
    assert left == set()
    gone, alive = psutil.wait_procs(set(psutil.Process().children(recursive=True)) - children, timeout=5)
    assert alive == [], gone


def test_an_error_in_the_block_stops_the_service_too(tmp_path: Path) -> None:
    try:
        with embedded(tmp_path, slots=1, inspectors=1) as service:
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    try:
        httpx.get(service.url, timeout=5)
    except httpx.ConnectError:
        return
    raise AssertionError("it still answers")
