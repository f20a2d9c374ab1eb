"""Which parts a process has, by its roles, and that it leaves nothing behind."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from api.app import create_app
from backends.devices.reading import fleet
from service.settings import Settings
from service.wiring import Roles, Service
from store import inbox, workers
from store.errors import SchemaTooNew
from store.rows import Message
from workers.spool import SpoolInUse

NOTHING = Roles(serve=False, dispatch=False, work=False)


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings(data=tmp_path / "data", slots=1, pipeline=0, inspectors=1, **changes)


def test_a_bare_process_has_a_migrated_store_and_a_room(tmp_path: Path) -> None:
    service = Service(settings(tmp_path), NOTHING)
    try:
        assert service.database.revision() == service.database.head()
        assert (service.executor, service.dispatcher) == (None, None)
        assert service.room.why_waiting("job") is None
        assert service.room.ready() == {"database": True, "writable": True, "inspector": False}
    finally:
        service.stop()
        service.stop()


def test_nobody_else_may_look_into_the_data_folder(tmp_path: Path) -> None:
    Service(settings(tmp_path), NOTHING).stop()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("roles", "parts"),
    [
        (Roles(serve=True, dispatch=True, work=True), (True, True)),
        (Roles(serve=False, dispatch=True, work=False), (True, False)),
        (Roles(serve=False, dispatch=False, work=True), (False, True)),
        (Roles(serve=True, dispatch=False, work=False), (False, False)),
    ],
)
def test_roles_make_parts(tmp_path: Path, roles: Roles, parts: tuple[bool, bool]) -> None:
    service = Service(settings(tmp_path), roles)
    try:
        assert (service.dispatcher is not None, service.executor is not None) == parts
    finally:
        service.stop()


def test_settings_reach_the_rules(tmp_path: Path) -> None:
    service = Service(settings(tmp_path, queued_max=7, memory_mib=512, blob_max_bytes=1 << 21), NOTHING)
    service.stop()
    rules = service.ground.rules
    assert (rules.queued_max, rules.memory_mib, rules.result_max_bytes) == (7, 512, 1 << 21)


def test_the_clock_starts_no_earlier_than_what_was_written(tmp_path: Path) -> None:
    future_us = 4_000_000_000_000_000
    service = Service(settings(tmp_path), NOTHING)
    letter = Message(future_us, "worker_seen", {"worker_id": "x"})
    service.database.writer.run(lambda conn: inbox.append(conn, [letter]))
    service.stop()
    again = Service(settings(tmp_path), NOTHING)
    again.stop()
    assert again.room.now_us() >= future_us


def test_two_dispatchers_with_workers_do_not_share_a_folder_but_two_workers_do(tmp_path: Path) -> None:
    dispatch, work = Roles(serve=False, dispatch=True, work=True), Roles(serve=False, dispatch=False, work=True)
    first = Service(settings(tmp_path), dispatch)
    others = [Service(settings(tmp_path), work), Service(settings(tmp_path), work)]
    try:
        with pytest.raises(SpoolInUse):
            Service(settings(tmp_path), dispatch)
        assert sorted(path.name for path in (tmp_path / "data" / "spool").iterdir()) == ["dispatch", "work-0", "work-1"]
    finally:
        for service in (first, *others):
            service.stop()


def test_an_agent_joins_under_a_name_of_its_own(tmp_path: Path) -> None:
    service = Service(settings(tmp_path), Roles(serve=False, dispatch=False, work=True))
    agent = service.agent()
    agent.stop()
    agent._turn()
    with service.database.read() as conn:
        (row,) = workers.list_workers(conn)
    agent.run()
    service.stop()
    assert row.id.startswith("agent-")
    assert (row.slots, row.state) == (1, "up")
    assert row.backends == ("ideal", "aer", "aer-statevector", "aer-stabilizer", "aer-mps", *fleet())


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    service = Service(settings(tmp_path), NOTHING)
    service.database.writer.run(lambda conn: conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    service.stop()
    with pytest.raises(SchemaTooNew):
        Service(settings(tmp_path), NOTHING)


def test_the_face_knows_the_limit_of_a_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    monkeypatch.setattr("api.app.create_app", lambda room, limits: seen.update(limits=limits) or create_app(room))
    service = Service(settings(tmp_path, body_max_bytes=5_000), NOTHING)
    service.app()
    service.stop()
    assert seen["limits"].body_bytes == 5_000
