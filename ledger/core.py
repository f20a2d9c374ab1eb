"""Load, decide, apply: the whole behaviour of the book.

The shell loads the part of the `Book` that a command concerns; `decide` answers with the entry to record or a refusal
and changes nothing; `apply` brings the book up to date with an entry. Admission (`PlaceHold`) may refuse for want of
means; settlement may not, because the work has been done.
"""

from __future__ import annotations

from typing import assert_never

from ledger import accounts, grants, holds, wallets
from ledger.book import Book
from ledger.commands import (
    ClawBack,
    Command,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IncreaseGrant,
    IssueGrant,
    PayOut,
    PlaceHold,
    SettleHold,
    TopUp,
    TransferGrant,
    VoidHold,
)
from ledger.model import BrokenInvariant, Entry, Refusal


def decide(book: Book, command: Command) -> Entry | Refusal:
    """The entry that carries the command out, or why it can't be. The book stays as it is.

    Refusal codes, checked in this order:
    - IssueGrant: grant_exists, programme_exhausted (needed, available, asset).
    - IncreaseGrant: grant_unknown, grant_expired, programme_exhausted. ClawBack: grant_unknown, grant_exhausted.
    - TransferGrant: grant_unknown (either), transfer_mismatch, grant_expired (either), grant_exhausted.
    - ExpireGrant: grant_unknown, grant_expired, grant_not_due.
    - PayOut: wallet_short.
    - PlaceHold: hold_exists, budget_exhausted, no_grant, grant_not_started, grant_expired, wallet_short,
      grant_exhausted (needed, available, missing, asset, sources).
    - SettleHold, VoidHold: hold_unknown, hold_closed.
    - CorrectJob: hold_unknown, hold_not_settled, correction_raises.
    FundProgramme and TopUp are never refused; the store's unique entry id keeps them from being posted twice.

    Raises ValueError for an amount that no caller may ask for.
    """
    match command:
        case PlaceHold() | SettleHold() | VoidHold() | CorrectJob():
            return holds.decide(book, command)
        case FundProgramme() | IssueGrant() | IncreaseGrant() | TransferGrant() | ClawBack() | ExpireGrant():
            return grants.decide(book, command)
        case TopUp() | PayOut():
            return wallets.decide(book, command)
        case _:
            assert_never(command)


def apply(book: Book, entry: Entry) -> None:
    """Bring the book up to date with an entry that `decide` gave for it.

    Raises BrokenInvariant, and leaves the book as it was, when the entry doesn't fit the book: posted before, a hold
    that isn't open, an account that would be overdrawn, a limit that would be exceeded downwards.
    """
    hold = holds.after(book, entry)
    changed_grants = grants.after(book, entry)
    balances: dict[tuple[str, str], int] = {}
    for posting in entry.postings:
        for account, change in ((posting.source, -posting.amount), (posting.destination, posting.amount)):
            key = (account, posting.asset)
            balances[key] = balances.get(key, book.balances.get(key, 0)) + change
    for (account, asset), balance in balances.items():
        if balance < 0 and not accounts.may_be_negative(account):
            raise BrokenInvariant(f"entry {entry.id} would leave {balance} {asset} on {account}")
    claims: dict[str, int] = {}
    for claim in entry.claims:
        claims[claim.scope] = claims.get(claim.scope, book.claims.get(claim.scope, 0)) + claim.change
        if claims[claim.scope] < 0:
            raise BrokenInvariant(f"entry {entry.id} would leave {claims[claim.scope]} claimed of {claim.scope}")
    book.balances.update(balances)
    book.claims.update(claims)
    if hold is not None:
        book.holds[hold.job_id] = hold
    for changed in changed_grants:
        book.put_grant(changed)
