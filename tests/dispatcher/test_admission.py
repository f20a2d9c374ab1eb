"""One commit of admissions: who pays which part, which limits are reached, and never a unit too many in a race."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.admission import Accepted, Admission
from dispatcher.model import Refusal
from dispatcher.room import Room
from dispatcher.rules import Rules
from ledger.terms import Rule, pool_scope
from store import book
from store.database import open_database

HELD = 126_100
GRANT = 10_000_000
YEAR = 2027  # of the zone's clock
YEAR_S = 366 * 86_400


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def shares(zone: Any, job: Any) -> dict[str, int]:
    """What each payer holds for a job."""
    with zone.database.read() as conn:
        hold = book.hold_of(conn, job.id)
    found: Counter[str] = Counter()
    for part in hold.slices:
        found[part.payer] += part.amount
    return dict(found)


def claimed(zone: Any, scope: str) -> int:
    with zone.database.read() as conn:
        return int(book.whole_book(conn).claims.get(scope, 0))


def subsidised(zone: Any, name: str = "acme", *, wallet: int = 0, rules: tuple[Rule, ...] = (), **terms: Any) -> Any:
    """A startup with a large grant of a programme with terms, and money of its own."""
    caller = zone.startup(name, grant=None)
    programmes = {row.name: row.id for row, _ in zone.room.list_programmes(zone.operator)}
    young = programmes.get("young") or zone.programme("young")
    if "young" not in programmes:
        zone.terms(young, *rules, **terms)
    zone.grant(caller.project_id, 10**9, programme_id=young)
    if wallet:
        zone.top_up(caller.project_id, wallet)
    return caller


# Who pays.


def test_a_programme_pays_its_share_and_the_startup_the_rest(everywhere: Any) -> None:
    zone = everywhere
    ann = subsidised(zone, share_ppm=300_000, wallet=HELD)
    (grant,) = zone.room.grants(ann, ann.project_id)
    job = zone.submit(ann)
    assert shares(zone, job) == {grant.id: HELD * 3 // 10, "wallet": HELD - HELD * 3 // 10}
    answer = refusal(zone.ask(ann))
    assert (answer.code, answer.fields["missing"]) == ("wallet_short", HELD - 2 * (HELD * 3 // 10))
    assert zone.violations() == []


def test_two_shares_do_not_come_to_more_than_the_whole(zone: Any) -> None:
    ann = zone.startup(grant=None)
    first, second = (zone.programme(name, share_ppm=share) for name, share in (("a", 700_000), ("b", 600_000)))
    grants = [zone.grant(ann.project_id, GRANT, programme_id=one, priority=n) for n, one in enumerate((first, second))]
    assert shares(zone, zone.submit(ann)) == dict(zip(grants, (HELD * 7 // 10, HELD * 3 // 10), strict=True))
    assert zone.violations() == []


def test_terms_look_at_the_startup_the_category_and_the_backend(zone: Any) -> None:
    rules = (Rule(900_000, categories=("thesis",), stages=("seed",)), Rule(200_000, age_months_max=24))
    ann = subsidised(zone, rules=rules, wallet=10**9)
    (grant,) = zone.room.grants(ann, ann.project_id)

    def share(**changes: Any) -> int:
        return shares(zone, zone.submit(ann, **changes)).get(grant.id, 0)

    assert share(category="thesis") == 0, "of no stage, and nobody knows how old"
    zone.describe(ann.project_id, stage="seed", founded_us=zone.clock.now_us() - 700 * 86_400_000_000)
    assert share(category="thesis") == HELD * 9 // 10
    assert share() == HELD * 2 // 10
    zone.describe(ann.project_id, stage="seed", related=("aer",))
    assert share(category="thesis", backend="aer") == 0, "a related party's backend"
    assert share(category="thesis", backend="aer-mps") == HELD * 9 // 10
    assert zone.violations() == []


# Limits.


def test_a_cap_for_one_job_is_reached_and_the_rest_is_the_startups(everywhere: Any) -> None:
    zone = everywhere
    ann = subsidised(zone, rules=(Rule(1_000_000, cap_per_job=100_000),), wallet=2 * (HELD - 100_000))
    (grant,) = zone.room.grants(ann, ann.project_id)
    for _ in range(2):
        assert shares(zone, zone.submit(ann)) == {grant.id: 100_000, "wallet": HELD - 100_000}
    answer = refusal(zone.ask(ann))
    assert (answer.code, answer.fields["sources"][0]["why_not_more"]) == ("wallet_short", "cap_per_job")


def test_a_yearly_cap_gets_back_what_was_not_used_and_is_whole_again_in_the_next_year(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    ann = zone.startup(grant=None)
    young = zone.programme("young", cap_project_year=2 * HELD)
    zone.grant(ann.project_id, 10**9, programme_id=young, until_us=zone.clock.now_us() + 9 * YEAR_S * 1_000_000)
    zone.run(ann)
    zone.submit(ann)
    answer = refusal(zone.ask(ann))
    assert (answer.code, answer.fields["missing"]) == ("wallet_short", 2_600)
    assert "cap for one project and year" in answer.detail
    assert claimed(zone, f"cap/{young}/{YEAR}/{ann.project_id}") == 2_600 + HELD
    zone.clock.pass_(YEAR_S)
    zone.submit(ann)
    assert claimed(zone, f"cap/{young}/{YEAR + 1}/{ann.project_id}") == HELD
    assert zone.violations() == []


def test_a_cap_is_each_projects_own_and_a_pool_is_everybodys(everywhere: Any) -> None:
    zone = everywhere
    ann = subsidised(zone, cap_project_year=2 * HELD, pool_year=3 * HELD)
    bob = subsidised(zone, "zeta")
    answers = zone.room.submit(ann, [zone.submission()] * 3)
    assert [isinstance(answer, Accepted) for answer in answers] == [True, True, False]
    assert refusal(answers[2]).fields["sources"][0]["why_not_more"] == "cap_project_year"
    zone.submit(bob)
    answer = refusal(zone.ask(bob))
    assert (answer.fields["sources"][0]["why_not_more"], answer.fields["missing"]) == ("pool_year", HELD)
    assert zone.violations() == []


@pytest.mark.parametrize("kind", ["member", "tag"])
def test_a_budget_stops_its_member_or_its_tag_and_nobody_else(everywhere: Any, kind: str) -> None:
    zone = everywhere
    zone.lead()
    ann = zone.startup(grant=GRANT)
    bo = zone.member(ann.project_id, "member")
    key = ann.member_id if kind == "member" else "thesis"
    zone.budget(ann.project_id, kind, key, 2 * HELD - 1)
    asked = zone.submission(tags=("thesis",))
    first, second = zone.room.submit(ann, [asked, asked])
    assert isinstance(first, Accepted)
    answer = refusal(second)
    assert answer.code == "budget_exhausted"
    assert answer.fields == {"needed": HELD, "available": HELD - 1, "asset": "CNY", kind: key, "limit": 2 * HELD - 1}
    assert f"budget for {kind} {key}" in answer.detail
    zone.submit(bo)
    (order, *_) = zone.turn()
    zone.succeeded(order, used_us=3_000)
    zone.turn()
    assert isinstance(zone.room.submit(ann, [asked])[0], Accepted), "what the first did not use is back"
    zone.budget(ann.project_id, kind, key, 0)
    assert refusal(zone.room.submit(ann, [asked])[0]).fields["available"] == 0
    zone.submit(bo)
    assert zone.violations() == []


def test_a_budget_holds_for_a_year_of_the_facilitys_calendar(zone: Any) -> None:
    ann = zone.startup(grant=GRANT, until_us=zone.clock.now_us() + 9 * YEAR_S * 1_000_000)
    zone.budget(ann.project_id, "member", ann.member_id, HELD)
    zone.submit(ann)
    assert refusal(zone.ask(ann)).code == "budget_exhausted"
    zone.clock.pass_(YEAR_S)
    zone.submit(ann)


def test_a_refused_one_takes_nothing_from_the_next_of_its_batch(zone: Any) -> None:
    """The second asks for more than there is; the third still fits."""
    ann = zone.startup(grant=2 * HELD)
    large = zone.submission(work={"shots": 1_000_000})
    first, second, third = zone.room.submit(ann, [zone.submission(), large, zone.submission()])
    assert isinstance(first, Accepted)
    assert refusal(second).code == "grant_exhausted"
    assert isinstance(third, Accepted)
    assert zone.figures(ann)["available"] == 0
    assert zone.violations() == []


def test_a_preview_changes_nothing_and_says_what_an_admission_would_do(zone: Any) -> None:
    ann = subsidised(zone, share_ppm=500_000, wallet=HELD // 2)
    previews = [zone.room.quote(ann, [zone.submission()])[0] for _ in range(2)]
    assert previews[0].payers == previews[1].payers
    assert previews[0].missing == 0
    job = zone.submit(ann)
    assert {share["payer"]: share["amount"] for share in previews[0].payers} == shares(zone, job)
    later = zone.room.quote(ann, [zone.submission()])[0]
    assert later.missing == HELD // 2
    assert refusal(zone.ask(ann)).fields["missing"] == later.missing


def test_an_admission_is_for_a_project_even_when_it_has_no_grant(zone: Any) -> None:
    ann = zone.startup(grant=None)
    with zone.database.read() as conn:
        admission = Admission.over(conn, ann, zone.clock.now_us(), zone.ground, {ann.project_id})
        admission.write()
    (answer,) = zone.room.quote(ann, [zone.submission()])
    assert (answer.payers, answer.missing) == ([], HELD)
    assert refusal(zone.ask(ann)).code == "no_grant"


# Races.


RACERS = 64


def race(zone: Any, url: str, callers: list[Any], **changes: Any) -> list[Accepted | Refusal]:
    """64 threads submit at once, through two processes' worth of store."""
    other = open_database(url)
    rooms = [zone.room, Room(zone.new_ground(other))]
    line = threading.Barrier(RACERS, timeout=60)

    def run(number: int) -> Accepted | Refusal:
        asked = zone.submission(name=str(number), **changes)
        line.wait()
        (answer,) = rooms[number % 2].submit(callers[number % len(callers)], [asked])
        assert isinstance(answer, Accepted | Refusal)
        return answer

    try:
        with ThreadPoolExecutor(RACERS) as pool:
            return list(pool.map(run, range(RACERS)))
    finally:
        other.close()


