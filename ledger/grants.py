"""Pledges, grants, their changes and their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from ledger import accounts
from ledger.book import Book
from ledger.commands import (
    ClawBack,
    ExpireGrant,
    FundProgramme,
    IncreaseGrant,
    IssueGrant,
    TransferGrant,
)
from ledger.grant_text import grant_from, grant_text, reason_text
from ledger.model import FULL_PPM, BrokenInvariant, Entry, EntryKind, Grant, Posting, Refusal, in_words

_ROLLED = ".rolled"
GrantCommand = FundProgramme | IssueGrant | IncreaseGrant | TransferGrant | ClawBack | ExpireGrant


def decide(book: Book, command: GrantCommand) -> Entry | Refusal:
    """See `ledger.core.decide`."""
    match command:
        case FundProgramme():
            return fund(command)
        case IssueGrant():
            return issue(book, command)
        case IncreaseGrant():
            return increase(book, command)
        case TransferGrant():
            return transfer(book, command)
        case ClawBack():
            return claw_back(book, command)
        case ExpireGrant():
            return expire(book, command)
        case _:
            assert_never(command)


def fund(command: FundProgramme) -> Entry:
    """A pledge."""
    source, destination = accounts.funder(command.funder_id), accounts.programme(command.programme_id)
    return Entry(
        id=f"fund/{command.entry_id}",
        kind="fund",
        at_us=command.at_us,
        postings=(Posting(source, destination, command.amount, command.asset),),
        programme_id=command.programme_id,
    )


def issue(book: Book, command: IssueGrant) -> Entry | Refusal:
    """A new grant."""
    grant = command.grant
    if grant.expired or grant.amount < 1:
        raise ValueError(f"grant {grant.id} can't be issued: it is marked expired, or empty")
    if grant.id in book.grants:
        return Refusal("grant_exists", f"grant {grant.id} has been issued already", (("grant_id", grant.id),))
    source = accounts.programme(grant.programme_id)
    short = _programme_short(book, grant.programme_id, grant.amount, grant.asset)
    if short is not None:
        return short
    moved = Posting(source, accounts.available(grant.id), grant.amount, grant.asset)
    return replace(_entry("issue", command.at_us, grant, (moved,), grant.id), body=grant_text(grant))


def increase(book: Book, command: IncreaseGrant) -> Entry | Refusal:
    """More for a grant."""
    grant = _usable(book, command.grant_id)
    if isinstance(grant, Refusal):
        return grant
    short = _programme_short(book, grant.programme_id, command.amount, grant.asset)
    if short is not None:
        return short
    source = accounts.programme(grant.programme_id)
    moved = Posting(source, accounts.available(grant.id), command.amount, grant.asset)
    return _entry("increase", command.at_us, grant, (moved,), command.entry_id, command.reason)


def transfer(book: Book, command: TransferGrant) -> Entry | Refusal:
    """From one grant to another."""
    grant, other = _known(book, command.grant_id), _known(book, command.to_grant_id)
    if isinstance(grant, Refusal):
        return grant
    if isinstance(other, Refusal):
        return other
    if (grant.programme_id, grant.asset) != (other.programme_id, other.asset) or grant.id == other.id:
        detail = f"grants {grant.id} and {other.id} are not two grants of one programme in one asset"
        return Refusal("transfer_mismatch", detail, (("grant_id", grant.id), ("to_grant_id", other.id)))
    for one in (grant, other):
        if one.expired:
            return _expired(one)
    short = _grant_short(book, grant, command.amount)
    if short is not None:
        return short
    moved = Posting(accounts.available(grant.id), accounts.available(other.id), command.amount, grant.asset)
    return _entry("transfer", command.at_us, grant, (moved,), command.entry_id, command.reason)


def claw_back(book: Book, command: ClawBack) -> Entry | Refusal:
    """Back to the programme."""
    grant = _known(book, command.grant_id)
    if isinstance(grant, Refusal):
        return grant
    short = _grant_short(book, grant, command.amount)
    if short is not None:
        return short
    destination = accounts.programme(grant.programme_id)
    moved = Posting(accounts.available(grant.id), destination, command.amount, grant.asset)
    return _entry("claw_back", command.at_us, grant, (moved,), command.entry_id, command.reason)


def expire(book: Book, command: ExpireGrant) -> Entry | Refusal:
    """The end of a grant: breakage, but for what its programme lets roll over, once."""
    grant = _usable(book, command.grant_id)
    if isinstance(grant, Refusal):
        return grant
    if command.at_us < grant.valid_until_us:
        detail = f"grant {grant.id} is valid until {grant.valid_until_us} us, now is {command.at_us} us"
        return Refusal("grant_not_due", detail, (("grant_id", grant.id), ("valid_until_us", grant.valid_until_us)))
    source = accounts.available(grant.id)
    left = book.balance(source, grant.asset)
    terms = book.terms.get(grant.programme_id)
    share_ppm = 0 if terms is None or grant.id.endswith(_ROLLED) else terms.rollover_ppm
    rolled = left * share_ppm // FULL_PPM
    parts = ((accounts.expired(grant.id), left - rolled), (accounts.programme(grant.programme_id), rolled))
    moved = tuple(Posting(source, destination, amount, grant.asset) for destination, amount in parts if amount)
    return _entry("expire", command.at_us, grant, moved, grant.id)


def rolled_id(grant_id: str) -> str:
    """The id of the grant that takes what another one carries over: it shows that this one does not roll over again."""
    return grant_id + _ROLLED


def rolled_over(entry: Entry) -> int:
    """What of an expired grant went back to its programme, to be issued anew."""
    return sum(posting.amount for posting in entry.postings if posting.destination.startswith("programme/"))


def after(book: Book, entry: Entry) -> list[Grant]:
    """The grants that an entry changes, as they are after it. Raises BrokenInvariant when it does not fit them."""
    match entry.kind:
        case "issue":
            grant = grant_from(entry.body)
            if grant.id != entry.grant_id or grant.id in book.grants:
                raise BrokenInvariant(f"entry {entry.id} does not fit the book: its grant is another, or known")
            return [grant]
        case "increase" | "transfer" | "claw_back" | "expire":
            subject = book.grants.get(entry.grant_id or "")
            if subject is None or (entry.kind == "expire" and subject.expired):
                raise BrokenInvariant(f"entry {entry.id} does not fit the book: its grant is missing, or expired")
            return list(_after(book, entry, subject))
        case _:
            return []


def _after(book: Book, entry: Entry, subject: Grant) -> Iterator[Grant]:
    """A grant's amount follows what came to its available account, but for breakage, which stays part of it."""
    changes: dict[str, int] = {}
    for posting in entry.postings:
        if posting.destination == accounts.expired(subject.id):
            continue
        changes[posting.source] = changes.get(posting.source, 0) - posting.amount
        changes[posting.destination] = changes.get(posting.destination, 0) + posting.amount
    touched = [subject, *(_other(book, posting) for posting in entry.postings if entry.kind == "transfer")]
    for grant in touched:
        change = changes.get(accounts.available(grant.id), 0)
        yield replace(grant, amount=grant.amount + change, expired=grant.expired or entry.kind == "expire")


