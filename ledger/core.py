"""Load, decide, apply: the whole behaviour of the book.

The shell asks `accounts_of` what to lock and loads a `Book`; `decide` answers with the entry to record or a refusal and
changes nothing; `apply` brings the book up to date with an entry. Admission (`PlaceHold`) may refuse for want of means;
settlement may not, because the work has been done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, assert_never

from ledger import accounts
from ledger.book import Book
from ledger.commands import Command, ExpireGrant, FundProgramme, IssueGrant, PlaceHold, SettleHold, VoidHold
from ledger.model import BrokenInvariant, Entry, Grant, Hold, Posting, Refusal, Slice, in_words

T = TypeVar("T")


def accounts_of(command: Command, book: Book) -> tuple[str, ...]:
    """The accounts a command may touch, sorted: lock them in this order. The asset follows from the command."""
    match command:
        case FundProgramme():
            names = {accounts.funder(command.funder_id), accounts.programme(command.programme_id)}
        case IssueGrant(grant=grant):
            names = {accounts.programme(grant.programme_id), accounts.available(grant.id)}
        case PlaceHold():
            names = set()
            for grant in book.wallet(command.project_id, command.asset):
                names |= {accounts.available(grant.id), accounts.held(grant.id)}
        case SettleHold():
            names = _accounts_of_hold(book.holds.get(command.job_id)) | {accounts.EARNED, accounts.OVERRUN}
        case VoidHold():
            names = _accounts_of_hold(book.holds.get(command.job_id))
        case ExpireGrant():
            names = {accounts.available(command.grant_id), accounts.expired(command.grant_id)}
        case _:
            assert_never(command)
    return tuple(sorted(names))


def _accounts_of_hold(hold: Hold | None) -> set[str]:
    names: set[str] = set()
    for part in hold.slices if hold is not None else ():
        names |= {accounts.available(part.grant_id), accounts.held(part.grant_id), accounts.expired(part.grant_id)}
    return names


def decide(book: Book, command: Command) -> Entry | Refusal:
    """The entry that carries the command out, or why it can't be. The book stays as it is.

    Refusal codes, checked in this order:
    - IssueGrant: grant_exists, programme_exhausted (needed, available, asset).
    - PlaceHold: hold_exists, no_grant, grant_not_started, grant_expired, grant_exhausted (needed, available, asset).
    - SettleHold, VoidHold: hold_unknown, hold_closed.
    - ExpireGrant: grant_unknown, grant_expired, grant_not_due.
    FundProgramme is never refused; the store's unique entry id keeps a pledge from being posted twice.

    Raises ValueError for an amount that no caller may ask for (a hold below 1, a negative charge).
    """
    match command:
        case PlaceHold():
            return _place(book, command)
        case SettleHold():
            return _settle(book, command)
        case VoidHold():
            return _void(book, command)
        case FundProgramme():
            return _fund(command)
        case IssueGrant():
            return _issue(book, command)
        case ExpireGrant():
            return _expire(book, command)
        case _:
            assert_never(command)


def _fund(command: FundProgramme) -> Entry:
    source, destination = accounts.funder(command.funder_id), accounts.programme(command.programme_id)
    return Entry(
        id=f"fund/{command.entry_id}",
        kind="fund",
        at_us=command.at_us,
        postings=(Posting(source, destination, command.amount, command.asset),),
        programme_id=command.programme_id,
    )


def _issue(book: Book, command: IssueGrant) -> Entry | Refusal:
    grant = command.grant
    if grant.expired:
        raise ValueError(f"grant {grant.id} can't be issued: it is marked expired")
    if grant.id in book.grants:
        return Refusal("grant_exists", f"grant {grant.id} has been issued already", (("grant_id", grant.id),))
    source = accounts.programme(grant.programme_id)
    available = book.balance(source, grant.asset)
    if available < grant.amount:
        return Refusal(
            "programme_exhausted",
            f"programme {grant.programme_id} has {in_words(available, grant.asset)} left to give, "
            f"{in_words(grant.amount - available, grant.asset)} less than this grant",
            (("needed", grant.amount), ("available", available), ("asset", grant.asset)),
        )
    return Entry(
        id=f"issue/{grant.id}",
        kind="issue",
        at_us=command.at_us,
        postings=(Posting(source, accounts.available(grant.id), grant.amount, grant.asset),),
        project_id=grant.project_id,
        grant_id=grant.id,
        programme_id=grant.programme_id,
    )


def _place(book: Book, command: PlaceHold) -> Entry | Refusal:
    amount, asset, at_us = command.amount, command.asset, command.at_us
    if amount < 1:
        raise ValueError(f"job {command.job_id}: a hold is at least 1 unit, not {amount}")
    if command.job_id in book.holds:
        return Refusal("hold_exists", f"job {command.job_id} has a hold already", (("job_id", command.job_id),))
    missing, any_valid = amount, False
    postings: list[Posting] = []
    for grant in book.wallet(command.project_id, asset):
        if grant.expired or not grant.valid_from_us <= at_us < grant.valid_until_us:
            continue
        any_valid = True
        source = accounts.available(grant.id)
        taken = min(book.balances.get((source, asset), 0), missing)
        if taken > 0:
            postings.append(Posting(source, accounts.held(grant.id), taken, asset))
            missing -= taken
            if not missing:
                break
    if missing:
        return _no_means(book, command, any_valid=any_valid, available=amount - missing)
    return Entry(
        id=f"hold/{command.job_id}",
        kind="hold",
        at_us=at_us,
        postings=tuple(postings),
        project_id=command.project_id,
        job_id=command.job_id,
    )


def _no_means(book: Book, command: PlaceHold, *, any_valid: bool, available: int) -> Refusal:
    project, asset = command.project_id, command.asset
    wallet = book.wallet(project, asset)
    if not wallet:
        return Refusal("no_grant", f"project {project} has no grant in {asset}", (("asset", asset),))
    if any_valid:
        return Refusal(
            "grant_exhausted",
            f"the project's grants have {in_words(available, asset)} available and this job may cost up to "
            f"{in_words(command.amount, asset)}; ask for fewer shots or parameter sets, or for a larger grant",
            (("needed", command.amount), ("available", available), ("asset", asset)),
        )
    starts_us = [grant.valid_from_us for grant in wallet if not grant.expired and command.at_us < grant.valid_from_us]
    if starts_us:
        detail = f"no grant of project {project} in {asset} has started yet"
        return Refusal("grant_not_started", detail, (("asset", asset), ("valid_from_us", min(starts_us))))
    detail = f"every grant of project {project} in {asset} has expired"
    latest_us = max(grant.valid_until_us for grant in wallet)
    return Refusal("grant_expired", detail, (("asset", asset), ("valid_until_us", latest_us)))


def _settle(book: Book, command: SettleHold) -> Entry | Refusal:
    if command.charge < 0:
        raise ValueError(f"job {command.job_id}: a charge is at least 0, not {command.charge}")
    hold = _open_hold(book, command.job_id)
    if isinstance(hold, Refusal):
        return hold
    postings: list[Posting] = []
    due = command.charge
    for part in hold.slices:
        captured = min(part.amount, due)
        if captured:
            postings.append(Posting(accounts.held(part.grant_id), accounts.EARNED, captured, hold.asset))
            due -= captured
        if captured < part.amount:
            postings.append(_release(book, part.grant_id, part.amount - captured, hold.asset))
    if due:
        postings.append(Posting(accounts.OVERRUN, accounts.EARNED, due, hold.asset))
    return _closing(hold, "settle", command.at_us, postings)


def _void(book: Book, command: VoidHold) -> Entry | Refusal:
    hold = _open_hold(book, command.job_id)
    if isinstance(hold, Refusal):
        return hold
    postings = [_release(book, part.grant_id, part.amount, hold.asset) for part in hold.slices]
    return _closing(hold, "void", command.at_us, postings)


def _open_hold(book: Book, job_id: str) -> Hold | Refusal:
    hold = book.holds.get(job_id)
    if hold is None:
        return Refusal("hold_unknown", f"job {job_id} has no hold", (("job_id", job_id),))
    if hold.state != "open":
        detail = f"the hold of job {job_id} is closed: it has been {hold.state}"
        return Refusal("hold_closed", detail, (("job_id", job_id), ("state", hold.state)))
    return hold


def _release(book: Book, grant_id: str, amount: int, asset: str) -> Posting:
    """A hold pins its slices past the expiry; what comes back after it is expired, not available."""
    back_to = accounts.expired if book.grants[grant_id].expired else accounts.available
    return Posting(accounts.held(grant_id), back_to(grant_id), amount, asset)


def _closing(hold: Hold, kind: str, at_us: int, postings: list[Posting]) -> Entry:
    return Entry(
        id=f"{kind}/{hold.job_id}",
        kind="settle" if kind == "settle" else "void",
        at_us=at_us,
        postings=tuple(postings),
        project_id=hold.project_id,
        job_id=hold.job_id,
    )


def _expire(book: Book, command: ExpireGrant) -> Entry | Refusal:
    grant = book.grants.get(command.grant_id)
    if grant is None:
        return Refusal("grant_unknown", f"there is no grant {command.grant_id}", (("grant_id", command.grant_id),))
    if grant.expired:
        return Refusal("grant_expired", f"grant {grant.id} has been expired already", (("grant_id", grant.id),))
    if command.at_us < grant.valid_until_us:
        detail = f"grant {grant.id} is valid until {grant.valid_until_us} us, now is {command.at_us} us"
        return Refusal("grant_not_due", detail, (("grant_id", grant.id), ("valid_until_us", grant.valid_until_us)))
    source = accounts.available(grant.id)
    left = book.balance(source, grant.asset)
    return Entry(
        id=f"expire/{grant.id}",
        kind="expire",
        at_us=command.at_us,
        postings=(Posting(source, accounts.expired(grant.id), left, grant.asset),) if left else (),
        project_id=grant.project_id,
        grant_id=grant.id,
        programme_id=grant.programme_id,
    )


def apply(book: Book, entry: Entry, *, grant: Grant | None = None) -> None:
    """Bring the book up to date with an entry that `decide` gave for it; `grant` is needed for kind "issue" only.

    Raises BrokenInvariant, and leaves the book as it was, when the entry doesn't fit the book: posted before, a hold
    that isn't open, an account that would be overdrawn.
    """
    _check_fits(book, entry, grant)
    opened = _hold_from(entry) if entry.kind == "hold" else None
    changed: dict[tuple[str, str], int] = {}
    for posting in entry.postings:
        for account, change in ((posting.source, -posting.amount), (posting.destination, posting.amount)):
            key = (account, posting.asset)
            changed[key] = changed.get(key, book.balances.get(key, 0)) + change
    for (account, asset), balance in changed.items():
        if balance < 0 and not accounts.may_be_negative(account):
            raise BrokenInvariant(f"entry {entry.id} would leave {balance} {asset} on {account}")
    book.balances.update(changed)
    match entry.kind:
        case "hold":
            hold = _subject(opened, entry)
            book.holds[hold.job_id] = hold
        case "settle" | "void":
            hold = book.holds[_subject(entry.job_id, entry)]
            book.holds[hold.job_id] = _closed(hold, entry)
        case "issue":
            book.put_grant(_subject(grant, entry))
        case "expire":
            book.put_grant(replace(book.grants[_subject(entry.grant_id, entry)], expired=True))
        case "fund":
            pass
        case _:
            assert_never(entry.kind)


def _check_fits(book: Book, entry: Entry, grant: Grant | None) -> None:
    match entry.kind:
        case "hold":
            fits = _subject(entry.job_id, entry) not in book.holds and bool(entry.postings)
        case "settle" | "void":
            hold = book.holds.get(_subject(entry.job_id, entry))
            fits = hold is not None and hold.state == "open"
        case "issue":
            fits = grant is not None and grant.id == entry.grant_id and grant.id not in book.grants
        case "expire":
            known = book.grants.get(_subject(entry.grant_id, entry))
            fits = known is not None and not known.expired
        case "fund":
            fits = True
        case _:
            assert_never(entry.kind)
    if not fits:
        raise BrokenInvariant(f"entry {entry.id} does not fit the book: posted before, or its subject is missing")


def _subject(value: T | None, entry: Entry) -> T:
    if value is None:
        raise BrokenInvariant(f"entry {entry.id} does not name its subject")
    return value


def _hold_from(entry: Entry) -> Hold:
    slices = []
    for posting in entry.postings:
        grant_id = accounts.held_grant(posting.destination)
        slices.append(Slice(_subject(grant_id, entry), posting.amount))
    return Hold(
        job_id=_subject(entry.job_id, entry),
        project_id=_subject(entry.project_id, entry),
        asset=entry.postings[0].asset,
        amount=sum(part.amount for part in slices),
        slices=tuple(slices),
        state="open",
        charged=0,
        overrun=0,
        created_us=entry.at_us,
    )


def _closed(hold: Hold, entry: Entry) -> Hold:
    return Hold(
        job_id=hold.job_id,
        project_id=hold.project_id,
        asset=hold.asset,
        amount=hold.amount,
        slices=hold.slices,
        state="settled" if entry.kind == "settle" else "voided",
        charged=sum(posting.amount for posting in entry.postings if posting.destination == accounts.EARNED),
        overrun=sum(posting.amount for posting in entry.postings if posting.source == accounts.OVERRUN),
        created_us=hold.created_us,
    )