def codes(answers: list[Accepted | Refusal]) -> Counter[str]:
    return Counter("accepted" if isinstance(answer, Accepted) else answer.code for answer in answers)


def test_sixty_four_racers_on_one_grant_hold_no_unit_too_many(everywhere: Any, database_url: str) -> None:
    zone = everywhere
    ann = zone.startup(grant=10 * HELD + HELD - 1)
    answers = race(zone, database_url, [ann])
    assert codes(answers) == {"accepted": 10, "grant_exhausted": RACERS - 10}
    assert zone.figures(ann) == {"settled": 0, "held": 10 * HELD, "available": HELD - 1, "expired": 0}
    assert zone.violations() == []


def test_sixty_four_racers_of_eight_projects_on_one_pool_claim_no_unit_too_many(
    everywhere: Any, database_url: str
) -> None:
    """Each project has means enough of its own; what is short is the programme's pool for the year."""
    zone = everywhere
    pool = 20 * HELD + 7
    callers = [subsidised(zone, f"startup-{n}", pool_year=pool) for n in range(8)]
    answers = race(zone, database_url, callers)
    assert codes(answers) == {"accepted": 20, "wallet_short": RACERS - 20}
    (programme_id,) = (row.id for row, _ in zone.room.list_programmes(zone.operator))
    assert claimed(zone, pool_scope(programme_id, YEAR)) == 20 * HELD
    assert zone.violations() == []