def _other(book: Book, posting: Posting) -> Grant:
    found = book.grants.get(accounts.grant_of(posting.destination) or "")
    if found is None:
        raise BrokenInvariant(f"{posting} goes to no grant in the book")
    return found


def _known(book: Book, grant_id: str) -> Grant | Refusal:
    found = book.grants.get(grant_id)
    return found or Refusal("grant_unknown", f"there is no grant {grant_id}", (("grant_id", grant_id),))


def _usable(book: Book, grant_id: str) -> Grant | Refusal:
    found = _known(book, grant_id)
    return _expired(found) if isinstance(found, Grant) and found.expired else found


def _expired(grant: Grant) -> Refusal:
    return Refusal("grant_expired", f"grant {grant.id} has been expired already", (("grant_id", grant.id),))


def _programme_short(book: Book, programme_id: str, amount: int, asset: str) -> Refusal | None:
    available = book.balance(accounts.programme(programme_id), asset)
    if available >= amount:
        return None
    return Refusal(
        "programme_exhausted",
        f"programme {programme_id} has {in_words(available, asset)} left to give, "
        f"{in_words(amount - available, asset)} less than is asked for",
        (("needed", amount), ("available", available), ("asset", asset)),
    )


def _grant_short(book: Book, grant: Grant, amount: int) -> Refusal | None:
    available = book.balance(accounts.available(grant.id), grant.asset)
    if available >= amount:
        return None
    return Refusal(
        "grant_exhausted",
        f"grant {grant.id} has {in_words(available, grant.asset)} available, "
        f"{in_words(amount - available, grant.asset)} less than is to be taken",
        (("needed", amount), ("available", available), ("asset", grant.asset), ("grant_id", grant.id)),
    )


def _entry(
    kind: EntryKind, at_us: int, grant: Grant, postings: tuple[Posting, ...], entry_id: str, reason: str = ""
) -> Entry:
    return Entry(
        id=f"{kind}/{entry_id}",
        kind=kind,
        at_us=at_us,
        postings=postings,
        project_id=grant.project_id,
        grant_id=grant.id,
        programme_id=grant.programme_id,
        body=reason_text(reason) if reason else "",
    )
