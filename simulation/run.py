"""Plays one world from its seed to the end of its last job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from ledger.model import BrokenInvariant as BrokenBook
from scheduler.events import (
    AttemptFailed,
    AttemptStopped,
    AttemptSucceeded,
    BackendStateChanged,
    CancelRequested,
    Event,
    ProjectWeightSet,
    WorkerJoined,
    WorkerLost,
)
from scheduler.invariants import BrokenInvariant as BrokenState
from simulation.agenda import START_US, Agenda
from simulation.fleet import Worker
from simulation.laws import BrokenLaw, must
from simulation.shell import Shell
from simulation.treasury import Treasury
from simulation.workload import WIDEST_SLOTS, Workload, draw
from simulation.world import BACKENDS, SECOND_US, World

SWEEP_US = SECOND_US
"""How late the sweeper may find that a grant is due."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one world. `digest` sums up every placement and ending: equal seeds have equal digests."""

    seed: int
    world: str
    submitted: int
    admitted: int
    refused: dict[str, int]
    succeeded: int
    failed: int
    cancelled: int
    attempts: int
    requeued: int
    old_news: int
    restarts: int
    steps: int
    charged: int
    lasted_us: int
    digest: int


class SimulationFailure(Exception):  # noqa: N818 - named for what it says
    """A law was broken. The text says which, what led to it, and the command that plays the same world again."""

    def __init__(self, seed: int, world: str, reason: str, trail: str) -> None:
        self.seed = seed
        self.world = world
        self.reason = reason
        command = f"qubatord simulate --seed {seed} --world {world}"
        super().__init__(f"{reason}\n\nThe last steps:\n{trail}\n\nRepeat with: {command}")


def run(seed: int, world: World) -> Outcome:
    """Play the world that `seed` draws; raises SimulationFailure when a law is broken."""
    play = _Play(seed, world)
    try:
        return play.to_the_end()
    except (
        BrokenLaw,
        BrokenState,
        BrokenBook,
        ArithmeticError,
        AssertionError,
        LookupError,
        TypeError,
        ValueError,
    ) as broken:
        raise SimulationFailure(seed, world.name, f"{type(broken).__name__}: {broken}", play.trail()) from broken