def test_sixty_four_racers_on_a_pool_with_money_of_their_own_take_its_very_last_unit(
    everywhere: Any, database_url: str
) -> None:
    zone = everywhere
    pool = 20 * HELD + 7
    callers = [subsidised(zone, f"startup-{n}", wallet=8 * HELD, pool_year=pool) for n in range(8)]
    answers = race(zone, database_url, callers)
    assert codes(answers) == {"accepted": RACERS}
    (programme_id,) = (row.id for row, _ in zone.room.list_programmes(zone.operator))
    assert claimed(zone, pool_scope(programme_id, YEAR)) == pool
    wallets = sum(zone.room.balance(one, one.project_id)["wallet"]["held"] for one in callers)
    assert wallets == RACERS * HELD - pool
    assert zone.violations() == []


def test_sixty_four_racers_on_one_budget(everywhere: Any, database_url: str) -> None:
    zone = everywhere
    ann = zone.startup(grant=RACERS * HELD)
    zone.budget(ann.project_id, "tag", "thesis", 5 * HELD)
    answers = race(zone, database_url, [ann], tags=("thesis",))
    assert codes(answers) == {"accepted": 5, "budget_exhausted": RACERS - 5}
    assert claimed(zone, f"budget/{ann.project_id}/{YEAR}/tag/thesis") == 5 * HELD
    assert zone.violations() == []


def test_the_queue_limit_is_kept_in_a_race(everywhere: Any, database_url: str) -> None:
    zone = everywhere
    zone.rules = replace(Rules(), queued_max=9)
    zone.ground = zone.new_ground()
    zone.room = Room(zone.ground)
    ann = zone.startup(grant=RACERS * HELD)
    assert codes(race(zone, database_url, [ann])) == {"accepted": 9, "queue_full": RACERS - 9}
    assert zone.violations() == []
