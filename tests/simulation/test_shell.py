"""The small dispatcher around the cores: what it commits, carries out, and knows again after a restart."""

from __future__ import annotations

from random import Random

import pytest

from ledger.model import CNY, Grant
from ledger.price import Usage, quote
from scheduler.events import AttemptStarted, AttemptSucceeded, CancelRequested, TaskSpec, WorkerJoined
from simulation.agenda import START_US, Agenda
from simulation.fleet import Worker
from simulation.shell import Shell
from simulation.treasury import Treasury
from simulation.workload import RATES, Storm, Submission
from simulation.world import SECOND_US, WORLDS

CALM = Storm(fault=0, late=0, twice=0, forged=0, deaf=0, worker_deaths=0, partitions=0, restarts=0)
POLICY = WORLDS["small"].policy


def submission(job_id: str) -> Submission:
    spec = TaskSpec(f"{job_id}/0", ("aer",), SECOND_US, 2 * SECOND_US)
    quoted = quote(RATES, Usage(1_000, 1), Usage(2_000, 1))
    return Submission(START_US, None, job_id, "p", 0, spec, 1, quoted, SECOND_US, "none", ())


class Stage:
    """Two jobs, one worker with one slot, and time that passes when told to."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.submissions = {job_id: submission(job_id) for job_id in ("a", "b")}
        grant = Grant("g", "programme", (("funder", 1),), "p", CNY, 10**9, START_US, START_US + 10**12, 0, START_US)
        self.treasury = Treasury((grant,), START_US)
        self.shell = Shell(self.agenda, POLICY, self.treasury, self.submissions)
        joined = WorkerJoined(START_US, "w", 1, 0, ("aer",))
        self.worker = Worker(joined, self.agenda, Random(0), CALM, self.submissions, self.shell.deliver, START_US)
        self.shell.workers["w"] = self.worker
        self.shell.deliver(joined)
        for each in self.submissions.values():
            self.shell.submit(each)

    def pass_until(self, at_us: int) -> None:
        self.agenda.at(at_us, lambda: None)
        while self.agenda.step() and self.agenda.now_us < at_us:
            pass


@pytest.fixture
def stage() -> Stage:
    return Stage()


def outcomes(stage: Stage) -> dict[str, str]:
    return {job_id: finish.outcome for job_id, finish in stage.shell.auditor.ended.items()}


def test_jobs_run_one_after_the_other_and_are_paid(stage: Stage) -> None:
    stage.pass_until(START_US + 5 * SECOND_US)
    assert outcomes(stage) == {"a": "succeeded", "b": "succeeded"}
    assert stage.shell.records == {}
    stage.treasury.check_at_the_end()


def test_a_restart_goes_on_with_what_runs_and_what_waits(stage: Stage) -> None:
    stage.pass_until(START_US + SECOND_US // 2)
    old = stage.shell.state
    stage.shell.restart()
    assert stage.shell.state is not old
    assert (stage.shell.state.running_count, stage.shell.state.queued_count) == (1, 1)
    stage.pass_until(START_US + 5 * SECOND_US)
    assert outcomes(stage) == {"a": "succeeded", "b": "succeeded"}
    assert stage.shell.auditor.counts["attempts"] == 2
    stage.treasury.check_at_the_end()


def test_an_order_that_died_with_the_service_is_sent_again(stage: Stage) -> None:
    """The restart comes after the commit and before the order has reached the worker."""
    stage.pass_until(START_US + 1_500)
    assert stage.shell.state.running_count == 1
    assert stage.worker.held() == []
    stage.shell.restart()
    stage.pass_until(START_US + 5 * SECOND_US)
    assert outcomes(stage) == {"a": "succeeded", "b": "succeeded"}
    assert stage.shell.auditor.counts["attempts"] == 2


def test_a_cancel_outlives_a_restart(stage: Stage) -> None:
    stage.pass_until(START_US + SECOND_US // 2)
    stage.shell.deliver(CancelRequested(stage.agenda.now_us, "a"))
    stage.shell.restart()
    stage.pass_until(START_US + 5 * SECOND_US)
    assert outcomes(stage) == {"a": "cancelled", "b": "succeeded"}


def test_what_a_worker_should_no_longer_hold_is_stopped_when_it_is_back(stage: Stage) -> None:
    stage.pass_until(START_US + SECOND_US // 2)
    (order,) = stage.worker.held()
    stage.shell.records["a"].out = None
    stage.shell.reconnect(stage.worker)
    stage.pass_until(stage.agenda.now_us + 100_000)
    assert order not in stage.worker.held()


def test_an_old_report_changes_nothing_that_is_kept(stage: Stage) -> None:
    stage.pass_until(START_US + 5 * SECOND_US)
    before = dict(stage.treasury.book.balances)
    digest = stage.shell.digest
    stage.shell.deliver(AttemptStarted(stage.agenda.now_us, "a/0.1", 1))
    stage.shell.deliver(AttemptSucceeded(stage.agenda.now_us, "a/0.1", 1, 5))
    assert (stage.treasury.book.balances, stage.shell.digest) == (before, digest)
