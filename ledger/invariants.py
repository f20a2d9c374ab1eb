"""What must hold of every book at every moment, for tests, the simulator and `qubatord audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ledger import accounts
from ledger.book import Book
from ledger.core import apply
from ledger.model import FULL_PPM, WALLET, BrokenInvariant, Entry, Grant, Hold, Line, Slice
from ledger.screening import Sums
from ledger.terms import programme_of_scope

Balances = Mapping[tuple[str, str], int]


def check(book: Book, *, whole: bool = True) -> None:
    """Raise BrokenInvariant with the first violation, if any.

    `whole=False` is for the part of a book that one transaction loads: what needs every account is left out.
    """
    for violation in violations(book, whole=whole):
        raise BrokenInvariant(violation)


def replay(entries: Iterable[Entry]) -> tuple[Book, list[str]]:
    """The book that a history leads to, and a sentence for every entry that does not fit what came before it.

    `entries` in the order in which they were posted; read once, so it may be an iterator over a database.
    """
    book, found, seen = Book.empty(), [], set()
    for entry in entries:
        if entry.id in seen:
            found.append(f"entry {entry.id} was posted twice")
            continue
        seen.add(entry.id)
        found += [f"entry {entry.id}: {sentence}" for sentence in _odd(book, entry)]
        try:
            apply(book, replace(entry, meant=None))  # a history is its texts
        except (BrokenInvariant, KeyError, TypeError, ValueError) as error:
            found.append(f"entry {entry.id} can't have been posted: {error}")
    return book, found


def audit(entries: Iterable[Entry], book: Book) -> list[str]:
    """Every violation in a whole book and its whole history, as sentences; an empty list when the books balance.

    Everything in the book but terms and budgets is a cache: the history alone must lead to it.
    """
    replayed, found = replay(entries)
    return [*found, *violations(book, whole=True), *differences(replayed, book)]


def _odd(book: Book, entry: Entry) -> Iterator[str]:
    """Whether the postings of an entry about a job move what its text says."""
    if entry.kind in ("settle", "void", "correct"):
        hold = book.holds.get(entry.job_id or "")
        if hold is None:
            return
        from_held = sum(
            posting.amount
            for posting in entry.postings
            if accounts.held_grant(posting.source) or posting.source == accounts.wallet_held(hold.project_id)
        )
        expected = sum(part.amount for part in hold.slices) if hold.state == "open" else 0
        if from_held != expected:
            yield f"{from_held} units leave the held accounts, the hold is over {expected}"


def violations(book: Book, *, whole: bool) -> Iterator[str]:
    """What is wrong with a book as it stands."""
    sums = Sums()
    for hold in book.holds.values():
        yield from violations_of_hold(hold, book.grants)
        sums.add(hold, book.grants)
    yield from violations_of_state(book, sums, whole=whole)


def violations_of_state(book: Book, sums: Sums, *, whole: bool) -> Iterator[str]:
    """What is wrong with balances, claims and grants, given what all holds add up to."""
    for (account, asset), balance in book.balances.items():
        if balance < 0 and not accounts.may_be_negative(account):
            yield f"account {account} stands at {balance} {asset}; only payers and facility/overrun may be negative"
        elif balance > 0 and accounts.may_be_negative(account):
            yield f"account {account} stands at {balance} {asset}; money only ever comes from it"
    yield from _violations_of_held(sums.held, book, whole=whole)
    if whole:
        yield from _violations_of_whole(book, sums)
        yield from _violations_of_earnings(book, sums.earned(book.grants))


def _violations_of_held(held: Mapping[tuple[str, str], int], book: Book, *, whole: bool) -> Iterator[str]:
    keys = {(accounts.held(grant.id), grant.asset) for grant in book.grants.values()} | held.keys()
    if whole:
        keys |= {key for key in book.balances if key[0].startswith("wallet/") and key[0].endswith("/held")}
    for account, asset in sorted(keys):
        stands, expected = book.balance(account, asset), held.get((account, asset), 0)
        if stands < expected or (whole and stands != expected):
            yield f"{account} has {stands} {asset}, the open holds on it add up to {expected}"
    for grant in book.grants.values():
        left = book.balance(accounts.available(grant.id), grant.asset)
        if grant.expired and left:
            yield f"grant {grant.id} has expired and still has {left} {grant.asset} available"


def _violations_of_whole(book: Book, sums: Sums) -> Iterator[str]:
    totals: Counter[str] = Counter()
    for (_, asset), balance in book.balances.items():
        totals[asset] += balance
    for asset, total in sorted(totals.items()):
        if total:
            yield f"all accounts in {asset} add up to {total} instead of 0"
    paid: Counter[str] = Counter()
    for (payer, _), amount in sums.paid.items():
        paid[payer] += amount
    for grant in book.grants.values():
        names = accounts.held(grant.id), accounts.available(grant.id), accounts.expired(grant.id)
        accounted = paid[grant.id] + sum(book.balance(name, grant.asset) for name in names)
        if accounted != grant.amount:
            yield (
                f"grant {grant.id} of {grant.amount} {grant.asset}: "
                f"captured, held, available and expired add up to {accounted}"
            )
    for scope in sorted(sums.claimed.keys() | book.claims.keys()):
        claimed = sums.claimed.get(scope, 0)
        if claimed != book.claims.get(scope, 0):
            yield f"{book.claims.get(scope, 0)} are claimed of {scope}, its holds add up to {claimed}"


def _violations_of_earnings(book: Book, earned: Mapping[tuple[str, str], int]) -> Iterator[str]:
    keys = {key for key in book.balances if accounts.is_earned(key[0]) or key[0] == accounts.OVERRUN}
    for key in sorted(keys | earned.keys()):
        if earned.get(key, 0) != book.balance(*key):
            yield f"{key[0]} stands at {book.balance(*key)} {key[1]}, the settled holds lead to {earned.get(key, 0)}"


def violations_of_hold(hold: Hold, grants: Mapping[str, Grant]) -> Iterator[str]:
    """What is wrong with one hold by itself and beside the grants that it stands on."""
    name = f"the hold of job {hold.job_id}"
    for part in hold.slices:
        if part.payer != WALLET:
            yield from _violations_of_slice(name, hold, part, grants.get(part.payer))
    yield from _violations_of_lines(name, hold)
    if hold.state != "settled":
        if hold.settled or hold.captured or hold.overrun:
            yield f"{name} is {hold.state} and yet charged {hold.charged}"
    elif len(hold.captured) != len(hold.slices):
        yield f"{name} has {len(hold.slices)} slices and captured {len(hold.captured)}"
        return
    else:
        yield from _violations_of_captured(name, hold)
    yield from _violations_of_claims(name, hold, grants)


def _violations_of_captured(name: str, hold: Hold) -> Iterator[str]:
    """A payer pays at most what it holds, in kind for each line by itself."""
    left: Counter[tuple[str, str]] = Counter()
    for part, amount in zip(hold.slices, hold.captured, strict=True):
        left[part.payer, part.asset] += part.amount - amount
        if amount < 0:
            yield f"{name} captured {amount} {part.asset} of {part.payer}"
    for (payer, asset), amount in left.items():
        if amount < 0:
            yield f"{name} captured {-amount} {asset} more than {payer} holds"


def _violations_of_slice(name: str, hold: Hold, part: Slice, grant: Grant | None) -> Iterator[str]:
    if grant is None:
        yield f"{name} stands on grant {part.payer}, which is not in the book"
    elif (grant.project_id, grant.asset) != (hold.project_id, part.asset):
        yield (
            f"{name} (project {hold.project_id}, {part.asset}) stands on grant "
            f"{grant.id} of project {grant.project_id} in {grant.asset}"
        )
    if not 0 < part.share_ppm <= FULL_PPM:
        yield f"{name} has a slice with a share of {part.share_ppm} ppm"


def _violations_of_lines(name: str, hold: Hold) -> Iterator[str]:
    """Each line is backed, and what was used of it is paid, to the last unit; what exceeds it is overrun."""
    held, paid = Counter[str](), Counter[str]()
    ceilings, settled = ({line.resource: line for line in lines} for lines in (hold.lines, hold.settled))
    for number, part in enumerate(hold.slices):
        held[part.resource] += part.worth
        line = ceilings.get(part.resource)
        if line is None:
            yield f"{name} has a slice for {part.resource}, of which it has no line"
            return
        amounts = (part.amount, *hold.captured[number : number + 1])
        worths = [amount if part.asset == hold.asset else line.worth(amount) for amount in amounts]
        if worths[0] != part.worth:
            yield f"{name} has a slice of {part.amount} {part.asset} worth {worths[0]}, not {part.worth}"
        paid[part.resource] += sum(worths[1:])
    for resource, line in ceilings.items():
        if held[resource] != line.amount:
            yield f"{name} is over {line.amount} {hold.asset} of {resource}, its slices are worth {held[resource]}"
        used = settled.get(resource)
        due = min(used.amount, line.amount) if used is not None else 0
        if len(hold.captured) == len(hold.slices) and paid[resource] != due:
            yield f"{name} was paid {paid[resource]} {hold.asset} for {resource}, due were {due}"
    beyond = sum(max(0, line.amount - _amount(ceilings.get(line.resource))) for line in hold.settled)
    if hold.overrun != beyond:
        yield f"{name}: the facility absorbed {hold.overrun} {hold.asset} instead of {beyond}"


def _amount(line: Line | None) -> int:
    return line.amount if line is not None else 0


def _violations_of_claims(name: str, hold: Hold, grants: Mapping[str, Grant]) -> Iterator[str]:
    """What a hold counts on each limit is what it holds under it, and once it is closed what it captured."""
    amounts = {"open": [part.amount for part in hold.slices], "settled": hold.captured, "voided": ()}[hold.state]
    price = hold.amount if hold.state == "open" else hold.worth_of(amounts) if amounts else 0
    by_programme: Counter[str] = Counter()
    for part, amount in zip(hold.slices, amounts, strict=False):
        grant = grants.get(part.payer)
        if grant is not None:
            by_programme[grant.programme_id] += amount
    for claim in hold.claims:
        programme_id = programme_of_scope(claim.scope)
        due = price if programme_id is None else by_programme[programme_id]
        if claim.change != due:
            yield f"{name} counts {claim.change} on {claim.scope} instead of {due}"


def differences(replayed: Book, book: Book) -> Iterator[str]:
    """Where a book is not the one that its history leads to."""
    for account, asset in sorted(replayed.balances.keys() | book.balances.keys()):
        expected, stands = replayed.balance(account, asset), book.balance(account, asset)
        if expected != stands:
            yield f"account {account} stands at {stands} {asset}, its entries add up to {expected}"
    for scope in sorted(replayed.claims.keys() | book.claims.keys()):
        expected, stands = replayed.claims.get(scope, 0), book.claims.get(scope, 0)
        if expected != stands:
            yield f"{stands} are claimed of {scope}, its entries add up to {expected}"
    for job_id in sorted(replayed.holds.keys() | book.holds.keys()):
        if replayed.holds.get(job_id) != book.holds.get(job_id):
            yield f"the hold of job {job_id} is {book.holds.get(job_id)}, its entries say {replayed.holds.get(job_id)}"
    for grant_id in sorted(replayed.grants.keys() | book.grants.keys()):
        if replayed.grants.get(grant_id) != book.grants.get(grant_id):
            stands_so, said = book.grants.get(grant_id), replayed.grants.get(grant_id)
            yield f"grant {grant_id} is {stands_so}, its entries say {said}"


def fold(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    """The balances that a history of entries leads to, by (account, asset); accounts at 0 stay in."""
    balances: dict[tuple[str, str], int] = {}
    for entry in entries:
        for posting in entry.postings:
            source, destination = (posting.source, posting.asset), (posting.destination, posting.asset)
            balances[source] = balances.get(source, 0) - posting.amount
            balances[destination] = balances.get(destination, 0) + posting.amount
    return balances
