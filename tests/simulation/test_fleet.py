"""A simulated worker behaves as an executor does."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from scheduler.decisions import StartAttempt
from scheduler.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptStopped,
    AttemptSucceeded,
    Event,
    TaskSpec,
    WorkerJoined,
    WorkerSeen,
)
from simulation.agenda import START_US, Agenda
from simulation.fleet import Worker
from simulation.workload import Flaw, Storm, Submission
from simulation.world import SECOND_US

CALM = Storm(fault=0, late=0, twice=0, forged=0, deaf=0, worker_deaths=0, partitions=0, restarts=0)


class Stage:
    """One worker, and what it tells."""

    def __init__(self, storm: Storm = CALM, slots: int = 1) -> None:
        self.agenda = Agenda()
        self.told: list[Event] = []
        self.submissions: dict[str, Submission] = {}
        joined = WorkerJoined(START_US, "w", slots, 2, ("aer",))
        calm_us = START_US + 10**9
        self.worker = Worker(joined, self.agenda, Random(1), storm, self.submissions, self.told.append, calm_us)

    def order(self, job_id: str, token: int, flaw: Flaw = "none", slots: int = 1) -> StartAttempt:
        spec = TaskSpec(f"{job_id}/0", ("aer",), 100_000, SECOND_US, slots)
        quote: Any = None
        self.submissions[job_id] = Submission(START_US, None, job_id, "p", 0, spec, 1, quote, 100_000, flaw, ())
        lease_us = START_US + 6 * SECOND_US
        return StartAttempt(f"{job_id}/0.1", f"{job_id}/0", job_id, "p", "w", "aer", token, lease_us, SECOND_US)

    def play(self) -> list[str]:
        while self.agenda.step():
            pass
        return [f"{type(event).__name__} {getattr(event, 'attempt_id', '')}" for event in self.told]


def test_orders_beyond_the_slots_wait_their_turn() -> None:
    stage = Stage()
    stage.worker.start(stage.order("a", 1))
    stage.worker.start(stage.order("b", 2))
    assert [order.job_id for order in stage.worker.held()] == ["b", "a"]
    assert stage.play() == [
        "AttemptStarted a/0.1",
        "AttemptSucceeded a/0.1",
        "AttemptStarted b/0.1",
        "AttemptSucceeded b/0.1",
    ]
    success = stage.told[1]
    assert isinstance(success, AttemptSucceeded)
    assert 90_000 <= success.used_us <= 110_000


def test_a_wide_order_waits_for_all_its_slots() -> None:
    stage = Stage(slots=2)
    stage.worker.start(stage.order("a", 1))
    stage.worker.start(stage.order("wide", 2, slots=2))
    stage.worker.start(stage.order("b", 3))
    assert [order.job_id for order in stage.worker.waiting] == ["wide", "b"]
    assert len(stage.play()) == 6


def test_the_same_order_twice_is_carried_out_once() -> None:
    stage = Stage()
    order = stage.order("a", 1)
    stage.worker.start(order)
    stage.worker.start(order)
    assert len(stage.play()) == 2
    stage.worker.start(order)
    assert len(stage.play()) == 2


@pytest.mark.parametrize(("flaw", "kind"), [("user", "user"), ("memory", "memory"), ("endless", "timeout")])
def test_flaws_show(flaw: Flaw, kind: str) -> None:
    stage = Stage()
    stage.worker.start(stage.order("a", 1, flaw))
    stage.play()
    failed = stage.told[-1]
    assert isinstance(failed, AttemptFailed)
    assert failed.kind == kind


def test_a_stop_ends_what_runs_and_what_waits_and_nothing_else() -> None:
    stage = Stage()
    stage.worker.start(stage.order("a", 1, "endless"))
    stage.worker.start(stage.order("b", 2))
    stage.worker.stop("b/0.1", 2)
    stage.worker.stop("a/0.1", 1)
    stage.worker.stop("a/0.1", 99)
    stage.play()
    assert [type(event) for event in stage.told] == [AttemptStarted, AttemptStopped, AttemptStopped]


def test_a_deaf_execution_does_not_stop() -> None:
    stage = Stage(replace(CALM, deaf=1_000))
    stage.worker.start(stage.order("a", 1))
    stage.worker.stop("a/0.1", 1)
    assert stage.play()[-1] == "AttemptSucceeded a/0.1"


def test_a_dead_worker_says_nothing_more_than_it_had_sent() -> None:
    stage = Stage()
    stage.worker.start(stage.order("a", 1))
    stage.worker.die()
    stage.worker.start(stage.order("b", 2))
    stage.worker.stop("a/0.1", 1)
    assert stage.play() == ["AttemptStarted a/0.1"]


def test_a_worker_that_is_cut_off_reports_when_it_is_back() -> None:
    stage = Stage()
    stage.worker.cut_off_until_us = START_US + 5 * SECOND_US
    stage.worker.start(stage.order("a", 1))
    stage.play()
    assert [type(event) for event in stage.told] == [AttemptStarted, AttemptSucceeded]
    assert stage.told[0].at_us > START_US + 5 * SECOND_US


def test_reports_come_in_order_unless_they_are_late_and_once_unless_they_are_repeated() -> None:
    stage = Stage(replace(CALM, twice=1_000))
    stage.worker.start(stage.order("a", 1))
    assert sorted(stage.play()) == ["AttemptStarted a/0.1"] * 2 + ["AttemptSucceeded a/0.1"] * 2


def test_it_beats_while_there_is_somebody_to_hear_and_it_can_be_heard() -> None:
    stage = Stage()
    stage.worker.cut_off_until_us = START_US + 2 * SECOND_US
    stage.worker.beat(SECOND_US, lambda: stage.agenda.now_us < START_US + 4 * SECOND_US)
    stage.play()
    assert stage.told == [WorkerSeen(START_US + beat * SECOND_US, "w") for beat in (2, 3)]
