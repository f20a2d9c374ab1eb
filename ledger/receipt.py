"""The receipt of a job: its price in figures that can be added up by hand, and who paid which part of it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ledger.capturing import capture
from ledger.funders import split
from ledger.hold_text import capture_from
from ledger.model import WALLET, BrokenInvariant, Cut, Entry, Grant, Hold, Line, Slice
from ledger.price import Quote, Usage, charge, lines_to_json, rates_from_json, rates_to_json
from ledger.receipt_words import explanation


def receipt(
    hold: Hold, entries: Iterable[Entry], quoted: Quote, usage: Usage, grants: Mapping[str, Grant]
) -> dict[str, Any]:
    """Explain a closed hold: usage × rate, the total, who paid which share under which rule, what came back.

    `entries` are those of the job (others are passed over); `grants` holds at least those of the hold's slices. All
    amounts are in the smallest unit of `asset`, those of a payer in its own. The answer consists of plain dicts, lists,
    strings and integers, and of it holds: price == Σ lines == charged + absorbed_by_facility, charged == subsidised +
    copay == Σ payers' worth, and each payer's held == paid + released: nobody pays more than was held.

    Raises ValueError for a hold that is still open, BrokenInvariant when the figures don't add up.
    """
    if hold.state == "open":
        raise ValueError(f"the hold of job {hold.job_id} is still open: there is no receipt yet")
    posted = [entry for entry in entries if entry.job_id == hold.job_id]
    captured = hold.captured or (0,) * len(hold.slices)
    payers = _payers(hold, captured, grants)
    paid = sum(payer["worth"] for payer in payers)
    if paid + hold.overrun != hold.charged:
        raise BrokenInvariant(f"job {hold.job_id}: charged {hold.charged}, paid {paid}, absorbed {hold.overrun}")
    copay = sum(payer["worth"] for payer in payers if payer["payer"] == WALLET)
    document = {
        "v": 2,
        "job_id": hold.job_id,
        "project_id": hold.project_id,
        "asset": hold.asset,
        "state": hold.state,
        "usage": asdict(usage),
        "rates": rates_to_json(quoted.rates),
        "lines": lines_to_json(hold.settled),
        "price": hold.charged,
        "charged": paid,
        "subsidised": paid - copay,
        "copay": copay,
        "absorbed_by_facility": hold.overrun,
        "quoted": {
            "expected": quoted.expected.amount,
            "ceiling": hold.amount,
            "lines": lines_to_json(hold.lines),
        },
        "held": hold.amount,
        "released": hold.amount - paid,
        "payers": payers,
        "slices": [{**asdict(part), "captured": amount} for part, amount in zip(hold.slices, captured, strict=True)],
        "cuts": [asdict(cut) for cut in hold.cuts],
        "settlements": _settlements(posted),
        "entries": [{"id": entry.id, "kind": entry.kind, "at_us": entry.at_us} for entry in posted],
    }
    document["explanation"] = explanation(document)
    return document


def replay(document: Mapping[str, Any]) -> dict[str, Any]:
    """Work a receipt's figures out again from what it carries: usage, pinned rates, and the hold's slices.

    Returns {"price", "charged", "absorbed_by_facility", "captured"}; they must equal the receipt's own. A receipt that
    was corrected is replayed from its settlements, one after the other: no payer ever pays more than before.
    """
    ceiling = tuple(_line(line) for line in document["quoted"]["lines"])
    slices = tuple(
        Slice(**{name: value for name, value in part.items() if name != "captured"}) for part in document["slices"]
    )
    subject = (document["job_id"], document["project_id"], document["asset"])
    hold = Hold(*subject, ceiling, slices, "open", 0, cuts=tuple(Cut(**cut) for cut in document["cuts"]))
    steps: list[tuple[Line, ...]] = [tuple(_line(line) for line in lines) for lines in document["settlements"]]
    if document["state"] == "voided":
        steps = [()]
    elif not steps:
        steps = [charge(rates_from_json(document["rates"]), Usage(**document["usage"])).lines]
    captured, overrun = tuple(part.amount for part in slices), 0
    for lines in steps:
        captured, overrun = capture(hold, lines, captured)
    price = sum(line.amount for line in lines)
    charged = hold.worth_of(captured)
    return {"price": price, "charged": charged, "absorbed_by_facility": overrun, "captured": list(captured)}


def _settlements(posted: Sequence[Entry]) -> list[list[dict[str, Any]]]:
    """The lines of the settlement and of each correction after it; none where nothing was corrected."""
    if not any(entry.kind == "correct" for entry in posted):
        return []
    return [lines_to_json(capture_from(entry.body).lines) for entry in posted if entry.kind in ("settle", "correct")]


def _line(line: Mapping[str, Any]) -> Line:
    return Line(line["resource"], line["quantity"], line["unit_price"], line["quantum"], line["rate"])


def _payers(hold: Hold, captured: Sequence[int], grants: Mapping[str, Grant]) -> list[dict[str, Any]]:
    """One dict per payer, in burn order."""
    found: dict[tuple[str, str], list[tuple[Slice, int]]] = {}
    for part, amount in zip(hold.slices, captured, strict=True):
        found.setdefault((part.payer, part.asset), []).append((part, amount))
    return [_payer(hold, payer, asset, parts, grants) for (payer, asset), parts in found.items()]


def _payer(
    hold: Hold, payer: str, asset: str, parts: Sequence[tuple[Slice, int]], grants: Mapping[str, Grant]
) -> dict[str, Any]:
    held, paid = sum(part.amount for part, _ in parts), sum(amount for _, amount in parts)
    alone = Hold(
        hold.job_id,
        hold.project_id,
        hold.asset,
        hold.lines,
        tuple(part for part, _ in parts),
        hold.state,
        hold.created_us,
    )
    document: dict[str, Any] = {
        "payer": payer,
        "grant_id": None,
        "programme_id": None,
        "funder_id": None,
        "funders": [],
        "asset": asset,
        "held": held,
        "paid": paid,
        "worth": alone.worth_of([amount for _, amount in parts]),
        "released": held - paid,
        "released_to": "wallet",
        "share_ppm": parts[0][0].share_ppm,
        "rule": parts[0][0].rule,
    }
    if payer != WALLET:
        grant = grants[payer]
        shares = split(paid, grant.funders)
        document |= {
            "grant_id": payer,
            "programme_id": grant.programme_id,
            "funder_id": grant.funders[0][0],
            "funders": [{"funder_id": funder_id, "paid": shares[funder_id]} for funder_id, _ in grant.funders],
            "released_to": "expired" if grant.expired else "available",
        }
    return document
