"""The life of a hold: placed at admission, settled or voided at the end, corrected afterwards if need be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from ledger import accounts
from ledger.allocation import Allocation, allocate
from ledger.book import Book
from ledger.capturing import capture
from ledger.commands import CorrectJob, PlaceHold, SettleHold, VoidHold
from ledger.funders import split
from ledger.hold_text import Backing, Capture, backing_from, backing_text, capture_from, capture_text
from ledger.model import WALLET, BrokenInvariant, Claim, Entry, EntryKind, Hold, Posting, Refusal
from ledger.shortage import budget_exhausted, no_means
from ledger.terms import programme_of_scope

HoldCommand = PlaceHold | SettleHold | VoidHold | CorrectJob


def decide(book: Book, command: HoldCommand) -> Entry | Refusal:
    """See `ledger.core.decide`."""
    if not isinstance(command, VoidHold) and len({line.resource for line in command.lines}) < len(command.lines):
        raise ValueError(f"job {command.job_id}: a resource has one line at most: {command.lines}")
    match command:
        case PlaceHold():
            return place(book, command)
        case SettleHold():
            return settle(book, command)
        case VoidHold():
            return void(book, command)
        case CorrectJob():
            return correct(book, command)
        case _:
            assert_never(command)


def place(book: Book, command: PlaceHold) -> Entry | Refusal:
    """Set the price of the lines aside, or say who cannot pay what."""
    if command.job_id in book.holds:
        return Refusal("hold_exists", f"job {command.job_id} has a hold already", (("job_id", command.job_id),))
    ceiling = sum(line.amount for line in command.lines)
    budgets = [budget for budget in book.budgets.get(command.project_id, ()) if budget.concerns(command.claimant)]
    budgets.sort(key=lambda budget: (budget.kind, budget.key))  # of several that are used up, always the same is named
    for budget in budgets:
        claimed = book.claims.get(budget.scope(command.claimant.year), 0)
        if claimed + ceiling > budget.limit:
            return budget_exhausted(budget, claimed, ceiling, command.asset)
    found = allocate(book, command)
    if found.missing:
        return no_means(book, command, found)
    for budget in budgets:
        found.claims[budget.scope(command.claimant.year)] = ceiling
    backing = Backing(command.asset, command.lines, tuple(found.slices), tuple(found.cuts))
    return Entry(
        id=f"hold/{command.job_id}",
        kind="hold",
        at_us=command.at_us,
        postings=_set_aside(command.project_id, found),
        project_id=command.project_id,
        job_id=command.job_id,
        claims=found.claimed(),
        body=backing_text(backing),
        meant=backing,
    )


def settle(book: Book, command: SettleHold) -> Entry | Refusal:
    """Capture what was used, release the rest."""
    hold = _open_hold(book, command.job_id)
    if isinstance(hold, Refusal):
        return hold
    captured, overrun = capture(hold, command.lines, [part.amount for part in hold.slices])
    postings = _moves(book, hold, _nothing(hold), captured, 0, overrun)
    meant = Capture(command.lines, captured, overrun)
    return _closing(hold, "settle", command.at_us, postings, _given_back(book, hold, captured), meant)


def void(book: Book, command: VoidHold) -> Entry | Refusal:
    """Give the whole hold back."""
    hold = _open_hold(book, command.job_id)
    if isinstance(hold, Refusal):
        return hold
    postings = _moves(book, hold, _nothing(hold), _nothing(hold), 0, 0)
    claims = [Claim(claim.scope, -claim.change) for claim in hold.claims if claim.change]
    return _closing(hold, "void", command.at_us, postings, claims, None)


def correct(book: Book, command: CorrectJob) -> Entry | Refusal:
    """Replace what was settled by less: every payer gets back what it paid too much, at the recorded prices."""
    hold = book.holds.get(command.job_id)
    if hold is None:
        return Refusal("hold_unknown", f"job {command.job_id} has no hold", (("job_id", command.job_id),))
    if hold.state != "settled":
        detail = f"the hold of job {command.job_id} is {hold.state}; only what has been settled can be corrected"
        return Refusal("hold_not_settled", detail, (("job_id", command.job_id), ("state", hold.state)))
    settled = {line.resource: line for line in hold.settled}
    for line in command.lines:
        before = settled.get(line.resource)
        if before is None or line.quantity > before.quantity or replace(line, quantity=before.quantity) != before:
            quantity = before.quantity if before is not None else 0
            detail = (
                f"the correction has {line.quantity} of {line.resource} at {line.unit_price} per {line.quantum} "
                f"by rate {line.rate!r}, settled were {quantity}; a correction gives back at the settled prices only"
            )
            return Refusal("correction_raises", detail, (("resource", line.resource), ("settled", quantity)))
    captured, overrun = capture(hold, command.lines, hold.captured)
    postings = _moves(book, hold, hold.captured, captured, hold.overrun, overrun)
    meant = Capture(command.lines, captured, overrun, command.reason)
    claims = _given_back(book, hold, captured)
    entry = _closing(hold, "correct", command.at_us, postings, claims, meant)
    return replace(entry, id=f"correct/{command.entry_id}")


def after(book: Book, entry: Entry) -> Hold | None:
    """The hold as it is after the entry, or None for entries of other kinds. Raises BrokenInvariant."""
    if entry.kind not in ("hold", "settle", "void", "correct"):
        return None
    if entry.job_id is None or entry.project_id is None:
        raise BrokenInvariant(f"entry {entry.id} does not name its subject")
    hold = book.holds.get(entry.job_id)
    if entry.kind == "hold":
        if hold is not None:
            raise BrokenInvariant(f"entry {entry.id} does not fit the book: posted before")
        backing = entry.meant if isinstance(entry.meant, Backing) else backing_from(entry.body)
        subject = (entry.job_id, entry.project_id, backing.asset, backing.lines, backing.slices)
        return Hold(*subject, state="open", created_us=entry.at_us, claims=entry.claims, cuts=backing.cuts)
    if hold is None or hold.state != ("settled" if entry.kind == "correct" else "open"):
        raise BrokenInvariant(f"entry {entry.id} does not fit the book: its hold is {hold and hold.state}")
    claims = _sum_of([*hold.claims, *entry.claims])
    if entry.kind == "void":
        return replace(hold, state="voided", claims=claims)
    found = entry.meant if isinstance(entry.meant, Capture) else capture_from(entry.body)
    return replace(
        hold, state="settled", claims=claims, settled=found.lines, captured=found.captured, overrun=found.overrun
    )


def _sum_of(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """What stands on each scope in the end."""
    total: dict[str, int] = {}
    for claim in claims:
        total[claim.scope] = total.get(claim.scope, 0) + claim.change
    return tuple([Claim(scope, change) for scope, change in total.items()])


def _nothing(hold: Hold) -> tuple[int, ...]:
    return (0,) * len(hold.slices)


def _open_hold(book: Book, job_id: str) -> Hold | Refusal:
    hold = book.holds.get(job_id)
    if hold is None:
        return Refusal("hold_unknown", f"job {job_id} has no hold", (("job_id", job_id),))
    if hold.state != "open":
        detail = f"the hold of job {job_id} is closed: it has been {hold.state}"
        return Refusal("hold_closed", detail, (("job_id", job_id), ("state", hold.state)))
    return hold


def _set_aside(project_id: str, found: Allocation) -> tuple[Posting, ...]:
    amounts: dict[tuple[str, str], int] = {}
    for part in found.slices:
        amounts[part.payer, part.asset] = amounts.get((part.payer, part.asset), 0) + part.amount
    return tuple(
        [
            Posting(accounts.wallet(project_id), accounts.wallet_held(project_id), amount, asset)
            if payer == WALLET
            else Posting(accounts.available(payer), accounts.held(payer), amount, asset)
            for (payer, asset), amount in amounts.items()
        ]
    )


def _moves(
    book: Book, hold: Hold, before: Sequence[int], captured: Sequence[int], overrun_before: int, overrun: int
) -> list[Posting]:
    """The postings from one state of a hold to the next; `before` is what was captured, all 0 for an open hold."""
    is_open = hold.state == "open"
    amounts: dict[tuple[str, str], list[int]] = {}
    for part, was, now in zip(hold.slices, before, captured, strict=True):
        sums = amounts.setdefault((part.payer, part.asset), [0, 0, 0])
        sums[0] += part.amount
        sums[1] += was
        sums[2] += now
    postings: list[Posting] = []
    for (payer, asset), (held, was, now) in amounts.items():
        source = _held(hold, payer) if is_open else _back_to(book, hold, payer)
        postings += _earnings(book, payer, asset, was, now, source)
        if is_open and held > now:
            postings.append(Posting(source, _back_to(book, hold, payer), held - now, asset))
    change = overrun - overrun_before
    if change > 0:
        postings.append(Posting(accounts.OVERRUN, accounts.EARNED_OF_OVERRUN, change, hold.asset))
    elif change < 0:
        postings.append(Posting(accounts.EARNED_OF_OVERRUN, accounts.OVERRUN, -change, hold.asset))
    return postings


def _earnings(book: Book, payer: str, asset: str, was: int, now: int, source: str) -> list[Posting]:
    """From `was` to `now` captured of one payer, shared among the funders behind it; less comes back to `source`."""
    if payer == WALLET:
        shares = [(accounts.EARNED_OF_WALLETS, now - was)]
    else:
        funders = book.grants[payer].funders
        old, new = split(was, funders), split(now, funders)
        shares = [(accounts.earned(funder), new[funder] - old[funder]) for funder, _ in funders]
    # What is earned more comes first, so that no account is overdrawn in between.
    return [
        Posting(source, account, change, asset) if change > 0 else Posting(account, source, -change, asset)
        for account, change in sorted(shares, key=lambda share: -share[1])
        if change
    ]


def _held(hold: Hold, payer: str) -> str:
    return accounts.wallet_held(hold.project_id) if payer == WALLET else accounts.held(payer)


def _back_to(book: Book, hold: Hold, payer: str) -> str:
    """A hold pins its slices past the expiry; what comes back after it is breakage, not available."""
    if payer == WALLET:
        return accounts.wallet(hold.project_id)
    return accounts.expired(payer) if book.grants[payer].expired else accounts.available(payer)


def _given_back(book: Book, hold: Hold, captured: Sequence[int]) -> list[Claim]:
    """What each limit gets back: it keeps what was captured under it."""
    by_programme: dict[str, int] = {}
    for part, amount in zip(hold.slices, captured, strict=True):
        if part.payer != WALLET:
            programme_id = book.grants[part.payer].programme_id
            by_programme[programme_id] = by_programme.get(programme_id, 0) + amount
    price = hold.worth_of(captured)
    changes = []
    for claim in hold.claims:
        programme = programme_of_scope(claim.scope)
        kept = price if programme is None else by_programme.get(programme, 0)
        if kept != claim.change:
            changes.append(Claim(claim.scope, kept - claim.change))
    return changes


def _closing(
    hold: Hold,
    kind: EntryKind,
    at_us: int,
    postings: Sequence[Posting],
    claims: Sequence[Claim],
    meant: Capture | None,
) -> Entry:
    return Entry(
        id=f"{kind}/{hold.job_id}",
        kind=kind,
        at_us=at_us,
        postings=tuple(postings),
        project_id=hold.project_id,
        job_id=hold.job_id,
        claims=tuple(claims),
        body=capture_text(meant) if meant is not None else "",
        meant=meant,
    )
