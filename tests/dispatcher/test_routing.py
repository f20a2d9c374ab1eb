"""Where a job would run: asked of the inspector, decided as at admission, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from dispatcher.model import Refusal, Submission
from workers.inspector import InspectorUnavailable


def asked(backend: str = "auto", time_limit_us: int | None = None, **work: Any) -> Submission:
    return Submission("sampler", orjson.dumps({"shots": 100, **work}), backend, "hash", time_limit_us=time_limit_us)


def test_the_choice_is_that_of_admission_and_every_backend_has_a_verdict(zone: Any) -> None:
    found = zone.room.route(zone.operator, asked(qubits=5))
    assert (found["asked"], found["backend"], found["refusal"]) == ("auto", "ideal", None)
    assert zone.submit(zone.startup(), work={"qubits": 5}).backend == found["backend"]
    verdicts = {one["backend"]: one for one in found["backends"]}
    assert verdicts["aer"]["takes_it"]
    assert verdicts["aer"]["estimate_us"] > 0
    assert found["findings"]["totals"]["shots"] == 100


def test_what_would_be_refused_is_told_with_the_reason(zone: Any) -> None:
    found = zone.room.route(zone.operator, asked("aer-statevector", qubits=31))
    assert (found["backend"], found["refusal"].code) == (None, "backend_infeasible")
    verdicts = {one["backend"]: one for one in found["backends"]}
    assert not verdicts["aer-statevector"]["takes_it"]
    assert "31 qubits" in verdicts["aer-statevector"]["why"]
    assert verdicts["aer-mps"]["takes_it"]
    assert zone.room.route(zone.operator, asked("nowhere"))["refusal"].code == "unknown_backend"
    assert zone.room.route(zone.operator, asked(time_limit_us=5))["refusal"].code == "job_too_long"


def test_another_projects_name_tells_nothing(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    refusal = zone.room.route(ann, replace(asked(), project_id=bob.project_id))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_found"
    assert zone.room.route(ann, replace(asked(), project_id=ann.project_id))["backend"] == "ideal"


def test_it_leaves_no_trace(zone: Any) -> None:
    zone.room.route(zone.operator, asked())
    with zone.database.read() as conn:
        counts = [conn.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in ("jobs", "inspections")]
    assert counts == [0, 0]


@pytest.mark.parametrize("code", ["circuit_invalid", "decoder_timeout"])
def test_what_cannot_be_read_is_refused(zone: Any, code: str) -> None:
    refusal = zone.room.route(zone.operator, asked(reject=[code, "no"]))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_without_an_inspector_it_says_when_to_come_again(zone: Any) -> None:
    def unavailable() -> None:
        raise InspectorUnavailable("the inspector is closed")

    zone.inspector.before = unavailable
    refusal = zone.room.route(zone.operator, asked())
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields) == ("unavailable", {"retry_after_s": 5})
