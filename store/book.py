"""The ledger's book in the database: loading the part a transaction needs, recording the entries it decided on.

Entries and postings are only ever added. Balances and holds follow from them and stand in tables of their own so that
nobody has to add up the past; `ledger.invariants.audit` proves that they still agree.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from ledger import accounts
from ledger.book import Book
from ledger.model import Entry, Grant, Hold, Posting, Slice
from store import chain, schema
from store.bulk import Bulk, insert_text, streamed
from store.columns import among, among_many, to_json
from store.rows import FunderRow, ProgrammeRow

_accounts = schema.accounts
_entries = schema.entries
_postings = schema.postings
_holds = schema.holds
_grants = schema.grants
_funders = schema.funders
_programmes = schema.programmes

_HOLD = tuple(column for column in _holds.columns if column.name != "closed_us")
_INSERT_ENTRY = Bulk(insert_text(_entries))
_INSERT_POSTING = Bulk(insert_text(_postings))
_INSERT_HOLD = Bulk(insert_text(_holds))
_CLOSE_HOLD = Bulk(
    "UPDATE holds SET state = ?, charged = ?, overrun = ?, closed_us = ? WHERE job_id = ? AND state = 'open'"
)
# In two steps, because the check against overdrawing would see the change instead of the balance in an upsert.
_OPEN_ACCOUNT = Bulk("INSERT INTO accounts (account, asset, balance) VALUES (?, ?, 0) ON CONFLICT DO NOTHING")
_CHANGE_BALANCE = Bulk("UPDATE accounts SET balance = balance + ? WHERE account = ? AND asset = ?")

# Statements of every admission and settlement are built once.
_HOLDS_OF_JOBS = select(*_HOLD).where(among_many(_holds.c.job_id, "ids"))
_GRANTS_OF_PROJECTS = select(_grants).where(among_many(_grants.c.project_id, "ids"))
_GRANTS_BY_ID = select(_grants).where(among_many(_grants.c.id, "ids"))
_BALANCES = (
    select(_accounts).where(among_many(_accounts.c.account, "names")).order_by(_accounts.c.account, _accounts.c.asset)
)
_BALANCES_LOCKED = _BALANCES.with_for_update()


def load_book(
    connection: Connection,
    *,
    project_ids: Iterable[str] = (),
    job_ids: Iterable[str] = (),
    grant_ids: Iterable[str] = (),
    programme_ids: Iterable[str] = (),
) -> Book:
    """The part of the book that concerns these subjects, ready for `ledger.core.decide`.

    Holds of the jobs; grants that are named, that belong to the projects or that the holds draw on; balances of all
    accounts of these grants, of the named programmes and their funders, and of the facility. In a writing transaction
    the head of the chain is locked first, then the balances in the order of their names.
    """
    chain.lock(connection)
    holds = {hold.job_id: hold for hold in _holds_where(connection, list(job_ids))}
    wanted_grants = dict.fromkeys(grant_ids)
    for hold in holds.values():
        wanted_grants.update(dict.fromkeys(part.grant_id for part in hold.slices))
    grants = {grant.id: grant for grant in _grants_where(connection, list(project_ids), list(wanted_grants))}
    programmes = list(programme_ids)
    names = {accounts.EARNED, accounts.OVERRUN}
    names.update(accounts.programme(programme_id) for programme_id in programmes)
    if programmes:
        funders = connection.execute(select(_programmes.c.funder_id).where(among(_programmes.c.id, programmes)))
        names.update(accounts.funder(funder_id) for (funder_id,) in funders)
    for grant_id in grants:
        names.update((accounts.available(grant_id), accounts.held(grant_id), accounts.expired(grant_id)))
    return Book(grants=grants, balances=_balances(connection, sorted(names)), holds=holds)


def _holds_where(connection: Connection, job_ids: list[str]) -> list[Hold]:
    if not job_ids:
        return []
    return [_hold(row) for row in connection.execute(_HOLDS_OF_JOBS, {"ids": job_ids})]


def _hold(row: Row[Any]) -> Hold:
    job_id, project_id, asset, amount, slices, state, charged, overrun, created_us = tuple(row)
    parts = tuple([Slice(grant_id, part) for grant_id, part in slices])
    return Hold(job_id, project_id, asset, amount, parts, state, charged, overrun, created_us)


def _grants_where(connection: Connection, project_ids: list[str], grant_ids: list[str]) -> list[Grant]:
    found: list[Grant] = []
    if project_ids:
        found.extend(Grant(*row) for row in connection.execute(_GRANTS_OF_PROJECTS, {"ids": project_ids}))
    if grant_ids:
        found.extend(Grant(*row) for row in connection.execute(_GRANTS_BY_ID, {"ids": grant_ids}))
    return found


def _balances(connection: Connection, names: list[str]) -> dict[tuple[str, str], int]:
    wanted = _BALANCES_LOCKED if connection.get_execution_options().get("writes") else _BALANCES
    return {(account, asset): balance for account, asset, balance in connection.execute(wanted, {"names": names})}


def record(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    """Write entries that have been applied to `book`, with their postings, balances, holds and expired grants.

    The grant of an "issue" entry is written by `insert_grant`, before. Raises `Duplicate` when one of the entries was
    posted before, LookupError when a hold it closes is not open.
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
                linked,
            )
            for entry, (seq, linked) in zip(entries, extension.links, strict=True)
        ],
    )
    postings = []
    changes: dict[tuple[str, str], int] = {}
    for entry, (seq, _) in zip(entries, extension.links, strict=True):
        for position, posting in enumerate(entry.postings):
            source, destination, amount, asset = posting.source, posting.destination, posting.amount, posting.asset
            postings.append((seq, position, source, destination, amount, asset))
            changes[source, asset] = changes.get((source, asset), 0) - amount
            changes[destination, asset] = changes.get((destination, asset), 0) + amount
    _INSERT_POSTING(connection, postings)
    chain.advance(connection, extension)
    _OPEN_ACCOUNT(connection, sorted(changes))
    moved = [(change, account, asset) for (account, asset), change in sorted(changes.items()) if change]
    _CHANGE_BALANCE(connection, moved)
    _record_holds(connection, entries, book)
    expired = [entry.grant_id for entry in entries if entry.kind == "expire" and entry.grant_id is not None]
    if expired:
        connection.execute(update(_grants).where(among(_grants.c.id, expired)).values(expired=True))


