"""What a seed draws: repeatable, within the world's ranges, and with every trouble somewhere among the seeds."""

from __future__ import annotations

from random import Random

from simulation.agenda import START_US
from simulation.workload import Workload, draw
from simulation.world import WORLDS

SMALL = WORLDS["small"]
DRAWN: list[Workload] = [draw(Random(seed), SMALL) for seed in range(60)]


def test_the_same_seed_draws_the_same() -> None:
    assert draw(Random(7), SMALL) == DRAWN[7]
    assert DRAWN[7] != DRAWN[8]


def test_everything_lies_within_the_worlds_ranges() -> None:
    for workload in DRAWN:
        assert 20 <= len(workload.submissions) <= 60
        assert 2 <= len(workload.weights) <= 4
        assert {grant.project_id for grant in workload.grants} == {project_id for project_id, _ in workload.weights}
        moments = [submission.at_us for submission in workload.submissions]
        assert moments == sorted(moments)
        assert START_US <= moments[0] <= moments[-1] <= START_US + SMALL.arrivals_us


def test_every_kind_of_trouble_comes_up_and_is_absent_from_some_worlds() -> None:
    for name in ("fault", "late", "twice", "forged", "deaf", "worker_deaths", "partitions", "restarts"):
        chances = [getattr(workload.storm, name) for workload in DRAWN]
        assert min(chances) == 0 < max(chances), name
    submissions = [submission for workload in DRAWN for submission in workload.submissions]
    assert {submission.flaw for submission in submissions} == {"none", "user", "memory", "endless", "crash"}
    assert {submission.spec.slots for submission in submissions} == {1, 2}
    assert any(submission.again_us for submission in submissions)
    assert any(submission.cancel_us for submission in submissions)
    assert any(workload.backend_changes for workload in DRAWN)


def test_every_backend_that_closes_opens_again() -> None:
    for workload in DRAWN:
        last = {backend: state for _, backend, state in workload.backend_changes}
        assert set(last.values()) <= {"online"}


def test_every_kind_of_means_comes_up_and_is_absent_from_some_worlds() -> None:
    for programme_id in ("voucher", "kind"):
        counts = [sum(grant.programme_id == programme_id for grant in workload.grants) for workload in DRAWN]
        assert min(counts) == 0 < max(counts), programme_id
    assert {grant.asset for workload in DRAWN for grant in workload.grants} == {"CNY", "qpu_ms"}
    terms = [terms for workload in DRAWN for terms in workload.terms]
    for name in ("cap_project_year", "pool_year", "claim_group"):
        assert {bool(getattr(one, name)) for one in terms} == {True, False}, name
    assert {rule.cap_per_job is None for one in terms for rule in one.rules} == {True, False}
    for given in ([workload.budgets for workload in DRAWN], [workload.top_ups for workload in DRAWN]):
        assert {bool(found) for found in given} == {True, False}
    submissions = [submission for workload in DRAWN for submission in workload.submissions]
    assert {submission.credit_percent for submission in submissions} == {0, 10, 50, 100}
