"""The audit of a whole store: silent about sound books, and a sentence for each corruption that is planted."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher import auditor
from dispatcher.auditor import audit_open, audit_store
from dispatcher.verifier import verify_ledger
from store.errors import AppendOnly

GRANT = 10_000_000
HELD = 126_100


@pytest.fixture
def books(led: Any) -> Any:
    """A job of each fate: done, overrun, voided, running; and a second grant that has expired."""
    ann = led.startup(grant=GRANT)
    led.grant(ann.project_id, 5_000, priority=9, until_us=led.clock.now_us() + 60_000_000)
    led.done = led.run(ann).id
    long = led.submit(ann)
    (order,) = led.turn()
    led.succeeded(order, used_us=1_000_000)
    led.turn()
    led.long = long.id
    led.void = led.submit(ann).id
    led.room.cancel(ann, led.void)
    led.turn()
    led.clock.pass_(61)
    led.turn()
    led.budget(ann.project_id, "tag", "thesis", GRANT)
    led.open = led.submit(ann, tags=("thesis",)).id
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.ann = ann
    led.grant_id, led.expired_id = (grant.id for grant in led.room.grants(ann, ann.project_id))
    led.funder_id = led.funder("city")
    return led


NAMES = ("done", "long", "void", "open", "grant_id", "expired_id", "funder_id")


def plant(zone: Any, *statements: str) -> list[str]:
    """Do to this copy what its triggers and checks would refuse; returns what the audit says of it."""
    names = {name: getattr(zone, name) for name in NAMES}
    raw = zone.database._writing.raw_connection()
    try:
        for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            assert raw.execute(statement.format(**names)).rowcount == 1, statement
        raw.commit()
    finally:
        raw.close()
    return audit_store(zone.database).violations


def test_sound_books_are_counted_and_nothing_is_said(books: Any) -> None:
    report = audit_store(books.database)
    assert report.violations == []
    # two grants with two pledges of one programme, four holds, two settled and one voided, one grant expired
    assert report.counts == {"jobs": 4, "entries": 1 + 2 + 4 + 3 + 1, "accounts": 9, "grants": 2, "holds": 4}


def test_an_empty_store_is_sound(everywhere: Any) -> None:
    report = audit_store(everywhere.database)
    assert (report.violations, report.counts) == (
        [],
        dict.fromkeys(("jobs", "entries", "accounts", "grants", "holds"), 0),
    )


SECOND_LEASE = (
    "INSERT INTO attempts (id, job_id, number, token, worker_id, backend, state, leased_us, lease_until_us) "
    "VALUES ('{open}/0.9', '{open}', 9, 99, 'local-1', 'aer', 'leased', 1, 2)"
)
SECOND_SETTLEMENT = (
    "INSERT INTO entries (seq, id, kind, at_us, project_id, job_id, claims, body, hash) "
    "SELECT 999, 'settle/{void}', 'settle', at_us, project_id, '{void}', claims, body, hash "
    "FROM entries WHERE id = 'settle/{done}'"
)
EARNED = "facility/earned/funder/{funder_id}"
OF_ENTRY = "seq = (SELECT seq FROM entries WHERE id ="
SLIPPED_IN = (
    f"INSERT INTO postings SELECT seq, 9, 'grant/{{grant_id}}/available', '{EARNED}', 7, 'CNY' "
    "FROM entries WHERE id = 'settle/{done}'"
)
PLANTED: list[tuple[str, list[str], list[str]]] = [
    (
        "a balance is changed",
        ["UPDATE accounts SET balance = balance + 1 WHERE account = 'grant/{grant_id}/available'"],
        ["account grant/{grant_id}/available stands at", "all accounts in CNY add up to 1 instead of 0"],
    ),
    (
        "money moves between accounts without an entry",
        [
            "UPDATE accounts SET balance = balance - 7 WHERE account = 'grant/{grant_id}/available'",
            f"UPDATE accounts SET balance = balance + 7 WHERE account = '{EARNED}'",
        ],
        [f"account {EARNED} stands at", "captured, held, available and expired add up to"],
    ),
    (
        "money moves between accounts with a posting slipped into an entry",
        [
            SLIPPED_IN,
            "UPDATE accounts SET balance = balance - 7 WHERE account = 'grant/{grant_id}/available'",
            f"UPDATE accounts SET balance = balance + 7 WHERE account = '{EARNED}'",
        ],
        [f"{EARNED} stands at 128707 CNY, the settled holds lead to 128700"],
    ),
    (
        "an account is overdrawn",
        ["UPDATE accounts SET balance = -1 WHERE account = 'grant/{grant_id}/available'"],
        ["account grant/{grant_id}/available stands at -1 CNY; only payers and facility/overrun may be negative"],
    ),
    (
        "a posting is changed",
        [f"UPDATE postings SET amount = amount - 1 WHERE {OF_ENTRY} 'settle/{{done}}') AND position = 0"],
        [
            f"account {EARNED} stands at",
            "entry settle/{done}: 126099 units leave the held accounts, the hold is over 126100",
        ],
    ),
    (
        "a posting is deleted",
        [f"DELETE FROM postings WHERE {OF_ENTRY} 'void/{{void}}')"],
        ["account grant/{grant_id}/available stands at", "entry void/{void}: 0 units leave the held accounts"],
    ),
    (
        "a posting is added",
        [SLIPPED_IN.replace("7", "5")],
        [f"account {EARNED} stands at 128700 CNY, its entries add up to 128705"],
    ),
    (
        "a hold's entry moves another amount",
        [f"UPDATE postings SET amount = 5 WHERE {OF_ENTRY} 'hold/{{open}}')"],
        ["account grant/{grant_id}/held stands at 126100 CNY, its entries add up to 5"],
    ),
    (
        "a job is settled a second time",
        [SECOND_SETTLEMENT],
        ["entry settle/{void} does not fit what came before it: its hold is voided"],
    ),
    (
        "a closed hold is opened again",
        ["UPDATE holds SET state = 'open', capture = '', charged = 0 WHERE job_id = '{done}'"],
        [
            "job {done} has succeeded and its hold is still open",
            "grant/{grant_id}/held has 126100 CNY, the open holds on it add up to 252200",
            "the hold of job {done} has another state, capture than its entries say",
        ],
    ),
    (
        "a hold is opened again and what it captured left",
        ["UPDATE holds SET state = 'open' WHERE job_id = '{done}'"],
        ["the hold of job {done} is open and yet charged 2600"],
    ),
    (
        "an open hold is closed",
        ["UPDATE holds SET state = 'voided' WHERE job_id = '{open}'"],
        [
            "job {open} is running and its hold is already voided",
            "grant/{grant_id}/held has 126100 CNY, the open holds on it add up to 0",
        ],
    ),
    (
        "a hold charges what was not posted",
        ["UPDATE holds SET charged = 2601 WHERE job_id = '{done}'"],
        ["the hold of job {done} is written down as 126100, charged 2601; its lines make 126100, charged 2600"],
    ),
    (
        "a hold captured more than its lines cost",
        ["UPDATE holds SET capture = replace(capture, '[1000,1500,100]', '[1000,1501,100]') WHERE job_id = '{done}'"],
        ["the hold of job {done} was paid 1501 CNY for qpu_ms, due were 1500"],
    ),
    (
        "an overrun is hidden",
        ["UPDATE holds SET overrun = 0 WHERE job_id = '{long}'"],
        ["the hold of job {long}: the facility absorbed 0 CNY instead of 375000"],
    ),
    (
        "a success goes unpaid",
        ["UPDATE holds SET state = 'voided', charged = 0 WHERE job_id = '{done}'"],
        ["job {done} has succeeded and its hold is voided"],
    ),
    (
        "a hold is gone",
        ["DELETE FROM holds WHERE job_id = '{open}'"],
        ["job {open} has no hold", "job {open} has entries and no hold"],
    ),
    (
        "a job is gone",
        ["UPDATE jobs SET id = 'job-other' WHERE id = '{done}'"],
        ["hold of job {done}, which does not exist", "job job-other has no hold"],
    ),
    (
        "a hold stands on another grant",
        ["UPDATE holds SET body = replace(body, '{grant_id}', '{expired_id}') WHERE job_id = '{open}'"],
        ["grant/{expired_id}/held has 0 CNY, the open holds on it add up to 126100"],
    ),
    (
        "a hold's amount is not that of its lines",
        ["UPDATE holds SET amount = amount + 1 WHERE job_id = '{open}'"],
        ["the hold of job {open} is written down as 126101, charged 0; its lines make 126100, charged 0"],
    ),
    (
        "the slices of a hold do not make it up",
        ["""UPDATE holds SET body = replace(body, '"qpu_ms",125000', '"qpu_ms",125001') WHERE job_id = '{open}'"""],
        ["the hold of job {open} has a slice of 125001 CNY worth 125001, not 125000"],
    ),
    (
        "a grant is enlarged",
        ["UPDATE grants SET amount = amount + 1 WHERE id = '{grant_id}'"],
        ["grant {grant_id} of 10000001 CNY: captured, held, available and expired add up to 10000000"],
    ),
    (
        "a grant pays for more than it was given for",
        ["""UPDATE grants SET valid_until_us = valid_until_us + 1 WHERE id = '{grant_id}'"""],
        ["grant {grant_id} is Grant("],
    ),
    (
        "an expired grant lives again",
        ["UPDATE grants SET expired = 0 WHERE id = '{expired_id}'"],
        ["grant {expired_id} is Grant("],
    ),
    (
        "a grant of another project pays",
        ["UPDATE grants SET project_id = 'prj-other' WHERE id = '{grant_id}'"],
        ["grant {grant_id} is Grant(id='{grant_id}'", "project_id='prj-other'"],
    ),
    (
        "a limit forgets what was counted on it",
        ["UPDATE claims SET claimed = claimed - 1 WHERE scope LIKE 'budget/%'"],
        ["/tag/thesis, its entries add up to 126100", "/tag/thesis, its holds add up to 126100"],
    ),
    (
        "a limit is made up",
        ["INSERT INTO claims VALUES ('pool/seed/2026', 9)"],
        ["9 are claimed of pool/seed/2026, its holds add up to 0"],
    ),
    (
        "a job has two leases at once",
        [SECOND_LEASE],
        ["job {open} has two leases at once: {open}/0.1 and {open}/0.9"],
    ),
    (
        "an ended job still has a lease",
        ["UPDATE attempts SET ended_us = NULL, state = 'running' WHERE job_id = '{done}'"],
        ["attempt {done}/0.1 is still running and its job has succeeded"],
    ),
    (
        "a running job is declared done",
        ["UPDATE jobs SET state = 'succeeded', ended_us = 5 WHERE id = '{open}'"],
        ["job {open} has succeeded and its hold is still open", "attempt {open}/0.1 is still running"],
    ),
]


@pytest.mark.parametrize(("statements", "expected"), [one[1:] for one in PLANTED], ids=[one[0] for one in PLANTED])
def test_each_corruption_is_found(books: Any, statements: list[str], expected: list[str]) -> None:
    said = plant(books, *statements)
    names = {name: getattr(books, name) for name in NAMES}
    for sentence in expected:
        assert any(sentence.format(**names) in line for line in said), said


def test_the_store_itself_refuses_what_is_planted_here(books: Any) -> None:
    for statement in ("UPDATE postings SET amount = 1", "DELETE FROM entries", "DELETE FROM postings"):
        with pytest.raises(AppendOnly):
            books.write(lambda conn, statement=statement: conn.exec_driver_sql(statement))


def test_an_audit_beside_a_running_dispatcher_sees_one_moment(led: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits between two reads of the audit would look like violations if it did not read one snapshot."""
    ann = led.startup()
    states_of_jobs = auditor.totals.states_of_jobs

    def meanwhile(conn: Any) -> Any:
        led.submit(ann)
        led.turn()
        return states_of_jobs(conn)

    monkeypatch.setattr(auditor.totals, "states_of_jobs", meanwhile)
    assert audit_store(led.database).violations == []
    monkeypatch.undo()
    assert audit_store(led.database).counts["jobs"] == 1


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE holds SET state = 'voided' WHERE job_id = '{open}'", "job {open} is under way without an open hold"),
        ("DELETE FROM holds WHERE job_id = '{open}'", "job {open} is under way without an open hold"),
        (
            "UPDATE holds SET state = 'open' WHERE job_id = '{done}'",
            "the hold of job {done} is open and no such job is under way",
        ),
    ],
)
def test_what_is_under_way_is_held_for_and_nothing_else(books: Any, statement: str, said: str) -> None:
    with books.database.read() as conn:
        assert audit_open(conn) == []
    plant(books, statement)
    names = {name: getattr(books, name) for name in NAMES}
    with books.database.read() as conn:
        assert audit_open(conn) == [said.format(**names)]
    verdict = verify_ledger(books.database, "", books.folder)
    assert said.format(**names) in map(str, verdict.violations)
