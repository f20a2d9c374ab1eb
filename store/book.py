"""The ledger's book in the database: loading the part a transaction needs, recording the entries it decided on.

Entries and postings are only ever added. Balances and holds follow from them and stand in tables of their own so that
nobody has to add up the past; `ledger.invariants.audit` proves that they still agree.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select, update

from ledger import accounts
from ledger.book import Book
from ledger.grant_text import grant_from
from ledger.hold_text import backing_from, capture_from, claims_from, claims_text
from ledger.model import WALLET, Entry, Grant, Hold, Posting
from ledger.terms import cap_scope, pool_scope
from store import budgets, chain, schema, terms
from store.bulk import Bulk, Query, Row, answers, insert_text, streamed, together
from store.columns import among_many
from store.grant_rows import grant_as_stored, grant_of_row, insert_grant

_accounts = schema.accounts
_entries = schema.entries
_postings = schema.postings
_holds = schema.holds
_grants = schema.grants
_claims = schema.claims

_INSERT_ENTRY = Bulk(insert_text(_entries))
_INSERT_POSTING = Bulk(insert_text(_postings))
_INSERT_HOLD = Bulk(insert_text(_holds))
_CLOSE_HOLD = Bulk(
    "UPDATE holds SET state = ?, capture = ?, claims = ?, charged = ?, overrun = ?, closed_us = COALESCE(closed_us, ?) "
    "WHERE job_id = ? AND state = ?"
)
# What is taken is taken by an update: the check against overdrawing would see the change alone in an upsert.
_TAKE = Bulk("UPDATE accounts SET balance = balance + ? WHERE account = ? AND asset = ?")
_GIVE = Bulk(
    "INSERT INTO accounts (balance, account, asset) VALUES (?, ?, ?) "
    "ON CONFLICT (account, asset) DO UPDATE SET balance = accounts.balance + excluded.balance"
)
_UNCLAIM = Bulk("UPDATE claims SET claimed = claimed + ? WHERE scope = ?")
_CLAIM = Bulk(
    "INSERT INTO claims (claimed, scope) VALUES (?, ?) "
    "ON CONFLICT (scope) DO UPDATE SET claimed = claims.claimed + excluded.claimed"
)

# Statements of every admission and settlement are built once.
_HOLDS_OF_JOBS = Query(select(_holds).where(among_many(_holds.c.job_id, "ids")))
_GRANTS_OF_PROJECTS = Query(select(_grants).where(among_many(_grants.c.project_id, "ids")))
_GRANTS_BY_ID = Query(select(_grants).where(among_many(_grants.c.id, "ids")))
_BALANCES = Query(select(_accounts).where(among_many(_accounts.c.account, "names")))
_CLAIMS = Query(select(_claims).where(among_many(_claims.c.scope, "scopes")))


def load_book(
    connection: Connection,
    *,
    project_ids: Iterable[str] = (),
    job_ids: Iterable[str] = (),
    grant_ids: Iterable[str] = (),
    programme_ids: Iterable[str] = (),
    year: int = 0,
) -> Book:
    """The part of the book that concerns these subjects, ready for `ledger.core.decide`.

    Holds of the jobs; grants that are named, that belong to the projects or that the holds draw on; the terms of the
    programmes of the former two; balances of all accounts of the grants, of the wallets, of the named programmes and of
    those of the grants with terms, and of what settled holds have earned the facility (a correction gives back of it);
    budgets of the projects; and what has been claimed of caps, pools and budgets in `year`, and by the holds.
    In a writing transaction the head of the chain is locked first.
    """
    projects, jobs, named = sorted(set(project_ids)), list(job_ids), list(dict.fromkeys(grant_ids))
    found = answers(
        connection,
        head=chain.asked_head(connection),
        holds=_HOLDS_OF_JOBS.asked(connection, ids=jobs) if jobs else None,
        of_projects=_GRANTS_OF_PROJECTS.asked(connection, ids=projects) if projects else None,
        by_id=_GRANTS_BY_ID.asked(connection, ids=named) if named else None,
        budgets=budgets.asked_of_projects(connection, projects) if projects else None,
    )
    if found["head"]:
        chain.remember(connection, found["head"])
    holds = {hold.job_id: hold for hold in map(_hold, found["holds"])}
    grants = {grant.id: grant for grant in map(grant_as_stored, [*found["of_projects"], *found["by_id"]])}
    limits = budgets.budgets_from(found["budgets"])
    programmes = {grant.programme_id for grant in grants.values()}
    payers = {part.payer for hold in holds.values() for part in hold.slices if part.payer != WALLET}
    names = {accounts.OVERRUN, *map(accounts.programme, programmes.union(programme_ids))}
    for grant_id in payers.union(grants):
        names.update((accounts.available(grant_id), accounts.held(grant_id), accounts.expired(grant_id)))
    for project_id in {*projects, *(hold.project_id for hold in holds.values())}:
        names.update((accounts.wallet(project_id), accounts.wallet_held(project_id)))
    scopes = {claim.scope for hold in holds.values() for claim in hold.claims}
    scopes.update(budget.scope(year) for several in limits.values() for budget in several)
    for grant in grants.values():
        scopes.update((cap_scope(grant.programme_id, grant.project_id, year), pool_scope(grant.programme_id, year)))
    payers.difference_update(grants)
    found = answers(
        connection,
        payers=_GRANTS_BY_ID.asked(connection, ids=sorted(payers)) if payers else None,
        terms=terms.asked_in_force(connection, programmes) if programmes else None,
        balances=_BALANCES.asked(connection, names=sorted(names)),
        claims=_CLAIMS.asked(connection, scopes=sorted(scopes)) if scopes else None,
    )
    grants |= {grant.id: grant for grant in map(grant_as_stored, found["payers"])}
    balances = _balances(found["balances"])
    earned = {name for hold in holds.values() for name in _earned_of(hold, grants)}
    if earned:
        balances |= _balances(_BALANCES(connection, names=sorted(earned)))
    return Book(
        grants=grants,
        balances=balances,
        holds=holds,
        terms=terms.in_force_from(found["terms"]),
        claims=dict(found["claims"]),
        budgets=limits,
    )


def _earned_of(hold: Hold, grants: Mapping[str, Grant]) -> Iterator[str]:
    if hold.state == "settled":
        yield from (accounts.EARNED_OF_OVERRUN, accounts.EARNED_OF_WALLETS)
        for part in hold.slices:
            if part.payer != WALLET:
                yield from (accounts.earned(funder_id) for funder_id, _ in grants[part.payer].funders)


def whole_book(connection: Connection) -> Book:
    """All of it, for an audit."""
    rows = connection.execute(select(_claims).order_by(_claims.c.scope))
    return Book(
        grants={grant.id: grant for grant in all_grants(connection)},
        balances=all_balances(connection),
        holds={hold.job_id: hold for hold in all_holds(connection)},
        claims=dict(map(tuple, rows)),
    )


def claimed(connection: Connection, scopes: list[str]) -> dict[str, int]:
    """What stands on limits, by scope; untouched ones are left out."""
    if not scopes:
        return {}
    return dict(_CLAIMS(connection, scopes=scopes))


def _holds_where(connection: Connection, job_ids: list[str]) -> list[Hold]:
    if not job_ids:
        return []
    return [_hold(row) for row in _HOLDS_OF_JOBS(connection, ids=job_ids)]


def _hold(row: Sequence[Any]) -> Hold:
    job_id, project_id, asset, _, body, captured, claims, state, _, overrun, created_us, _ = row
    backing = backing_from(body)
    capture = capture_from(captured) if captured else None
    return Hold(
        job_id=job_id,
        project_id=project_id,
        asset=asset,
        lines=backing.lines,
        slices=backing.slices,
        state=state,
        created_us=created_us,
        claims=claims_from(claims),
        cuts=backing.cuts,
        settled=capture.lines if capture else (),
        captured=capture.captured if capture else (),
        overrun=overrun,
    )


def _balances(rows: Iterable[Sequence[Any]]) -> dict[tuple[str, str], int]:
    return {(account, asset): balance for account, asset, balance in rows}


def record(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    """Write entries that have been applied to `book`: postings, balances, claims, holds and the grants they change.

    Raises `Duplicate` when one of the entries was posted before, LookupError when a hold it closes is not open or an
    account it takes from is not there.
    """
    if not entries:
        return
    extension = chain.extension_by(connection, entries)
    rows: list[Row] = []
    postings: list[Row] = []
    changes: dict[tuple[str, str], int] = {}
    counted: dict[str, int] = {}
    for entry, (seq, linked) in zip(entries, extension.links, strict=True):
        subjects = (entry.project_id, entry.job_id, entry.grant_id, entry.programme_id)
        claims = claims_text(entry.claims)
        rows.append((seq, entry.id, entry.kind, entry.at_us, *subjects, claims, entry.body, linked))
        for position, posting in enumerate(entry.postings):
            source, destination, amount, asset = posting.source, posting.destination, posting.amount, posting.asset
            postings.append((seq, position, source, destination, amount, asset))
            changes[source, asset] = changes.get((source, asset), 0) - amount
            changes[destination, asset] = changes.get((destination, asset), 0) + amount
        for claim in entry.claims:
            counted[claim.scope] = counted.get(claim.scope, 0) + claim.change
    taken: list[Row] = []
    given: list[Row] = []
    for (account, asset), change in sorted(changes.items()):
        takes = change < 0 and not accounts.may_be_negative(account)
        (taken if takes else given).append((change, account, asset))
    unclaimed = [(change, scope) for scope, change in sorted(counted.items()) if change < 0]
    claimed_now = [(change, scope) for scope, change in sorted(counted.items()) if change >= 0]
    placed, closed = _holds_after(entries, book)
    written = [
        (_INSERT_ENTRY, rows, None),
        (_INSERT_POSTING, postings, None),
        (_TAKE, taken, "an account that is taken from is not there"),
        (_GIVE, given, None),
        (_UNCLAIM, unclaimed, "a limit that is given back to is not there"),
        (_CLAIM, claimed_now, None),
        (_INSERT_HOLD, placed, None),
        (_CLOSE_HOLD, closed, "a hold that should be closed is not open"),
    ]
    there = [one for one in written if one[1]]
    asked = [statement.asked(connection, values) for statement, values, _ in there]
    cursors = together(connection, [*asked, *chain.advancing(connection, extension)])
    for (_, values, otherwise), cursor in zip(there, cursors, strict=False):
        if otherwise is not None and cursor.rowcount != len(values):
            raise LookupError(otherwise)
    _record_grants(connection, entries, book)


def _holds_after(entries: Sequence[Entry], book: Book) -> tuple[list[Row], list[Row]]:
    """The rows of new holds, and the changes of those that are closed or corrected."""
    placed: list[Row] = []
    closed: list[Row] = []
    for entry in entries:
        if entry.job_id is None:
            continue
        hold = book.holds[entry.job_id]
        if entry.kind == "hold":
            subject = (hold.job_id, hold.project_id, hold.asset, hold.amount)
            placed.append((*subject, entry.body, "", claims_text(entry.claims), "open", 0, 0, hold.created_us, None))
        else:
            before = "settled" if entry.kind == "correct" else "open"
            # Several corrections may be written at once; the book knows the last, each row its own text.
            figures = (hold.charged, hold.overrun, entry.at_us)
            closed.append((hold.state, entry.body, claims_text(hold.claims), *figures, hold.job_id, before))
    return placed, closed


def _record_grants(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    for entry in entries:
        if entry.kind == "issue":
            insert_grant(connection, grant_from(entry.body))
    changed: set[str] = set()
    for entry in entries:
        if entry.kind in ("increase", "transfer", "claw_back", "expire") and entry.grant_id is not None:
            changed.add(entry.grant_id)
            if entry.kind == "transfer":
                changed.update(filter(None, (accounts.grant_of(posting.destination) for posting in entry.postings)))
    for grant_id in sorted(changed):
        grant = book.grants[grant_id]
        stands = {"amount": grant.amount, "expired": grant.expired}
        connection.execute(update(_grants).where(_grants.c.id == grant_id).values(**stands))


def grants_of(connection: Connection, project_id: str | None) -> list[Grant]:
    """The grants of a project, or all grants, oldest first, expired ones among them."""
    wanted = select(_grants).order_by(_grants.c.created_us, _grants.c.id)
    if project_id is not None:
        wanted = wanted.where(_grants.c.project_id == project_id)
    return list(map(grant_of_row, connection.execute(wanted)))


def all_grants(connection: Connection) -> list[Grant]:
    """Every grant, oldest first."""
    return grants_of(connection, None)


def due_grants(connection: Connection, now_us: int) -> list[Grant]:
    """Grants whose time is over and that have not been expired yet, the longest overdue first."""
    wanted = (
        select(_grants)
        .where(_grants.c.expired.is_(False), _grants.c.valid_until_us <= now_us)
        .order_by(_grants.c.valid_until_us, _grants.c.id)
    )
    return list(map(grant_of_row, connection.execute(wanted)))


def all_entries(connection: Connection) -> Iterator[Entry]:
    """Every entry ever posted, in order; streamed, so read it while the transaction lasts."""
    return _entries_from(streamed(connection, str(_entries_wanted().compile(dialect=connection.dialect))))


def entries_of_project(connection: Connection, project_id: str, since_us: int, until_us: int) -> list[Entry]:
    """The entries of a project with since_us <= at_us < until_us, in order."""
    wanted = _entries_wanted().where(
        _entries.c.project_id == project_id, _entries.c.at_us >= since_us, _entries.c.at_us < until_us
    )
    return list(_entries_from(connection.execute(wanted)))


_ENTRY = tuple(
    _entries.c[name]
    for name in ("id", "kind", "at_us", "project_id", "job_id", "grant_id", "programme_id", "claims", "body")
)
_POSTING = tuple(_postings.c[name] for name in ("source", "destination", "amount", "asset"))
_WIDTH = 1 + len(_ENTRY)


def _entries_wanted() -> Select[tuple[Any, ...]]:
    joined = _entries.outerjoin(_postings, _postings.c.seq == _entries.c.seq)
    return select(_entries.c.seq, *_ENTRY, *_POSTING).select_from(joined).order_by(_entries.c.seq, _postings.c.position)


def _entries_from(rows: Iterable[Sequence[Any]]) -> Iterator[Entry]:
    # There are millions: rows are taken apart by place, and no more is built than is given out.
    for _, group in itertools.groupby(rows, key=operator.itemgetter(0)):
        joined = list(group)
        _, entry_id, kind, at_us, project_id, job_id, grant_id, programme_id, claims, body, source, *_ = joined[0]
        postings = () if source is None else tuple([Posting(*row[_WIDTH:]) for row in joined])
        subjects = (project_id, job_id, grant_id, programme_id)
        yield Entry(entry_id, kind, at_us, postings, *subjects, claims_from(claims), body)


def entries_of_job(connection: Connection, job_id: str) -> list[Entry]:
    """The entries of one job, in order."""
    return list(_entries_from(connection.execute(_entries_wanted().where(_entries.c.job_id == job_id))))


def entry_of(connection: Connection, entry_id: str) -> Entry | None:
    """One entry, or None."""
    return next(_entries_from(connection.execute(_entries_wanted().where(_entries.c.id == entry_id))), None)


def all_balances(connection: Connection) -> dict[tuple[str, str], int]:
    """What stands on every account, by (account, asset)."""
    rows = connection.execute(select(_accounts).order_by(_accounts.c.account, _accounts.c.asset))
    return {(account, asset): balance for account, asset, balance in rows}


def all_holds(connection: Connection) -> list[Hold]:
    """Every hold, oldest first, closed ones among them."""
    found = connection.execute(select(_holds).order_by(_holds.c.created_us, _holds.c.job_id))
    return [_hold(row) for part in found.partitions(2000) for row in part]


def holds_of_project(connection: Connection, project_id: str) -> list[Hold]:
    """The holds of a project, oldest first, closed ones among them."""
    wanted = select(_holds).where(_holds.c.project_id == project_id).order_by(_holds.c.created_us, _holds.c.job_id)
    return [_hold(row) for row in connection.execute(wanted)]


def hold_of(connection: Connection, job_id: str) -> Hold | None:
    """The hold of one job, or None."""
    found = _holds_where(connection, [job_id])
    return found[0] if found else None