def _record_holds(connection: Connection, entries: Sequence[Entry], book: Book) -> None:
    placed, closed = [], []
    for entry in entries:
        if entry.job_id is None:
            continue
        hold = book.holds[entry.job_id]
        if entry.kind == "hold":
            slices = to_json([(part.grant_id, part.amount) for part in hold.slices])
            placed.append(
                (hold.job_id, hold.project_id, hold.asset, hold.amount, slices, "open", 0, 0, hold.created_us, None)
            )
        elif entry.kind in ("settle", "void"):
            closed.append((hold.state, hold.charged, hold.overrun, entry.at_us, hold.job_id))
    _INSERT_HOLD(connection, placed)
    if _CLOSE_HOLD(connection, closed) != len(closed):
        raise LookupError("a hold that should be closed is not open")


def insert_grant(connection: Connection, grant: Grant) -> None:
    """Write a new grant. Raises `Duplicate` for a known id."""
    connection.execute(
        insert(_grants).values(
            id=grant.id,
            programme_id=grant.programme_id,
            funder_id=grant.funder_id,
            project_id=grant.project_id,
            asset=grant.asset,
            amount=grant.amount,
            valid_from_us=grant.valid_from_us,
            valid_until_us=grant.valid_until_us,
            priority=grant.priority,
            created_us=grant.created_us,
            expired=grant.expired,
        )
    )


def grants_of(connection: Connection, project_id: str | None) -> list[Grant]:
    """The grants of a project, or all grants, oldest first, expired ones among them."""
    wanted = select(_grants).order_by(_grants.c.created_us, _grants.c.id)
    if project_id is not None:
        wanted = wanted.where(_grants.c.project_id == project_id)
    return [Grant(*row) for row in connection.execute(wanted)]


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
    return [Grant(*row) for row in connection.execute(wanted)]


