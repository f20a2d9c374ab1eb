"""The one face to the HTTP side: backends, readiness, versions, and that it is all the face asks for."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from api.port import RoomPort
from backends.devices.reading import fleet
from dispatcher.model import Refusal
from dispatcher.room import Room
from store import audit_log, inbox, workers
from store.errors import StoreUnavailable
from store.rows import WorkerRow


def test_it_has_every_function_the_http_face_asks_for() -> None:
    asked = {name for part in RoomPort.__mro__ for name in vars(part) if not name.startswith("_")}
    assert {name for name in asked if not hasattr(Room, name)} == set()
    for name in asked:
        wanted, there = getattr(RoomPort, name), getattr(Room, name)
        if inspect.isfunction(wanted):
            count = len(inspect.signature(wanted).parameters)
            assert len(inspect.signature(there).parameters) >= count, name


def test_backends_with_their_states_queues_slots_and_rates(zone: Any) -> None:
    ann = zone.startup()
    zone.submit(ann, backend="aer")
    zone.submit(ann, backend="aer")
    zone.submit(ann, backend="aer-mps")
    now = zone.clock.now_us()
    for number, state in ((1, "up"), (2, "up"), (3, "lost")):
        row = WorkerRow(f"agent-{number}", "", 1, 2, 0, ("aer",), state, now, now)
        zone.write(lambda conn, row=row: workers.upsert_worker(conn, row))
    zone.room.set_backend_state(zone.operator, "aer-mps", "draining", "maintenance")
    shown = {row["name"]: row for row in zone.room.backends()}
    assert list(shown) == ["ideal", "aer", "aer-statevector", "aer-stabilizer", "aer-mps", *fleet()]
    assert [shown["aer"][name] for name in ("state", "state_reason", "queued", "slots")] == ["online", "", 2, 4]
    mps = shown["aer-mps"]
    assert [mps[name] for name in ("state", "state_reason", "queued", "slots")] == ["draining", "maintenance", 1, 0]
    assert [(rate["id"], rate["unit_price"], rate["quantum"]) for rate in shown["aer"]["rates"]] == [
        ("built-in/job", 1_000, 1),
        ("built-in/qpu_ms", 500, 1),
        ("built-in/shots", 1, 10),
    ]
    assert shown["aer"]["asset"] == "CNY"
    assert isinstance(shown["aer"]["basis_gates"], list)
    assert zone.room.backend("aer-mps") == mps
    assert zone.room.backend("ibm_torino") is None


def test_a_backend_shows_the_rates_that_are_in_force_now(zone: Any) -> None:
    def prices(name: str) -> dict[str, int]:
        return {rate["resource"]: rate["unit_price"] for rate in zone.room.backend(name)["rates"]}

    zone.rate("qpu_ms", 900, backend="aer-mps", valid_from_us=zone.clock.now_us() + 5_000_000)
    zone.rate("gpu_ms", 3, backend="simulator")
    assert prices("aer-mps") == {"job": 1_000, "qpu_ms": 500, "gpu_ms": 3, "shots": 1}
    zone.clock.pass_(5)
    assert prices("aer-mps")["qpu_ms"] == 900
    assert prices("aer")["qpu_ms"] == 500


def test_a_device_is_shown_as_it_is_on_a_day(zone: Any) -> None:
    brief = next(row for row in zone.room.backends() if row["name"] == "nairobi-snapshot")
    assert (brief["device"]["kind"], brief["device"]["dynamic"]) == ("superconducting", True)
    assert "qubits" not in brief
    today = zone.room.backend("nairobi-snapshot")
    day = datetime.fromtimestamp(zone.clock.now_us() / 1e6, UTC).date()
    assert today["device"]["calibrated"] == day.isoformat()
    assert zone.room.backend("nairobi-snapshot", day)["qubits"] == today["qubits"]
    stated = zone.room.backend("nairobi-snapshot", "stated")
    assert stated["device"]["calibrated"] == "2024-05-27"
    assert stated["qubits"] != today["qubits"]


def test_who_may_open_and_close_a_backend(zone: Any) -> None:
    ann = zone.startup()
    rows = zone.rows()
    for caller in (ann, zone.member(ann.project_id, "member"), zone.auditor):
        answer = zone.room.set_backend_state(caller, "aer", "offline", "")
        assert isinstance(answer, Refusal)
        assert answer.code == "forbidden"
    assert zone.room.set_backend_state(zone.operator, "ibm_torino", "offline", "") is None
    assert zone.room.set_backend_state(zone.operator, "aer", "closed", "").code == "invalid_request"
    assert zone.rows() == rows | {"members": rows["members"] + 1, "audit": rows["audit"] + 1}
    assert zone.room.set_backend_state(zone.operator, "aer", "offline", "a fire")["state"] == "offline"
    with zone.database.read() as conn:
        entry = audit_log.list_audit(conn, 1)[0]
        letter = inbox.read(conn, 100)[-1]
    assert (entry.act, entry.subject) == ("backend.state", "aer")
    assert entry.detail == {"state": "offline", "reason": "a fire"}
    assert (letter.kind, letter.body) == ("backend_changed", {"backend": "aer", "state": "offline"})


def test_ready_says_what_is_missing(zone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert zone.room.ready() == {"database": True, "writable": True, "inspector": True}
    monkeypatch.setattr(zone.inspector, "ready", lambda: False)
    assert zone.room.ready() == {"database": True, "writable": True, "inspector": False}
    monkeypatch.setattr(type(zone.database), "revision", lambda self: "0000")
    assert zone.room.ready()["database"] is False

    def gone(self: Any) -> str:
        raise StoreUnavailable("the database can't be reached")

    monkeypatch.setattr(type(zone.database), "revision", gone)
    assert zone.room.ready()["database"] is False


def test_a_full_disk_is_not_ready(zone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def full(unit: Any) -> None:
        tried.append(unit)
        raise StoreUnavailable("database or disk is full")

    assert zone.room.ready()["writable"] is True
    monkeypatch.setattr(zone.database.writer, "run", full)
    assert zone.room.ready()["writable"] is True, "asked a moment ago"
    assert tried == []
    zone.clock.pass_(5)
    assert zone.room.ready() == {"database": True, "writable": False, "inspector": True}
    monkeypatch.undo()
    zone.clock.pass_(5)
    assert zone.room.ready()["writable"] is True


def test_why_a_job_waits_is_known_where_a_dispatcher_is(zone: Any) -> None:
    assert zone.room.why_waiting("job-1") is None
    asked = Room(zone.ground, lambda job_id: f"{job_id} is next")
    assert asked.why_waiting("job-1") == "job-1 is next"


def test_versions_and_settings(zone: Any) -> None:
    version = zone.room.version()
    assert set(version) == {"service", "api", "qiskit", "qiskit_aer"}
    assert version["api"] == "v1"
    public = zone.room.settings_public()
    assert (public["asset"], public["time_limit_max_us"]) == ("CNY", 3_600_000_000)
    assert public["limits"] == zone.rules.limits.to_json()


def test_the_clock_is_the_grounds(zone: Any) -> None:
    assert zone.room.now_us() == zone.clock.now_us()
    assert zone.room.changes is zone.ground.changes


def test_an_empty_store_ends_its_history_at_nothing(zone: Any) -> None:
    assert zone.room.history_end() == 0
