"""A quote is honoured for just the work it was given for, at its price and on its terms, until it expires."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model import Refusal, Submission
from dispatcher.promises import honoured
from store import book
from store.rows import QuoteRow

HELD = 126_100
GRANT = 10_000_000
QUARTER_S = 900


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def quoted(zone: Any, caller: Any, **changes: Any) -> Any:
    (answer,) = zone.room.quote(caller, [zone.submission(**changes)])
    assert not isinstance(answer, Refusal), answer
    return answer


def paid_by(zone: Any, job: Any) -> list[tuple[str, int, str]]:
    with zone.database.read() as conn:
        hold = book.hold_of(conn, job.id)
    sums: dict[tuple[str, str], int] = {}
    for part in hold.slices:
        sums[part.payer, part.rule] = sums.get((part.payer, part.rule), 0) + part.worth
    return [(payer, worth, rule) for (payer, rule), worth in sums.items()]


def test_the_quoted_price_stands_after_the_rates_have_changed(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    ann = zone.startup(grant=GRANT)
    promised = quoted(zone, ann)
    zone.rate("qpu_ms", 9_000)
    zone.clock.pass_(1)
    assert quoted(zone, ann).quote["ceiling"]["micro"] == 1_000 + 250 * 9_000 + 100
    job = zone.submit(ann, quote_id=promised.quote_id)
    assert job.quote == promised.quote
    (order,) = zone.turn()
    zone.succeeded(order, used_us=3_000)
    zone.turn()
    receipt = zone.job(job).receipt
    assert (receipt["charged"], receipt["quoted"]["ceiling"]) == (2_600, HELD)
    assert [rate["unit_price"] for rate in receipt["rates"]] == [1_000, 500, 1]
    assert zone.submit(ann).quote["ceiling"]["micro"] > HELD, "today's price, without the quote"
    assert zone.violations() == []


def test_the_quoted_terms_stand_after_the_terms_have_changed(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    young = zone.programme("young", share_ppm=600_000)
    grant = zone.grant(ann.project_id, GRANT, programme_id=young)
    zone.top_up(ann.project_id, GRANT)
    promised = quoted(zone, ann)
    shares = [(share["payer"], share["amount"], share["share_ppm"]) for share in promised.payers]
    assert shares == [(grant, HELD * 6 // 10, 600_000), ("wallet", HELD * 4 // 10, 1_000_000)]
    zone.terms(young, version=2, share_ppm=100_000)
    job, today = zone.submit(ann, quote_id=promised.quote_id), zone.submit(ann)
    assert paid_by(zone, job) == [(grant, HELD * 6 // 10, f"{young}@1#1"), ("wallet", HELD * 4 // 10, "")]
    assert paid_by(zone, today) == [(grant, HELD // 10, f"{young}@2#1"), ("wallet", HELD * 9 // 10, "")]
    assert zone.violations() == []


def test_that_a_programme_had_no_terms_is_promised_too(everywhere: Any) -> None:
    """The first terms of a programme come into force between the quote and the job."""
    zone = everywhere
    zone.lead()
    ann = zone.startup(grant=None)
    vouchers = zone.programme("vouchers")
    grant = zone.grant(ann.project_id, GRANT)
    promised = quoted(zone, ann)
    assert (promised.missing, [share["worth"] for share in promised.payers]) == (0, [HELD])
    zone.terms(vouchers, share_ppm=300_000, pool_year=10**9)
    assert refusal(zone.ask(ann)).code == "wallet_short"
    job = zone.submit(ann, quote_id=promised.quote_id)
    assert paid_by(zone, job) == [(grant, HELD, f"{vouchers}@0#1")]
    zone.room.cancel(ann, job.id)
    zone.turn()
    assert zone.violations() == []


def test_a_quote_does_not_reserve_means(zone: Any) -> None:
    ann = zone.startup(grant=HELD)
    promised = quoted(zone, ann)
    zone.submit(ann)
    assert refusal(zone.ask(ann, quote_id=promised.quote_id)).code == "grant_exhausted"


def test_a_cap_that_others_used_up_since_is_not_promised(zone: Any) -> None:
    ann, bob = zone.startup(grant=None), zone.startup("zeta", grant=None)
    young = zone.programme("young", pool_year=HELD)
    for caller in (ann, bob):
        zone.grant(caller.project_id, GRANT, programme_id=young)
    promised = quoted(zone, ann)
    zone.submit(bob)
    answer = refusal(zone.ask(ann, quote_id=promised.quote_id))
    assert (answer.code, answer.fields["sources"][0]["why_not_more"]) == ("wallet_short", "pool_year")


def test_a_quote_ends_at_its_moment(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup()
    promised = quoted(zone, ann)
    assert promised.expires_us == zone.clock.now_us() + QUARTER_S * 1_000_000
    zone.clock.at_us = promised.expires_us - 1
    zone.submit(ann, quote_id=promised.quote_id)
    zone.clock.at_us = promised.expires_us
    rows = zone.rows()
    answer = refusal(zone.ask(ann, quote_id=promised.quote_id, name="late"))
    assert (answer.code, answer.fields) == (
        "quote_expired",
        {"quote_id": promised.quote_id, "expires_us": promised.expires_us},
    )
    assert zone.rows() == rows


OTHER: dict[str, dict[str, Any]] = {
    "work": {"work": {"shots": 1_001}},
    "backend": {"backend": "aer"},
    "time limit": {"time_limit_us": 30_000_000},
    "category": {"category": "thesis"},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
def test_a_quote_is_for_the_work_it_was_given_for(zone: Any, changes: dict[str, Any]) -> None:
    ann = zone.startup()
    promised = quoted(zone, ann)
    rows = zone.rows()
    answer = refusal(zone.ask(ann, quote_id=promised.quote_id, **changes))
    assert (answer.code, answer.fields) == ("quote_mismatch", {"quote_id": promised.quote_id})
    assert zone.rows() == rows
    zone.submit(ann, quote_id=promised.quote_id, name="anything else", priority=3, tags=("x",), metadata={"n": 1})


def test_another_projects_quote_is_as_unknown_as_one_that_is_not_there(everywhere: Any) -> None:
    zone = everywhere
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    promised = quoted(zone, ann)
    there = refusal(zone.ask(bob, quote_id=promised.quote_id))
    nowhere = refusal(zone.ask(bob, quote_id="qte-nowhere"))
    assert there.code == nowhere.code == "quote_unknown"
    assert there.detail.replace(promised.quote_id, "qte-nowhere") == nowhere.detail
    job = zone.submit(zone.member(ann.project_id, "member"), quote_id=promised.quote_id)
    assert job.project_id == ann.project_id


def test_a_quote_above_the_max_cost_is_refused_in_the_words_of_any_other_job(zone: Any) -> None:
    ann = zone.startup()
    promised = quoted(zone, ann)
    answer = refusal(zone.ask(ann, quote_id=promised.quote_id, max_cost=HELD - 1))
    assert answer.fields == {"ceiling": HELD, "max_cost": HELD - 1, "asset": "CNY"}
    assert "0.126100 CNY" in answer.detail
    assert "0.126099 CNY" in answer.detail
    zone.submit(ann, quote_id=promised.quote_id, max_cost=HELD)


def test_a_quote_asked_for_with_a_quote_is_todays(zone: Any) -> None:
    """Or a price of last year could be renewed every quarter of an hour."""
    ann = zone.startup(grant=10**9)
    old = quoted(zone, ann)
    zone.rate("qpu_ms", 9_000)
    again = quoted(zone, ann, quote_id=old.quote_id)
    assert again.quote["ceiling"]["micro"] == 1_000 + 250 * 9_000 + 100
    assert again.quote_id != old.quote_id


def test_one_quote_in_a_batch_beside_todays_price(zone: Any) -> None:
    ann = zone.startup(grant=10**9)
    promised = quoted(zone, ann)
    zone.rate("qpu_ms", 9_000)
    asked = [zone.submission(quote_id=promised.quote_id), zone.submission(), zone.submission(quote_id="qte-nowhere")]
    first, second, third = zone.room.submit(ann, asked)
    assert [one.job.quote["ceiling"]["micro"] for one in (first, second)] == [HELD, 1_000 + 250 * 9_000 + 100]
    assert refusal(third).code == "quote_unknown"


def test_the_order_of_the_questions() -> None:
    """Whose it is comes first: nobody learns from a date or a mismatch that another project's quote exists."""
    body = {"quote": {"ceiling": {"micro": 5, "asset": "CNY"}}, "asked": ["auto", None, "general"]}
    row = QuoteRow("qte-1", "acme", "sha256:1", 0, 100, body)

    def code(project_id: str, work_hash: str, now_us: int, **changes: Any) -> str:
        asked = Submission("sampler", b"", "auto", "h", quote_id="qte-1", **changes)
        answer = honoured(row, asked, project_id, work_hash, now_us)
        return answer.code if isinstance(answer, Refusal) else answer.id

    assert code("zeta", "sha256:2", 100, max_cost=1) == "quote_unknown"
    assert code("acme", "sha256:2", 100, max_cost=1) == "quote_expired"
    assert code("acme", "sha256:2", 99, max_cost=1) == "quote_mismatch"
    assert code("acme", "sha256:1", 99, max_cost=4) == "cost_limit"
    assert code("acme", "sha256:1", 99, max_cost=5) == "qte-1"


@pytest.mark.parametrize("kind", ["member", "tag"])
def test_a_quote_tells_of_the_projects_own_budgets(everywhere: Any, kind: str) -> None:
    """What the grants could pay may still be more than a project lets its member or tag spend."""
    zone = everywhere
    ann = zone.startup()
    zone.budget(ann.project_id, kind, {"member": ann.member_id, "tag": "thesis"}[kind], HELD - 1)
    asked = {"tags": ("thesis",)}
    (quoted,) = zone.room.quote(ann, [zone.submission(**asked)])
    refused = zone.ask(ann, **asked)
    assert (quoted.missing, quoted.refusal) == (0, refused)
    assert quoted.refusal.code == "budget_exhausted"
    (free,) = zone.room.quote(zone.member(ann.project_id, "member"), [zone.submission()])
    assert free.refusal is None


def test_a_quote_tells_what_the_job_would_be_refused_for(zone: Any) -> None:
    ann = zone.startup(grant=HELD - 1)
    (quoted,) = zone.room.quote(ann, [zone.submission()])
    assert (quoted.missing, quoted.refusal) == (1, zone.ask(ann))
