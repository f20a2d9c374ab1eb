"""The receipt of a job: its price in figures that can be added up by hand, and who paid which part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ledger import accounts
from ledger.model import BrokenInvariant, Entry, Grant, Hold, in_words
from ledger.price import Charge, Quote, Usage, charge_to_json


def receipt(
    hold: Hold,
    entries: Iterable[Entry],
    charge: Charge,
    quote: Quote,
    usage: Usage,
    grants: Mapping[str, Grant],
) -> dict[str, Any]:
    """Explain a closed hold: usage × rate, the total, who paid, what was released, what the facility absorbed.

    `entries` are those of the job (others are passed over); `charge` is what it was settled at (no lines and 0 for a
    voided hold); `grants` holds at least the grants of the hold's slices. All amounts are in the smallest unit of
    `asset`. The answer consists of plain dicts, lists, strings and integers, and of it holds:
    price == Σ lines == charged + absorbed_by_facility, charged == Σ payers' paid, and held == Σ paid + Σ released:
    what a project is charged never exceeds its hold.

    Raises ValueError for a hold that is still open, BrokenInvariant when the figures don't add up.
    """
    if hold.state == "open":
        raise ValueError(f"the hold of job {hold.job_id} is still open: there is no receipt yet")
    posted = [entry for entry in entries if entry.job_id == hold.job_id]
    payers = _payers(hold, posted, grants)
    paid, released = sum(payer["paid"] for payer in payers), sum(payer["released"] for payer in payers)
    _check_adds_up(hold, charge, paid=paid, released=released)
    return {
        "v": 1,
        "job_id": hold.job_id,
        "project_id": hold.project_id,
        "asset": hold.asset,
        "state": hold.state,
        "usage": asdict(usage),
        "rate": quote.to_json()["rate"],
        "lines": charge_to_json(charge)["lines"],
        "price": hold.charged,
        "charged": paid,
        "quoted": {"expected": quote.expected.amount, "ceiling": quote.ceiling.amount},
        "held": hold.amount,
        "released": released,
        "absorbed_by_facility": hold.overrun,
        "payers": payers,
        "entries": [{"id": entry.id, "kind": entry.kind, "at_us": entry.at_us} for entry in posted],
        "explanation": _explanation(hold, charge, payers, released),
    }


def _payers(hold: Hold, entries: list[Entry], grants: Mapping[str, Grant]) -> list[dict[str, Any]]:
    """One dict per slice of the hold, in burn order, read from the closing entry rather than computed again."""
    postings = [posting for entry in entries if entry.kind in ("settle", "void") for posting in entry.postings]
    payers = []
    for part in hold.slices:
        grant, source = grants[part.grant_id], accounts.held(part.grant_id)
        moved = {posting.destination: posting.amount for posting in postings if posting.source == source}
        to_available, to_expired = moved.get(accounts.available(grant.id), 0), moved.get(accounts.expired(grant.id), 0)
        payers.append(
            {
                "grant_id": grant.id,
                "programme_id": grant.programme_id,
                "funder_id": grant.funder_id,
                "held": part.amount,
                "paid": moved.get(accounts.EARNED, 0),
                "released": to_available + to_expired,
                "released_to": "expired" if to_expired else "available",
            }
        )
    return payers


def _check_adds_up(hold: Hold, charge: Charge, *, paid: int, released: int) -> None:
    lines = sum(line.amount for line in charge.lines)
    if not lines == charge.amount == hold.charged:
        raise BrokenInvariant(f"job {hold.job_id}: charged {hold.charged}, priced {charge.amount}, lines say {lines}")
    if paid + hold.overrun != hold.charged or paid + released != hold.amount:
        raise BrokenInvariant(
            f"job {hold.job_id}: of a hold of {hold.amount} and a charge of {hold.charged}, "
            f"{paid} was paid, {released} released, {hold.overrun} absorbed"
        )


def _explanation(hold: Hold, charge: Charge, payers: list[dict[str, Any]], released: int) -> list[str]:
    asset = hold.asset
    if hold.state == "voided":
        return [f"Nothing was charged: the hold of {in_words(hold.amount, asset)} was given back."]
    sentences = []
    for line in charge.lines:
        per = line.unit if line.per == 1 else _count(line.per, line.unit)
        sentences.append(
            f"{line.what}: {_count(line.quantity, line.unit)} at {in_words(line.unit_price, asset)} per {per} "
            f"= {in_words(line.amount, asset)}."
        )
    sentences.append(f"Together {in_words(hold.charged, asset)}.")
    sentences += [
        f"Grant {payer['grant_id']} of programme {payer['programme_id']}, funded by {payer['funder_id']}, "
        f"paid {in_words(payer['paid'], asset)}."
        for payer in payers
        if payer["paid"]
    ]
    if released:
        sentences.append(f"{in_words(released, asset)} of the {in_words(hold.amount, asset)} held was not needed.")
    if hold.overrun:
        sentences.append(
            f"The price exceeds the hold of {in_words(hold.amount, asset)}; "
            f"the facility absorbed {in_words(hold.overrun, asset)}."
        )
    return sentences


def _count(quantity: int, unit: str) -> str:
    return f"{quantity} {unit}" if quantity == 1 or unit == "ms" else f"{quantity} {unit}s"