def all_entries(connection: Connection) -> Iterator[Entry]:
    """Every entry ever posted, in order; streamed, so read it while the transaction lasts."""
    return _entries_from(streamed(connection, str(_entries_wanted().compile(dialect=connection.dialect))))


def entries_of_project(connection: Connection, project_id: str, since_us: int, until_us: int) -> list[Entry]:
    """The entries of a project with since_us <= at_us < until_us, in order."""
    wanted = _entries_wanted().where(
        _entries.c.project_id == project_id, _entries.c.at_us >= since_us, _entries.c.at_us < until_us
    )
    return list(_entries_from(connection.execute(wanted)))


_ENTRY = tuple(_entries.c[name] for name in ("id", "kind", "at_us", "project_id", "job_id", "grant_id", "programme_id"))
_POSTING = tuple(_postings.c[name] for name in ("source", "destination", "amount", "asset"))
_WIDTH = 1 + len(_ENTRY)


def _entries_wanted() -> Select[tuple[Any, ...]]:
    joined = _entries.outerjoin(_postings, _postings.c.seq == _entries.c.seq)
    return select(_entries.c.seq, *_ENTRY, *_POSTING).select_from(joined).order_by(_entries.c.seq, _postings.c.position)


def _entries_from(rows: Iterable[Sequence[Any]]) -> Iterator[Entry]:
    # There are millions: rows are taken apart by place, and no more is built than is given out.
    for _, group in itertools.groupby(rows, key=operator.itemgetter(0)):
        joined = list(group)
        _, entry_id, kind, at_us, project_id, job_id, grant_id, programme_id, source, *_ = joined[0]
        postings = () if source is None else tuple([Posting(*row[_WIDTH:]) for row in joined])
        yield Entry(entry_id, kind, at_us, postings, project_id, job_id, grant_id, programme_id)


def all_balances(connection: Connection) -> dict[tuple[str, str], int]:
    """What stands on every account, by (account, asset)."""
    rows = connection.execute(select(_accounts).order_by(_accounts.c.account, _accounts.c.asset))
    return {(account, asset): balance for account, asset, balance in rows}


def all_holds(connection: Connection) -> list[Hold]:
    """Every hold, oldest first, closed ones among them."""
    found = connection.execute(select(*_HOLD).order_by(_holds.c.created_us, _holds.c.job_id))
    return [_hold(row) for part in found.partitions(2000) for row in part]


def holds_of_project(connection: Connection, project_id: str) -> list[Hold]:
    """The holds of a project, oldest first, closed ones among them."""
    wanted = select(*_HOLD).where(_holds.c.project_id == project_id).order_by(_holds.c.created_us, _holds.c.job_id)
    return [_hold(row) for row in connection.execute(wanted)]


def hold_of(connection: Connection, job_id: str) -> Hold | None:
    """The hold of one job, or None."""
    found = _holds_where(connection, [job_id])
    return found[0] if found else None


def insert_funder(connection: Connection, funder: FunderRow) -> None:
    """Write a new funder. Raises `Duplicate` for a known id or name."""
    connection.execute(insert(_funders).values(id=funder.id, name=funder.name, created_us=funder.created_us))


def list_funders(connection: Connection) -> list[FunderRow]:
    """All funders, oldest first."""
    wanted = select(_funders).order_by(_funders.c.created_us, _funders.c.id)
    return [FunderRow(*row) for row in connection.execute(wanted)]


def insert_programme(connection: Connection, programme: ProgrammeRow) -> None:
    """Write a new programme. Raises `Duplicate` for a known id, or a name that its funder has used."""
    connection.execute(
        insert(_programmes).values(
            id=programme.id,
            funder_id=programme.funder_id,
            name=programme.name,
            asset=programme.asset,
            created_us=programme.created_us,
        )
    )


def list_programmes(connection: Connection) -> list[ProgrammeRow]:
    """All programmes, oldest first."""
    wanted = select(_programmes).order_by(_programmes.c.created_us, _programmes.c.id)
    return [ProgrammeRow(*row) for row in connection.execute(wanted)]
