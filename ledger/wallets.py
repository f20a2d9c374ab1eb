"""A project's own money: paid in, paid out. Its co-pay comes from here (`ledger.holds`)."""

from __future__ import annotations

from typing import assert_never

from ledger import accounts
from ledger.book import Book
from ledger.commands import PayOut, TopUp
from ledger.model import Entry, Posting, Refusal, in_words


def decide(book: Book, command: TopUp | PayOut) -> Entry | Refusal:
    """See `ledger.core.decide`."""
    match command:
        case TopUp():
            return top_up(command)
        case PayOut():
            return pay_out(book, command)
        case _:
            assert_never(command)


def top_up(command: TopUp) -> Entry:
    """A project's own money."""
    source, destination = accounts.payer(command.project_id), accounts.wallet(command.project_id)
    moved = (Posting(source, destination, command.amount, command.asset),)
    return Entry(f"top_up/{command.entry_id}", "top_up", command.at_us, moved, project_id=command.project_id)


def pay_out(book: Book, command: PayOut) -> Entry | Refusal:
    """A project's own money back."""
    source, destination = accounts.wallet(command.project_id), accounts.payer(command.project_id)
    available = book.balance(source, command.asset)
    if available < command.amount:
        return Refusal(
            "wallet_short",
            f"the wallet has {in_words(available, command.asset)} available, "
            f"{in_words(command.amount - available, command.asset)} less than is to be paid out",
            (("needed", command.amount), ("available", available), ("asset", command.asset)),
        )
    moved = (Posting(source, destination, command.amount, command.asset),)
    return Entry(f"pay_out/{command.entry_id}", "pay_out", command.at_us, moved, project_id=command.project_id)
