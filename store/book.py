"""The ledger's book in the database: loading the part a transaction needs, recording the entries it decided on.

Entries and postings are only ever added. Balances and holds follow from them and stand in tables of their own so that
nobody has to add up the past; `ledger.invariants.audit` proves that they still agree.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, insert, select, update

from ledger import accounts
from ledger.book import Book
from ledger.grant_text import grant_from
from ledger.hold_text import backing_from, capture_from, claims_from, claims_text
from ledger.model import WALLET, Entry, Grant, Hold, Posting
from ledger.terms import cap_scope, pool_scope
from store import budgets, chain, schema, terms
from store.bulk import Bulk, Query, insert_text, streamed
from store.columns import among_many

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
# In two steps, because the check against overdrawing would see the change instead of the balance in an upsert.
_OPEN_ACCOUNT = Bulk("INSERT INTO accounts (account, asset, balance) VALUES (?, ?, 0) ON CONFLICT DO NOTHING")
_CHANGE_BALANCE = Bulk("UPDATE accounts SET balance = balance + ? WHERE account = ? AND asset = ?")
_OPEN_SCOPE = Bulk("INSERT INTO claims (scope, claimed) VALUES (?, 0) ON CONFLICT DO NOTHING")
_CHANGE_CLAIM = Bulk("UPDATE claims SET claimed = claimed + ? WHERE scope = ?")

# Statements of every admission and settlement are built once.
_HOLDS_OF_JOBS = Query(select(_holds).where(among_many(_holds.c.job_id, "ids")))
_GRANTS_OF_PROJECTS = Query(select(_grants).where(among_many(_grants.c.project_id, "ids")))
_GRANTS_BY_ID = Query(select(_grants).where(among_many(_grants.c.id, "ids")))
_CHOSEN_BALANCES = (
    select(_accounts).where(among_many(_accounts.c.account, "names")).order_by(_accounts.c.account, _accounts.c.asset)
)
_BALANCES = Query(_CHOSEN_BALANCES)
_BALANCES_LOCKED = Query(_CHOSEN_BALANCES.with_for_update())
_CLAIMS = Query(select(_claims).where(among_many(_claims.c.scope, "scopes")).order_by(_claims.c.scope))


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

    Holds of the jobs; grants that are named, that belong to the projects or that the holds draw on, with the terms of
    their programmes; balances of all accounts of these grants, of the wallets, of the named programmes and of those of
    the grants, and of what settled holds have earned the facility (a correction gives back of it); budgets of the
    projects; and what has been claimed of caps, pools and budgets in `year`, and by the holds.
    In a writing transaction the head of the chain is locked first, then the balances in the order of their names.
    """
    projects = list(project_ids)
    chain.lock(connection)
    holds = {hold.job_id: hold for hold in _holds_where(connection, list(job_ids))}
    wanted_grants = dict.fromkeys(grant_ids)
    for hold in holds.values():
        wanted_grants.update(dict.fromkeys(part.payer for part in hold.slices if part.payer != WALLET))
    grants = {grant.id: grant for grant in _grants_where(connection, projects, list(wanted_grants))}
    programmes = set(programme_ids)
    names = {accounts.OVERRUN, *map(accounts.programme, programmes)}
    for grant in grants.values():
        names.update((accounts.available(grant.id), accounts.held(grant.id), accounts.expired(grant.id)))
        names.add(accounts.programme(grant.programme_id))
    for project_id in {*projects, *(hold.project_id for hold in holds.values())}:
        names.update((accounts.wallet(project_id), accounts.wallet_held(project_id)))
    for hold in holds.values():
        names.update(_earned_of(hold, grants))
    in_force = terms.in_force(connection, {grant.programme_id for grant in grants.values()})
    limits = budgets.of_projects(connection, projects)
    scopes = {claim.scope for hold in holds.values() for claim in hold.claims}
    scopes.update(budget.scope(year) for several in limits.values() for budget in several)
    for grant in grants.values():
        if grant.programme_id in in_force:
            scopes.add(cap_scope(grant.programme_id, grant.project_id, year))
            scopes.add(pool_scope(grant.programme_id, year))
    return Book(
        grants=grants,
        balances=_balances(connection, sorted(names)),
        holds=holds,
        terms=in_force,
        claims=claimed(connection, sorted(scopes)),
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


def _grants_where(connection: Connection, project_ids: list[str], grant_ids: list[str]) -> list[Grant]:
    found: list[Grant] = []
    if project_ids:
        found.extend(map(_grant_as_stored, _GRANTS_OF_PROJECTS(connection, ids=project_ids)))
    if grant_ids:
        found.extend(map(_grant_as_stored, _GRANTS_BY_ID(connection, ids=grant_ids)))
    return found


def _grant(row: Row[Any]) -> Grant:
    found = dict(row._mapping)
    found["funders"] = tuple((funder_id, weight) for funder_id, weight in row.funders)
    return Grant(**found)


def _grant_as_stored(row: Sequence[Any]) -> Grant:
    """A row that has come past SQLAlchemy: lists are JSON still, and SQLite knows no truth values."""
    grant_id, programme_id, funders, project_id, *terms_of_it, expired, resources, backends, members = row
    shares = tuple((funder_id, weight) for funder_id, weight in orjson.loads(funders))
    asset, amount, valid_from_us, valid_until_us, priority, created_us = terms_of_it
    return Grant(
        id=grant_id,
        programme_id=programme_id,
        funders=shares,
        project_id=project_id,
        asset=asset,
        amount=amount,
        valid_from_us=valid_from_us,
        valid_until_us=valid_until_us,
        priority=priority,
        created_us=created_us,
        expired=bool(expired),
        resources=tuple(orjson.loads(resources)),
        backends=tuple(orjson.loads(backends)),
        members=tuple(orjson.loads(members)),
    )


def _balances(connection: Connection, names: list[str]) -> dict[tuple[str, str], int]:
    wanted = _BALANCES_LOCKED if connection.get_execution_options().get("writes") else _BALANCES
    return {(account, asset): balance for account, asset, balance in wanted(connection, names=names)}


def record(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    """Write entries that have been applied to `book`: postings, balances, claims, holds and the grants they change.

    Raises `Duplicate` when one of the entries was posted before, LookupError when a hold it closes is not open.
    """
    extension = chain.extension_by(connection, entries)
    _INSERT_ENTRY(
        connection,
        [
            (
                seq,
                entry.id,
                entry.kind,
                entry.at_us,
                entry.project_id,
                entry.job_id,
                entry.grant_id,
                entry.programme_id,
                claims_text(entry.claims),
                entry.body,
                linked,
            )
            for entry, (seq, linked) in zip(entries, extension.links, strict=True)
        ],
    )
    postings = []
    changes: dict[tuple[str, str], int] = {}
    counted: dict[str, int] = {}
    for entry, (seq, _) in zip(entries, extension.links, strict=True):
        for position, posting in enumerate(entry.postings):
            source, destination, amount, asset = posting.source, posting.destination, posting.amount, posting.asset
            postings.append((seq, position, source, destination, amount, asset))
            changes[source, asset] = changes.get((source, asset), 0) - amount
            changes[destination, asset] = changes.get((destination, asset), 0) + amount
        for claim in entry.claims:
            counted[claim.scope] = counted.get(claim.scope, 0) + claim.change
    _INSERT_POSTING(connection, postings)
    chain.advance(connection, extension)
    _OPEN_ACCOUNT(connection, sorted(changes))
    moved = [(change, account, asset) for (account, asset), change in sorted(changes.items()) if change]
    _CHANGE_BALANCE(connection, moved)
    _OPEN_SCOPE(connection, [(scope,) for scope in sorted(counted)])
    _CHANGE_CLAIM(connection, [(change, scope) for scope, change in sorted(counted.items()) if change])
    _record_holds(connection, entries, book)
    _record_grants(connection, entries, book)


def _record_holds(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    placed: list[tuple[Any, ...]] = []
    closed: list[tuple[Any, ...]] = []
    for entry in entries:
        if entry.job_id is None:
            continue
        hold = book.holds[entry.job_id]
        claims = claims_text(hold.claims)
        if entry.kind == "hold":
            subject = (hold.job_id, hold.project_id, hold.asset, hold.amount)
            placed.append((*subject, entry.body, "", claims_text(entry.claims), "open", 0, 0, hold.created_us, None))
        else:
            before = "settled" if entry.kind == "correct" else "open"
            # Several corrections may be written at once; the book knows the last, each row its own text.
            figures = (hold.charged, hold.overrun, entry.at_us)
            closed.append((hold.state, entry.body, claims, *figures, hold.job_id, before))
    _INSERT_HOLD(connection, placed)
    if _CLOSE_HOLD(connection, closed) != len(closed):
        raise LookupError("a hold that should be closed is not open")


def _record_grants(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    for entry in entries:
        if entry.kind == "issue":
            _insert_grant(connection, grant_from(entry.body))
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


def _insert_grant(connection: Connection, grant: Grant) -> None:
    connection.execute(
        insert(_grants).values(
            id=grant.id,
            programme_id=grant.programme_id,
            funders=[list(share) for share in grant.funders],
            project_id=grant.project_id,
            asset=grant.asset,
            amount=grant.amount,
            valid_from_us=grant.valid_from_us,
            valid_until_us=grant.valid_until_us,
            priority=grant.priority,
            created_us=grant.created_us,
            expired=False,
            resources=grant.resources,
            backends=grant.backends,
            members=grant.members,
        )
    )


def grants_of(connection: Connection, project_id: str | None) -> list[Grant]:
    """The grants of a project, or all grants, oldest first, expired ones among them."""
    wanted = select(_grants).order_by(_grants.c.created_us, _grants.c.id)
    if project_id is not None:
        wanted = wanted.where(_grants.c.project_id == project_id)
    return list(map(_grant, connection.execute(wanted)))


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
    return list(map(_grant, connection.execute(wanted)))


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
