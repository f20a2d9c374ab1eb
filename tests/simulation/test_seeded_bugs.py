"""Would the simulator notice? Realistic bugs are put into the scheduler and the ledger, one at a time, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger import accounts, allocation, capturing, holds, invariants
from ledger.book import Book
from ledger.model import FULL_PPM, WALLET, Entry, Hold
from ledger.shares import OpenLine
from ledger.terms import Budget
from scheduler import endings, fleet, reports
from scheduler.events import AttemptSucceeded
from scheduler.model import Project
from scheduler.state import State
from scheduler.usage import FRACTION_BITS, Scale
from simulation.run import SimulationFailure, run
from simulation.world import WORLDS

SEEDS = range(60)
"""Every bug has to show within so many small worlds; most show in the first few."""

Patch = pytest.MonkeyPatch


def the_fencing_token_is_not_checked(patch: Patch) -> None:
    report = reports.report

    def credulous(state: State, event: Any, policy: Any) -> Any:
        attempt = state.attempts.get(event.attempt_id)
        return report(state, event if attempt is None else replace(event, token=attempt.token), policy)

    patch.setattr(reports, "report", credulous)


def a_late_success_counts_after_its_lease_was_taken_back(patch: Patch) -> None:
    report = reports.report

    def generous(state: State, event: Any, policy: Any) -> Any:
        task = state.tasks.get(event.attempt_id.partition("/")[0])
        late = event.attempt_id not in state.attempts and isinstance(event, AttemptSucceeded)
        if late and task is not None and task.attempt is not None:
            return endings.succeed(state, task.attempt, event.used_us)
        return report(state, event, policy)

    patch.setattr(reports, "report", generous)


def capacity_is_released_twice(patch: Patch) -> None:
    release = State.release

    def release_twice(state: State, attempt: Any, used_us: int, at_us: int) -> None:
        release(state, attempt, used_us, at_us)
        attempt.worker.load = max(0, attempt.worker.load - attempt.task.spec.slots)

    patch.setattr(State, "release", release_twice)


def capacity_is_counted_but_not_kept(patch: Patch) -> None:
    """The books of the state agree; only the placement is wrong."""
    patch.setattr("scheduler.placing._emptiest", lambda room, backend, slots: _offering(room, backend))
    patch.setattr("scheduler.model.Worker.has_room", lambda worker: worker.load < worker.slots + worker.pipeline)


def _offering(room: list[Any], backend: str) -> Any:
    return next((worker for worker in room if backend in worker.backends), None)


def a_users_error_is_retried(patch: Patch) -> None:
    is_final = endings._is_final
    patch.setattr(endings, "_is_final", lambda task, kind, *rest: kind != "user" and is_final(task, kind, *rest))


def a_fault_is_retried_without_a_wait(patch: Patch) -> None:
    patch.setattr(endings, "_backoff_us", lambda task, policy: 0)


def faults_are_retried_for_ever(patch: Patch) -> None:
    patch.setattr(endings, "count_failure", lambda task, kind: None)


def a_cancel_is_forgotten_when_the_result_is_faster(patch: Patch) -> None:
    succeed = endings.succeed

    def forgetful(state: State, attempt: Any, used_us: int) -> Any:
        attempt.task.cancelling, attempt.revoked = False, None
        return succeed(state, attempt, used_us)

    patch.setattr(endings, "succeed", forgetful)


def heartbeats_renew_revoked_leases(patch: Patch) -> None:
    renew = fleet._renew

    def renew_all(state: State, worker: Any, policy: Any) -> None:
        renew(state, worker, policy)
        for attempt in worker.attempts.values():
            attempt.lease_until_us = worker.fresh_until_us

    patch.setattr(fleet, "_renew", renew_all)


def heartbeats_renew_nothing(patch: Patch) -> None:
    patch.setattr(fleet, "_renew", lambda state, worker, policy: setattr(worker, "fresh_until_us", 10**18))


def silent_workers_get_work(patch: Patch) -> None:
    renew = fleet._renew

    def trust(state: State, worker: Any, policy: Any) -> None:
        renew(state, worker, policy)
        worker.fresh_until_us = 10**18

    patch.setattr(fleet, "_renew", trust)


def usage_never_fades(patch: Patch) -> None:
    patch.setattr(Scale, "score", lambda scale, usage, at_us: usage << FRACTION_BITS)
    patch.setattr(Scale, "usage", lambda scale, score, at_us: score >> FRACTION_BITS)


def usage_is_not_compared(patch: Patch) -> None:
    patch.setattr(Project, "key", lambda project: 0)


def weights_are_turned_upside_down(patch: Patch) -> None:
    patch.setattr(Project, "key", lambda project: project.score * project.weight // 100)


def priorities_are_not_looked_at(patch: Patch) -> None:
    patch.setattr("scheduler.state.rank_of", lambda priority, sequence: sequence)


def a_blocked_task_keeps_every_worker_free(patch: Patch) -> None:
    patch.setattr("scheduler.placing._reserve", lambda state, demand, room: room.clear())


def the_estimate_is_not_taken_back_at_the_end(patch: Patch) -> None:
    release = State.release

    def keep(state: State, attempt: Any, used_us: int, at_us: int) -> None:
        attempt.charge = 0
        release(state, attempt, used_us, at_us)

    patch.setattr(State, "release", keep)


def attempts_are_counted_from_one_after_a_restart(patch: Patch) -> None:
    add_task = State.add_task

    def forget(state: State, spec: Any, *rest: Any) -> Any:
        return add_task(state, replace(spec, attempts_made=0), *rest)

    patch.setattr(State, "add_task", forget)


def a_settlement_keeps_the_remainder_held(patch: Patch) -> None:
    settle = holds.settle

    def keep(book: Book, command: Any) -> Any:
        entry = settle(book, command)
        if not isinstance(entry, Entry):
            return entry
        kept = tuple(posting for posting in entry.postings if accounts.is_earned(posting.destination))
        return replace(entry, postings=kept)

    patch.setattr(holds, "settle", keep)


def refunds_to_an_expired_grant_become_available_again(patch: Patch) -> None:
    def release(book: Book, hold: Hold, payer: str) -> str:
        return accounts.wallet(hold.project_id) if payer == WALLET else accounts.available(payer)

    patch.setattr(holds, "_back_to", release)


def an_overrun_is_forgotten(patch: Patch) -> None:
    capture = capturing.capture
    patch.setattr(holds, "capture", lambda hold, lines, limits: (capture(hold, lines, limits)[0], 0))


def a_hold_is_closed_as_often_as_one_likes(patch: Patch) -> None:
    after = holds.after

    def lenient(book: Book, entry: Entry) -> Any:
        hold = book.holds.get(entry.job_id or "")
        closed = entry.kind in ("settle", "void") and hold is not None and hold.state != "open"
        return hold if closed else after(book, entry)

    patch.setattr(holds, "_open_hold", lambda book, job_id: book.holds[job_id])
    patch.setattr(holds, "after", lenient)


def grants_pay_after_their_end(patch: Patch) -> None:
    barred = allocation._barred
    patch.setattr(allocation, "_barred", lambda grant, command: barred(replace(grant, valid_until_us=10**18), command))


def grants_burn_in_the_wrong_order(patch: Patch) -> None:
    grants_of = Book.grants_of
    patch.setattr(Book, "grants_of", lambda book, project_id: grants_of(book, project_id)[::-1])


def a_void_costs_the_whole_hold(patch: Patch) -> None:
    void = holds.void

    def capture(book: Book, command: Any) -> Any:
        entry = void(book, command)
        if not isinstance(entry, Entry):
            return entry
        earned = accounts.EARNED_OF_WALLETS
        return replace(entry, postings=tuple(replace(each, destination=earned) for each in entry.postings))

    patch.setattr(holds, "void", capture)


def shares_are_ignored_at_the_settlement(patch: Patch) -> None:
    """Whoever comes first pays all that its slice has."""
    capture = capturing.capture

    def greedy(hold: Hold, lines: Any, limits: Any) -> Any:
        slices = tuple(replace(part, share_ppm=FULL_PPM, up_to_ppm=FULL_PPM, rule="") for part in hold.slices)
        return capture(replace(hold, slices=slices), lines, limits)

    patch.setattr(holds, "capture", greedy)


def shares_of_two_grants_are_counted_apart(patch: Patch) -> None:
    give_money = OpenLine.give_money
    patch.setattr(OpenLine, "give_money", lambda line, amount, rule: give_money(line, amount, ""))


def caps_count_only_what_is_settled(patch: Patch) -> None:
    """Nothing is claimed by a hold; the settlement claims what it captured."""
    place = holds.place

    def unclaimed(book: Book, command: Any) -> Any:
        entry = place(book, command)
        if not isinstance(entry, Entry):
            return entry
        return replace(entry, claims=tuple(replace(claim, change=0) for claim in entry.claims))

    patch.setattr(holds, "place", unclaimed)


def caps_are_not_looked_at(patch: Patch) -> None:
    limit = allocation._limit

    def unlimited(book: Book, command: Any, terms: Any, offered: Any, available: int, claimed: Any) -> Any:
        if terms is not None:
            terms = replace(terms, cap_project_year=None, pool_year=None)
        return limit(book, command, terms, offered, available, claimed)

    patch.setattr(allocation, "_limit", unlimited)


def the_cap_for_one_job_is_one_for_each_grant(patch: Patch) -> None:
    limit = allocation._limit

    def for_each(book: Book, command: Any, terms: Any, offered: Any, available: int, claimed: Any) -> Any:
        return limit(book, command, terms, offered, available, {})

    patch.setattr(allocation, "_limit", for_each)


def a_use_is_claimed_in_two_programmes_of_a_group(patch: Patch) -> None:
    draw = allocation._draw

    def forgetful(book: Book, command: Any, grant: Any, terms: Any, lines: Any, groups: Any, found: Any) -> None:
        draw(book, command, grant, terms, lines, {}, found)

    patch.setattr(allocation, "_draw", forgetful)


def the_wallet_is_drained_before_the_grants(patch: Patch) -> None:
    allocate = allocation.allocate

    def wallet_first(book: Book, command: Any) -> Any:
        alone = allocate(replace(book, grants={}), command)
        return allocate(book, command) if alone.missing else alone

    patch.setattr(holds, "allocate", wallet_first)


def what_is_paid_in_kind_is_paid_in_money_too(patch: Patch) -> None:
    def forget(line: OpenLine, quanta: int, rule: str) -> int:
        line.units -= quanta
        return quanta * line.line.unit_price

    patch.setattr(OpenLine, "give_quanta", forget)


def a_correction_gives_all_back_to_the_wallet(patch: Patch) -> None:
    back_to = holds._back_to

    def to_the_wallet(book: Book, hold: Hold, payer: str) -> str:
        return accounts.wallet(hold.project_id) if hold.state == "settled" else back_to(book, hold, payer)

    patch.setattr(holds, "_back_to", to_the_wallet)


def a_correction_is_paid_back_by_the_last_to_pay(patch: Patch) -> None:
    """The sum is right, every line is paid, and yet it is the wrong one who gets the money."""
    capture = capturing.capture

    def turned(hold: Hold, lines: Any, limits: Any) -> Any:
        if hold.state == "open":
            return capture(hold, lines, limits)
        slices = tuple(replace(part, share_ppm=FULL_PPM, up_to_ppm=FULL_PPM, rule="") for part in hold.slices)
        return capture(replace(hold, slices=slices), lines, limits)

    patch.setattr(holds, "capture", turned)


def a_void_does_not_give_claims_back(patch: Patch) -> None:
    void = holds.void

    def keep(book: Book, command: Any) -> Any:
        entry = void(book, command)
        return replace(entry, claims=()) if isinstance(entry, Entry) else entry

    patch.setattr(holds, "void", keep)


def a_settlement_gives_all_claims_back(patch: Patch) -> None:
    def all_of_it(book: Book, hold: Hold, captured: Any) -> Any:
        return [replace(claim, change=-claim.change) for claim in hold.claims if claim.change]

    patch.setattr(holds, "_given_back", all_of_it)


def the_split_among_funders_loses_the_remainder(patch: Patch) -> None:
    def lossy(amount: int, funders: Any) -> dict[str, int]:
        total = sum(weight for _, weight in funders)
        return {funder_id: amount * weight // total for funder_id, weight in funders}

    patch.setattr(holds, "split", lossy)
    patch.setattr(invariants, "split", lossy)


def the_first_funder_pays_everything(patch: Patch) -> None:
    def unfair(amount: int, funders: Any) -> dict[str, int]:
        return {funder_id: 0 for funder_id, _ in funders} | {funders[0][0]: amount}

    patch.setattr(holds, "split", unfair)
    patch.setattr(invariants, "split", unfair)


def budgets_are_not_counted(patch: Patch) -> None:
    patch.setattr(Budget, "concerns", lambda budget, claimant: False)


BUGS: list[Callable[[Patch], None]] = [
    the_fencing_token_is_not_checked,
    a_late_success_counts_after_its_lease_was_taken_back,
    capacity_is_released_twice,
    capacity_is_counted_but_not_kept,
    a_users_error_is_retried,
    a_fault_is_retried_without_a_wait,
    faults_are_retried_for_ever,
    a_cancel_is_forgotten_when_the_result_is_faster,
    heartbeats_renew_revoked_leases,
    heartbeats_renew_nothing,
    silent_workers_get_work,
    usage_never_fades,
    usage_is_not_compared,
    weights_are_turned_upside_down,
    priorities_are_not_looked_at,
    a_blocked_task_keeps_every_worker_free,
    the_estimate_is_not_taken_back_at_the_end,
    attempts_are_counted_from_one_after_a_restart,
    a_settlement_keeps_the_remainder_held,
    refunds_to_an_expired_grant_become_available_again,
    an_overrun_is_forgotten,
    a_hold_is_closed_as_often_as_one_likes,
    grants_pay_after_their_end,
    grants_burn_in_the_wrong_order,
    a_void_costs_the_whole_hold,
    shares_are_ignored_at_the_settlement,
    shares_of_two_grants_are_counted_apart,
    caps_count_only_what_is_settled,
    caps_are_not_looked_at,
    the_cap_for_one_job_is_one_for_each_grant,
    a_use_is_claimed_in_two_programmes_of_a_group,
    the_wallet_is_drained_before_the_grants,
    what_is_paid_in_kind_is_paid_in_money_too,
    a_correction_gives_all_back_to_the_wallet,
    a_correction_is_paid_back_by_the_last_to_pay,
    a_void_does_not_give_claims_back,
    a_settlement_gives_all_claims_back,
    the_split_among_funders_loses_the_remainder,
    the_first_funder_pays_everything,
    budgets_are_not_counted,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_simulator_catches(bug: Callable[[Patch], None]) -> None:
    world = WORLDS["small"]
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        caught = _first_failure(world)
    assert caught is not None, f"{bug.__name__} went unnoticed in {len(SEEDS)} worlds"
    assert f"qubatord simulate --seed {caught.seed} --world small" in str(caught)
    run(caught.seed, world)  # without the bug the same world is in order


def _first_failure(world: Any) -> SimulationFailure | None:
    for seed in SEEDS:
        try:
            run(seed, world)
        except SimulationFailure as failure:
            print(seed, failure.reason[:200])
            return failure
    return None
