"""What must hold of every book at every moment, for tests, the simulator and `qubatord audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ledger import accounts
from ledger.book import Book
from ledger.model import BrokenInvariant, Entry, Grant, Hold

Balances = Mapping[tuple[str, str], int]


def check(book: Book, *, whole: bool = True) -> None:
    """Raise BrokenInvariant with the first violation, if any.

    `whole=False` is for the part of a book that one transaction loads: what needs every account is left out.
    """
    for violation in _violations_of_state(book.balances, book.grants, book.holds, whole=whole):
        raise BrokenInvariant(violation)


def fold(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    """The balances that a history of entries leads to, by (account, asset); accounts at 0 stay in."""
    balances: dict[tuple[str, str], int] = {}
    for entry in entries:
        for posting in entry.postings:
            source, destination = (posting.source, posting.asset), (posting.destination, posting.asset)
            balances[source] = balances.get(source, 0) - posting.amount
            balances[destination] = balances.get(destination, 0) + posting.amount
    return balances


def audit(entries: Iterable[Entry], balances: Balances, grants: Iterable[Grant], holds: Iterable[Hold]) -> list[str]:
    """Every violation in a whole book and its whole history, as sentences; an empty list when the books balance.

    Reads `entries` once, in any order, so it may be an iterator over a database.
    """
    grants_by_id = {grant.id: grant for grant in grants}
    holds_by_job = {hold.job_id: hold for hold in holds}
    history = _History()
    for entry in entries:
        history.add(entry)
    return [
        *_violations_of_state(balances, grants_by_id, holds_by_job, whole=True),
        *_differences(history.balances, balances),
        *_violations_of_history(history, grants_by_id, holds_by_job),
    ]


_CLOSED = {"settle": "settled", "void": "voided"}
_Closing = tuple[str, str, int]
"""Id of the entry, the state it leaves the hold in, and what it charges: all that is kept of it."""


class _History:
    """What an audit keeps of the entries it has read."""

    def __init__(self) -> None:
        self.balances: dict[tuple[str, str], int] = {}
        self.times_posted: Counter[str] = Counter()
        self.held: dict[str, int] = {}
        self.closed: dict[str, list[_Closing]] = {}
        self.issued: dict[str, int] = {}
        self.expired: set[str] = set()

    def add(self, entry: Entry) -> None:
        self.times_posted[entry.id] += 1
        # As `fold` does it; written out, because an audit reads millions of entries.
        balances, amount, earned = self.balances, 0, 0
        for posting in entry.postings:
            moved, asset = posting.amount, posting.asset
            source, destination = (posting.source, asset), (posting.destination, asset)
            balances[source] = balances.get(source, 0) - moved
            balances[destination] = balances.get(destination, 0) + moved
            amount += moved
            if posting.destination == accounts.EARNED:
                earned += moved
        if entry.kind == "hold":
            self.held[entry.job_id or ""] = amount
        elif entry.kind in ("settle", "void"):
            self.closed.setdefault(entry.job_id or "", []).append((entry.id, _CLOSED[entry.kind], earned))
        elif entry.kind == "issue":
            self.issued[entry.grant_id or ""] = amount
        elif entry.kind == "expire":
            self.expired.add(entry.grant_id or "")


def _violations_of_state(
    balances: Balances, grants: Mapping[str, Grant], holds: Mapping[str, Hold], *, whole: bool
) -> Iterator[str]:
    for (account, asset), balance in balances.items():
        if balance < 0 and not accounts.may_be_negative(account):
            yield f"account {account} stands at {balance} {asset}; only funders and facility/overrun may be negative"
        elif balance > 0 and accounts.may_be_negative(account):
            yield f"account {account} stands at {balance} {asset}; money only ever comes from it"
    open_by_grant: dict[str, int] = {}
    for hold in holds.values():
        yield from _violations_of_hold(hold, grants)
        if hold.state == "open":
            for part in hold.slices:
                open_by_grant[part.grant_id] = open_by_grant.get(part.grant_id, 0) + part.amount
    for grant in grants.values():
        held, expected = balances.get((accounts.held(grant.id), grant.asset), 0), open_by_grant.get(grant.id, 0)
        if held < expected or (whole and held != expected):
            yield f"grant {grant.id} has {held} {grant.asset} held, its open holds add up to {expected}"
        left = balances.get((accounts.available(grant.id), grant.asset), 0)
        if grant.expired and left:
            yield f"grant {grant.id} has expired and still has {left} {grant.asset} available"
    if whole:
        yield from _violations_of_whole(balances, grants, holds)


def _violations_of_whole(balances: Balances, grants: Mapping[str, Grant], holds: Mapping[str, Hold]) -> Iterator[str]:
    sums: Counter[str] = Counter()
    for (_, asset), balance in balances.items():
        sums[asset] += balance
    for asset, total in sorted(sums.items()):
        if total:
            yield f"all accounts in {asset} add up to {total} instead of 0"
    settled: Counter[str] = Counter()
    for hold in holds.values():
        due = hold.charged - hold.overrun
        for part in hold.slices:
            captured = min(part.amount, due)
            settled[part.grant_id] += captured
            due -= captured
    for grant in grants.values():
        names = accounts.held(grant.id), accounts.available(grant.id), accounts.expired(grant.id)
        accounted = settled[grant.id] + sum(balances.get((name, grant.asset), 0) for name in names)
        if accounted != grant.amount:
            yield (
                f"grant {grant.id} of {grant.amount} {grant.asset}: "
                f"settled, held, available and expired add up to {accounted}"
            )


def _violations_of_hold(hold: Hold, grants: Mapping[str, Grant]) -> Iterator[str]:
    sliced = sum(part.amount for part in hold.slices)
    if sliced != hold.amount or hold.amount < 1:
        yield f"the hold of job {hold.job_id} is over {hold.amount} {hold.asset}, its slices add up to {sliced}"
    for part in hold.slices:
        grant = grants.get(part.grant_id)
        if grant is None:
            yield f"the hold of job {hold.job_id} stands on grant {part.grant_id}, which is not in the book"
        elif (grant.project_id, grant.asset) != (hold.project_id, hold.asset):
            yield (
                f"the hold of job {hold.job_id} (project {hold.project_id}, {hold.asset}) stands on grant "
                f"{grant.id} of project {grant.project_id} in {grant.asset}"
            )
    if hold.state != "settled" and (hold.charged or hold.overrun):
        yield f"the hold of job {hold.job_id} is {hold.state} and yet charged {hold.charged}"
    if hold.overrun != max(0, hold.charged - hold.amount):
        yield (
            f"job {hold.job_id} was charged {hold.charged} {hold.asset} against a hold of {hold.amount}, "
            f"its overrun is {hold.overrun} instead of {max(0, hold.charged - hold.amount)}"
        )


def _differences(folded: Balances, balances: Balances) -> Iterator[str]:
    for account, asset in sorted(folded.keys() | balances.keys()):
        expected, stands = folded.get((account, asset), 0), balances.get((account, asset), 0)
        if expected != stands:
            yield f"account {account} stands at {stands} {asset}, its entries add up to {expected}"


def _violations_of_history(history: _History, grants: Mapping[str, Grant], holds: Mapping[str, Hold]) -> Iterator[str]:
    for entry_id, times in history.times_posted.items():
        if times > 1:
            yield f"entry {entry_id} was posted {times} times"
    for job_id, closings in history.closed.items():
        if len(closings) > 1:
            yield f"the hold of job {job_id} was closed by {', '.join(entry_id for entry_id, _, _ in closings)}"
        if job_id not in history.held:
            yield f"job {job_id} was closed by {closings[0][0]} without ever having a hold"
    for job_id in sorted(history.held.keys() | holds.keys()):
        yield from _differences_of_hold(job_id, history, holds.get(job_id))
    for grant_id in sorted(history.issued.keys() | grants.keys()):
        grant = grants.get(grant_id)
        if grant is None:
            yield f"entry issue/{grant_id} was posted, the grant is not in the book"
        elif history.issued.get(grant_id) != grant.amount:
            yield f"grant {grant_id} is over {grant.amount}, its entry says {history.issued.get(grant_id, 'nothing')}"
        elif grant.expired != (grant_id in history.expired):
            yield f"grant {grant_id} is {'' if grant.expired else 'not '}marked expired, its entries say otherwise"


def _differences_of_hold(job_id: str, history: _History, hold: Hold | None) -> Iterator[str]:
    if hold is None:
        yield f"entry hold/{job_id} was posted, the hold is not in the book"
        return
    if history.held.get(job_id) != hold.amount:
        yield f"the hold of job {job_id} is over {hold.amount}, its entry says {history.held.get(job_id, 'nothing')}"
    closings = history.closed.get(job_id, [])
    recorded = [state for _, state, _ in closings] or ["open"]
    if hold.state not in recorded:
        yield f"the hold of job {job_id} is {hold.state}, its entries say {' and '.join(recorded)}"
    for entry_id, state, earned in closings:
        if state == hold.state == "settled" and earned != hold.charged:
            yield f"job {job_id} is charged {hold.charged}, entry {entry_id} charges {earned}"