class _Play:
    """One world being played: everything that happens is put on the agenda here."""

    def __init__(self, seed: int, world: World) -> None:
        self.seed = seed
        self.world = world
        self.random = Random(seed)  # noqa: S311 - chance here must be repeatable
        self.workload: Workload = draw(self.random, world)
        self.agenda = Agenda()
        self.treasury = Treasury.of(self.workload, START_US)
        self.submissions = {submission.job_id: submission for submission in self.workload.submissions}
        self.shell = Shell(self.agenda, world.policy, self.treasury, self.submissions)
        self.calm_us = START_US + world.storm_us
        self.workers_made = 0
        self._put_load_on_the_agenda()
        self._put_fleet_on_the_agenda()
        self._put_storm_on_the_agenda()

    def to_the_end(self) -> Outcome:
        """Turn until every submission was heard and every admitted job has ended, then close the books."""
        agenda, shell = self.agenda, self.shell
        late_us = self.calm_us + self.world.patience_us
        while not self._over() and agenda.step():
            if agenda.now_us > late_us:
                job_id = next(iter(shell.records))
                must(False, "job", job_id, "never ended:", shell.state.why_waiting(job_id))
        must(not shell.records, "nothing is left to happen, and these jobs have not ended:", list(shell.records))
        must(
            shell.state.queued_count == 0 and shell.state.running_count == 0,
            "all jobs ended, the scheduler is not idle",
        )
        must(set(shell.auditor.ended) == self.treasury.admitted, "jobs admitted and jobs ended differ")
        self.treasury.check_at_the_end()
        return self._outcome()

    def trail(self) -> str:
        """The last steps, oldest first."""
        lines = []
        for event, decisions in self.shell.trail:
            lines.append(f"  {event}")
            lines.extend(f"    -> {decision}" for decision in decisions)
        return "\n".join(lines)

    def _over(self) -> bool:
        return self.agenda.now_us >= self.calm_us and not self.shell.records

    def _put_load_on_the_agenda(self) -> None:
        agenda, shell = self.agenda, self.shell
        for project_id, weight in self.workload.weights:
            agenda.at(START_US, partial(shell.deliver, ProjectWeightSet(START_US, project_id, weight)))
        for submission in self.workload.submissions:
            for at_us in (submission.at_us, submission.again_us):
                if at_us is not None:
                    agenda.at(at_us, partial(shell.submit, submission))
            for at_us in submission.cancel_us:
                agenda.at(at_us, partial(shell.deliver, CancelRequested(at_us, submission.job_id)))
        for at_us, backend, state in self.workload.backend_changes:
            agenda.at(at_us, partial(shell.deliver, BackendStateChanged(at_us, backend, state)))
        for grant in self.workload.grants:
            due_us = grant.valid_until_us + self.random.randint(0, SWEEP_US)
            if due_us < self.calm_us:
                agenda.at(due_us, partial(self.treasury.expire, due_us, grant.id))

    def _put_fleet_on_the_agenda(self) -> None:
        for _ in range(self.random.randint(*self.world.workers)):
            self.agenda.at(START_US + self.random.randint(0, SECOND_US), self._a_worker_joins)
        # Whatever the storm leaves: from the calm on there is a worker that can run everything.
        self.agenda.at(self.calm_us, lambda: self._join(BACKENDS, WIDEST_SLOTS + 1))

    def _a_worker_joins(self) -> None:
        chance = self.random
        backends = BACKENDS if chance.random() < 0.6 else tuple(chance.sample(BACKENDS, chance.randint(1, 2)))
        self._join(backends, chance.randint(*self.world.slots))

    def _join(self, backends: tuple[str, ...], slots: int) -> None:
        worker_id = f"w{self.workers_made}"
        self.workers_made += 1
        joined = WorkerJoined(self.agenda.now_us, worker_id, slots, self.random.randint(*self.world.pipeline), backends)
        worker = Worker(
            joined, self.agenda, self.random, self.workload.storm, self.submissions, self._hear, self.calm_us
        )
        self.shell.workers[worker_id] = worker
        self.shell.deliver(joined)
        every_us = self.world.policy.lease_us // 3
        self.agenda.after(every_us, lambda: worker.beat(every_us, lambda: not self._over()))

    def _hear(self, event: Event) -> None:
        """A report arrives; now and then one with a token of another time arrives just before it."""
        final = isinstance(event, AttemptSucceeded | AttemptFailed | AttemptStopped)
        if final and self.random.randrange(1000) < self.workload.storm.forged:
            assert isinstance(event, AttemptSucceeded | AttemptFailed | AttemptStopped)
            self.shell.deliver(replace(event, token=max(0, event.token - self.random.randint(1, 3))))
        self.shell.deliver(event)

    def _put_storm_on_the_agenda(self) -> None:
        storm, chance = self.workload.storm, self.random
        for _ in range(storm.worker_deaths):
            self.agenda.at(START_US + chance.randint(0, self.world.storm_us), self._a_worker_dies)
        for _ in range(storm.partitions):
            self.agenda.at(START_US + chance.randint(0, self.world.storm_us), self._a_worker_is_cut_off)
        for _ in range(storm.restarts):
            self.agenda.at(START_US + chance.randint(0, self.world.storm_us), self.shell.restart)

    def _some_worker(self) -> Worker | None:
        alive = [worker for worker in self.shell.workers.values() if worker.alive]
        return self.random.choice(alive) if alive else None

    def _a_worker_dies(self) -> None:
        """Somebody notices, or its leases end; another worker takes its place."""
        worker, chance, agenda = self._some_worker(), self.random, self.agenda
        if worker is None:
            return
        worker.die()
        if chance.random() < 0.6:
            noticed = worker.worker_id
            agenda.after(
                chance.randint(1_000, 2 * SECOND_US),
                lambda: self.shell.deliver(WorkerLost(agenda.now_us, noticed, "process gone")),
            )
        agenda.after(chance.randint(SECOND_US // 10, 5 * SECOND_US), self._a_worker_joins)

    def _a_worker_is_cut_off(self) -> None:
        worker = self._some_worker()
        if worker is None:
            return
        worker.cut_off_until_us = self.agenda.now_us + self.random.randint(SECOND_US // 10, 12 * SECOND_US)
        self.agenda.at(worker.cut_off_until_us, lambda: self._comes_back(worker))

    def _comes_back(self, worker: Worker) -> None:
        if worker.alive and self.agenda.now_us >= worker.cut_off_until_us:
            self.shell.reconnect(worker)

    def _outcome(self) -> Outcome:
        auditor = self.shell.auditor
        ends = Counter(finish.outcome for finish in auditor.ended.values())
        return Outcome(
            seed=self.seed,
            world=self.world.name,
            submitted=len(self.submissions),
            admitted=len(self.treasury.admitted),
            refused=dict(sorted(self.treasury.refused.items())),
            succeeded=ends["succeeded"],
            failed=ends["failed"],
            cancelled=ends["cancelled"],
            attempts=auditor.counts["attempts"],
            requeued=auditor.counts["requeued"],
            old_news=auditor.counts["old_news"],
            restarts=self.shell.lives - 1,
            steps=self.shell.steps,
            charged=sum(hold.charged for hold in self.treasury.book.holds.values()),
            lasted_us=self.agenda.now_us - START_US,
            digest=self.shell.digest,
        )
