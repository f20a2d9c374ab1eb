"""Closing a month: from then on the balances at its end never change, whatever is posted later.

An entry belongs to the month of its instant, unless that month was closed before the entry was posted; then it belongs
to the first month after it that was still open. What was covered by a close is told by the number of its last entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ledger.model import Refusal
from ledger.months import Month

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class AsOf:
    """The entries before an instant; of a closed month only those up to number `last_seq`."""

    until_us: int
    last_seq: int | None = None

    def covers(self, seq: int, at_us: int) -> bool:
        """Whether it counts an entry."""
        return at_us < self.until_us and (self.last_seq is None or seq <= self.last_seq)


@dataclass(frozen=True, slots=True)
class Close:
    """A closed month. `body` is the canonical text of its totals, `hash` the SHA-256 of that text in hex."""

    month: Month
    until_us: int
    last_seq: int
    closed_us: int
    closed_by: str
    body: str
    hash: str

    @property
    def as_of(self) -> AsOf:
        """What the close covers, and all closes before it."""
        return AsOf(self.until_us, self.last_seq)


def as_of(month: Month, closes: Sequence[Close], zone: tzinfo) -> AsOf:
    """What counts at the end of a month: the same for ever once it is closed."""
    for close in closes:
        if close.month == month:
            return close.as_of
    return AsOf(month.until_us(zone))


def months_of(entries: Iterable[tuple[int, int]], closes: Sequence[Close], zone: tzinfo) -> list[Month]:
    """The months that entries, given as (seq, at_us), belong to."""
    last = {close.month: close.last_seq for close in closes}
    found = []
    for seq, at_us in entries:
        month = Month.of(at_us, zone)
        while seq > last.get(month, seq):
            month = month.step(1)
        found.append(month)
    return found


def next_to_close(closes: Sequence[Close], first_us: int | None, zone: tzinfo) -> Month | None:
    """The month after the last closed one, or that of the first entry; None while there is no entry."""
    if closes:
        return max(close.month for close in closes).step(1)
    return None if first_us is None else Month.of(first_us, zone)


def may_close(month: Month, closes: Sequence[Close], first_us: int | None, now_us: int, zone: tzinfo) -> Refusal | None:
    """Why a month can't be closed, or None. Codes: month_closed, month_not_over, month_out_of_order."""
    if any(close.month == month for close in closes):
        return Refusal("month_closed", f"{month} has been closed already; it stays as it is.", (("month", str(month)),))
    until_us = month.until_us(zone)
    if now_us < until_us:
        detail = f"{month} is not over: it ends at {until_us} us, now is {now_us} us."
        return Refusal("month_not_over", detail, (("month", str(month)), ("until_us", until_us), ("now_us", now_us)))
    due = next_to_close(closes, first_us, zone)
    if due is None or month != due:
        what = f"the next one to close is {due}" if due is not None else "nothing has been posted yet"
        detail = f"Months are closed one after the other: {month} can't be closed, {what}."
        fields = (("month", str(month)), ("next", None if due is None else str(due)))
        return Refusal("month_out_of_order", detail, fields)
    return None


def totals_text(
    month: Month,
    covered: AsOf,
    last_hash: bytes,
    entries: Mapping[str, int],
    balances: Mapping[tuple[str, str], int],
) -> tuple[str, str]:
    """The canonical text of a month's totals, and its SHA-256.

    `last_hash` is that of the last entry in the chain, which tells all entries up to it. `entries` counts the entries
    of the month by kind, `balances` are those of all accounts at its end. In the text stand the balances per kind of
    account, those of the facility and the funders by name, and the SHA-256 over all.
    """
    groups: dict[tuple[str, str], int] = {}
    for (account, asset), balance in balances.items():
        key = (_group(account), asset)
        groups[key] = groups.get(key, 0) + balance
    every = _encode([[account, asset, balance] for (account, asset), balance in sorted(balances.items())])
    body: dict[str, Any] = {
        "v": 1,
        "month": str(month),
        "until_us": covered.until_us,
        "last_seq": covered.last_seq,
        "last_hash": last_hash.hex(),
        "entries": dict(entries),
        "balances": [[group, asset, balance] for (group, asset), balance in sorted(groups.items())],
        "accounts": len(balances),
        "accounts_sha256": hashlib.sha256(every.encode()).hexdigest(),
    }
    text = _encode(body)
    return text, hashlib.sha256(text.encode()).hexdigest()


def _group(account: str) -> str:
    """grant/<id>/held → grant/held; accounts of funders and of the facility keep their names."""
    first, *rest = account.split("/")
    if first in ("facility", "funder"):
        return account
    return f"{first}/{rest[-1]}" if len(rest) > 1 else first
