"""Who may judge engines; what is known of those that nobody has judged."""

from __future__ import annotations

from typing import Any

from backends.trust.names import ENGINES
from dispatcher.model import Caller, Refusal
from store import audit_log

STARTUP = Caller("mem_1", "prj_1", "admin", "tok_1")


def test_all_engines_are_shown(zone: Any) -> None:
    shown = {one["name"]: one for one in zone.room.engines()}
    assert shown.keys() == ENGINES.keys()
    assert {one["state"] for one in shown.values()} == {"trusted"}
    assert shown["mps"]["package"] is None
    assert shown["mps"]["version"] == zone.room.version()["service"]


def test_an_operators_verdict_is_audited(zone: Any) -> None:
    operator = Caller("mem-operator", None, "operator", "tok-operator")
    told = zone.room.set_engine_state(operator, "stim", "quarantined", "a try")
    assert (told["state"], told["reason"]) == ("quarantined", "a try")
    with zone.ground.database.read() as conn:
        (row,) = audit_log.list_audit(conn, 1)
    assert (row.actor, row.act, row.subject) == ("mem-operator", "engine.state", "stim")
    assert zone.room.set_engine_state(operator, "nobody", "trusted", "") is None
    refused = zone.room.set_engine_state(operator, "stim", "loved", "")
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_request"


def test_a_startup_may_not_judge_nor_read_of_others_jobs(zone: Any) -> None:
    for answer in (
        zone.room.set_engine_state(STARTUP, "stim", "quarantined", ""),
        zone.room.disagreements(STARTUP, 10, None),
    ):
        assert isinstance(answer, Refusal)
        assert answer.code == "forbidden"
