"""Simulated workers: they queue, run, stop and report as an executor does, over a network that delays and repeats.

A worker that is cut off goes on working and reports when it is back; one that dies takes everything along. Orders are
idempotent on (attempt, token).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from scheduler.decisions import StartAttempt
from scheduler.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptStopped,
    AttemptSucceeded,
    Event,
    FailureKind,
    WorkerJoined,
    WorkerSeen,
)
from simulation.agenda import Agenda
from simulation.workload import Storm, Submission
from simulation.world import SECOND_US

STOP_US = 20_000
"""How long killing takes."""

Deliver = Callable[[Event], None]
MakeReport = Callable[[int], Event]


@dataclass(eq=False, slots=True)
class Running:
    """One order being executed. `deaf`: it does not react to a stop."""

    order: StartAttempt
    slots: int
    started_us: int
    deaf: bool
    over: bool = False


@dataclass(eq=False, slots=True)
class Worker:
    """One worker process: `waiting` orders begin, first come first served, when their slots are free."""

    joined: WorkerJoined
    agenda: Agenda
    random: Random
    storm: Storm
    submissions: dict[str, Submission]
    deliver: Deliver
    calm_us: int
    alive: bool = True
    cut_off_until_us: int = 0
    waiting: list[StartAttempt] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    seen_tokens: set[int] = field(default_factory=set)
    last_delivery_us: int = 0

    @property
    def worker_id(self) -> str:
        return self.joined.worker_id

    def held(self) -> list[StartAttempt]:
        """Its inventory: what waits and what runs here."""
        return [*self.waiting, *(running.order for running in self.running.values())]

    def start(self, order: StartAttempt) -> None:
        """Take an order, once."""
        if not self.alive or order.token in self.seen_tokens:
            return
        self.seen_tokens.add(order.token)
        self.waiting.append(order)
        self._begin()

    def stop(self, attempt_id: str, token: int) -> None:
        """Stop what is held under this token; anything else is not known here and makes no report."""
        if not self.alive:
            return
        for order in self.waiting:
            if order.token == token:
                self.waiting.remove(order)
                self._report(lambda at_us: AttemptStopped(at_us, attempt_id, token, 0))
                return
        running = self.running.get(token)
        if running is not None and not running.deaf:
            self.agenda.after(STOP_US, lambda: self._end(running, self._stopped(running)))

    def die(self) -> None:
        """Gone, with all it held; what it has sent before may still arrive."""
        self.alive = False
        self.waiting.clear()
        for running in self.running.values():
            running.over = True
        self.running.clear()

    def beat(self, every_us: int, goes_on: Callable[[], bool]) -> None:
        """Give a sign of life now and then, as long as there is somebody to hear it."""
        if not self.alive or not goes_on():
            return
        if self.agenda.now_us >= self.cut_off_until_us:
            self.deliver(WorkerSeen(self.agenda.now_us, self.worker_id))
        self.agenda.after(every_us, lambda: self.beat(every_us, goes_on))

    def _begin(self) -> None:
        used = sum(running.slots for running in self.running.values())
        while self.waiting:
            order = self.waiting[0]
            slots = self.submissions[order.job_id].spec.slots
            if used + slots > self.joined.slots:
                return
            used += slots
            del self.waiting[0]
            running = Running(order, slots, self.agenda.now_us, self.random.randrange(1000) < self.storm.deaf)
            self.running[order.token] = running
            self._report(partial(_started, order))
            self._foresee(running)

    def _foresee(self, running: Running) -> None:
        """Decide now how this execution will end, if nothing comes between."""
        order, chance = running.order, self.random
        submission = self.submissions[order.job_id]
        true_us = submission.true_us * chance.randint(90, 110) // 100
        kind: FailureKind | None = None
        if submission.flaw in ("user", "memory"):
            kind, true_us = submission.flaw, max(1, true_us * chance.randint(1, 90) // 100)
        elif submission.flaw == "crash" and chance.random() < 0.7:
            kind = "crash"
        elif self.agenda.now_us < self.calm_us and chance.randrange(1000) < self.storm.fault:
            kind = "fault"
        if submission.flaw == "endless" or true_us > order.time_limit_us:
            kind, true_us = "timeout", order.time_limit_us
            if running.deaf:
                # Its executor does not notice the limit; the scheduler's second line has to, and this ends much later.
                true_us += 20 * SECOND_US
        self.agenda.after(true_us, lambda: self._end(running, self._ended(running, kind)))

    def _end(self, running: Running, make_report: MakeReport) -> None:
        if running.over:
            return
        running.over = True
        del self.running[running.order.token]
        self._report(make_report)
        self._begin()

    def _ended(self, running: Running, kind: FailureKind | None) -> MakeReport:
        order = running.order

        def make(at_us: int) -> Event:
            used_us = ended_us - running.started_us
            if kind is None:
                return AttemptSucceeded(at_us, order.attempt_id, order.token, used_us)
            return AttemptFailed(at_us, order.attempt_id, order.token, kind, f"simulated {kind}", used_us)

        ended_us = self.agenda.now_us
        return make

    def _stopped(self, running: Running) -> MakeReport:
        order, used_us = running.order, self.agenda.now_us - running.started_us
        return lambda at_us: AttemptStopped(at_us, order.attempt_id, order.token, used_us)

    def _report(self, make_report: MakeReport) -> None:
        """Send a report: usually soon and in order, at times late, at times twice; not before a cut-off is over."""
        chance, storm = self.random, self.storm
        sent_us = max(self.agenda.now_us, self.cut_off_until_us)
        arrives_us = sent_us + chance.randint(100, 20_000)
        if chance.randrange(1000) < storm.late:
            arrives_us += chance.randint(SECOND_US // 10, 10 * SECOND_US)
        else:
            arrives_us = self.last_delivery_us = max(arrives_us, self.last_delivery_us)
        self._arrive(arrives_us, make_report)
        if chance.randrange(1000) < storm.twice:
            self._arrive(arrives_us + chance.randint(1, 8 * SECOND_US), make_report)

    def _arrive(self, at_us: int, make_report: MakeReport) -> None:
        self.agenda.at(at_us, lambda: self.deliver(make_report(self.agenda.now_us)))


def _started(order: StartAttempt, at_us: int) -> Event:
    return AttemptStarted(at_us, order.attempt_id, order.token)
