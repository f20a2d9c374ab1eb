"""From a shadow run's finding to the next order: who is wrong by all that is known is not asked again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backends.trust.finding import Finding
from dispatcher.oversight import ACTOR, Overseer
from store import audit_log, engines
from store.errors import StoreUnavailable
from workers.port import Started, Watched

AGREED = Finding(
    part=0, kind="sample", engine="prismq.clifford", version="0.35", other="stim", other_version="1.16", repeat=False,
    agreed=True, alarm=0.4, guilty=(), qubits=5, shots=100, program="ab",
)  # fmt: skip
SUSPECTED = replace(AGREED, agreed=False, alarm=1e-7)
CONDEMNED = replace(SUSPECTED, repeat=True, alarm=1e-12, guilty=("prismq.clifford",))


@pytest.fixture
def ran(led: Any) -> Any:
    """A zone in which one job runs."""
    led.submit(led.startup())
    led.turn()
    return led


def watched(zone: Any, *findings: Finding) -> list[Watched]:
    order = zone.executor.orders[0]
    return [Watched(order.attempt_id, order.token, zone.clock.now_us(), one) for one in findings]


def known(zone: Any) -> dict[str, tuple[str, int, int]]:
    with zone.ground.database.read() as conn:
        return {row.name: (row.state, row.compared, row.disagreed) for row in engines.list_engines(conn)}


def test_agreement_is_counted_and_nothing_follows(ran: Any) -> None:
    overseer = Overseer(ran.ground)
    started = Started(ran.executor.orders[0].attempt_id, ran.executor.orders[0].token, ran.clock.now_us())
    (report,) = overseer.reports([started, *watched(ran, AGREED, AGREED)])
    assert report.kind == "started"
    assert known(ran) == {"prismq.clifford": ("trusted", 2, 0), "stim": ("trusted", 2, 0)}
    assert overseer.quarantined() == ()


def test_who_is_contradicted_twice_is_put_out_and_the_next_order_says_so(ran: Any) -> None:
    ran.succeeded(ran.executor.orders[0])
    ran.executor.say(*watched(ran, SUSPECTED, CONDEMNED))
    ran.turn()
    assert known(ran) == {"prismq.clifford": ("quarantined", 1, 1), "stim": ("trusted", 1, 1)}
    with ran.ground.database.read() as conn:
        (row,) = engines.list_disagreements(conn, 9)
        (audited,) = audit_log.list_audit(conn, 1)
    assert (row.job_id, row.finding["guilty"]) == (ran.executor.orders[0].job_id, ["prismq.clifford"])
    assert (audited.actor, audited.subject) == (ACTOR, "prismq.clifford")
    assert "contradicted by stim" in audited.detail["reason"]
    ran.submit(ran.startup("other"))
    (order,) = ran.turn()
    assert order.quarantined == ("prismq.clifford",)


def test_an_operator_ends_it_within_a_second(ran: Any) -> None:
    overseer = Overseer(ran.ground)
    overseer.reports(watched(ran, CONDEMNED))
    assert overseer.quarantined() == ("prismq.clifford",)
    ran.ground.database.writer.run(lambda c: engines.set_state(c, "prismq.clifford", "trusted", "mended", 1))
    ran.clock.pass_(1)
    assert overseer.quarantined() == ()


def test_references_and_strangers_are_not_put_out_by_a_machine(ran: Any) -> None:
    """Dense states of long standing are what the others are measured by; and a worker may name anything."""
    overseer = Overseer(ran.ground)
    dense = replace(CONDEMNED, other="aer.statevector", guilty=("aer.statevector",))
    stranger = replace(CONDEMNED, engine="nobody", guilty=("nobody",))
    overseer.reports(watched(ran, dense, stranger))
    assert overseer.quarantined() == ()
    assert "nobody" not in known(ran)


def test_a_finding_about_no_attempt_is_nothing(ran: Any) -> None:
    overseer = Overseer(ran.ground)
    overseer.reports([Watched("att_none", 1, 1, CONDEMNED)])
    assert overseer.quarantined() == ()


def test_where_the_store_takes_nothing_reports_still_pass(ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Any) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(ran.ground.database.writer, "run", full)
    started = Started(ran.executor.orders[0].attempt_id, ran.executor.orders[0].token, 5)
    assert len(Overseer(ran.ground).reports([*watched(ran, CONDEMNED), started])) == 1
