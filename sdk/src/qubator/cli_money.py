"""Quotes, quotas and receipts as text for an 80-column terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qubator.cli_text import clean, count, duration, moment, pairs, table_or_blocks
from qubator.money import Money, decimal
from qubator.quota import FIGURES, Figures, Quota
from qubator.quotes import Quote, share_in_words


def quote_lines(found: Quote, circuit: str, file: str, width: int) -> Iterator[str]:
    """The price, who would pay which part of it, and until when it is honoured."""
    quoted = found.record["quote"]
    yield from pairs(
        {
            "expected": found.expected,
            "at most": f"{found.ceiling} (held while the job runs)",
            "backend": found.backend,
            "QPU time": _qpu_time(quoted),
            "run time": _run_time(quoted),
            "wait": duration(found.wait_us) if found.wait_us else "none",
            "circuit": circuit,
            "quote": found.id,
            "honoured": f"until {moment(found.record['expires_us'])}",
        },
        width=width,
    )
    rows = [(payer.payer, payer.share, _paid(payer.amount, payer.worth), payer.rule or "-") for payer in found.payers]
    if rows:
        yield ""
        yield from table_or_blocks(("PAYER", "SHARE", "PAYS AT MOST", "RULE"), rows, width=width, right=(1, 2))
    yield ""
    refusal = found.record.get("refusal")
    if refusal and not found.missing.micro:
        text = f"The job would be refused now: {refusal['detail']} [{refusal['code']}]"
    elif found.missing.micro:
        text = f"Nobody pays {found.missing} of the {found.ceiling}: the job would be refused. See `qubator quota`."
    else:
        text = f"To submit it at this price: qubator submit {file} --quote {found.id} and the same options."
    yield from textwrap.wrap(text, width, break_on_hyphens=False)


def quota_lines(found: Quota, width: int) -> Iterator[str]:
    """What is spent, under way, waiting and left; then what was given in kind; then each grant."""
    wallet = f"{found.wallet} of your own money" + (f", {found.wallet_held} held" if found.wallet_held.micro else "")
    yield from pairs(
        {
            "settled": f"{found.settled} spent by finished jobs",
            "in flight": f"{found.in_flight} held for jobs that run",
            "committed": f"{found.committed} held for jobs that wait",
            "available": f"{found.available} can be spent now",
            "expired": f"{found.expired} not used in time" if found.expired.micro else None,
            "wallet": wallet if found.wallet.micro or found.wallet_held.micro else None,
            "runs out": _runs_out(found),
        },
        width=width,
    )
    if found.in_kind:
        rows = [
            (name, *_row(figures, FIGURES), moment(figures.record["runs_out_us"])[:10])
            for name, figures in found.in_kind.items()
        ]
        heads = ("IN KIND", *map(str.upper, FIGURES), "RUNS OUT")
        yield ""
        yield from table_or_blocks(heads, rows, width=width, right=(1, 2, 3, 4, 5))
    yield from grant_lines(found.grants, width)


def grant_lines(grants: Sequence[Figures], width: int) -> Iterator[str]:
    """Each grant in burn order."""
    yield ""
    if not grants:
        yield "The project has no grant."
        return
    shown = ("settled", "held", "available")
    rows = [
        (
            str(grant.record["id"]),
            *_row(grant, shown),
            grant.asset,
            moment(grant.record["valid_until_us"])[:10],
            _restrictions(grant.record),
        )
        for grant in grants
    ]
    heads = ["GRANT", *map(str.upper, shown), "IN", "UNTIL", "PAYS FOR"]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    yield from table_or_blocks(heads, rows, width=width, right=(1, 2, 3))


def receipt_lines(bill: Mapping[str, Any], width: int) -> Iterator[str]:
    """What a job cost line by line, and who paid which part."""
    asset = str(bill["asset"])
    yield from pairs(
        {
            "job": bill["job_id"],
            "outcome": bill.get("outcome"),
            "backend": bill.get("backend"),
            "price": Money(int(bill["price"]), asset),
            "charged": Money(int(bill["charged"]), asset),
            "subsidised": Money(int(bill["subsidised"]), asset),
            "own share": Money(int(bill["copay"]), asset) if bill["copay"] else None,
            "held": Money(int(bill["held"]), asset),
            "given back": Money(int(bill["released"]), asset),
            "absorbed": Money(int(bill["absorbed_by_facility"]), asset) if bill["absorbed_by_facility"] else None,
        },
        width=width,
    )
    if bill["lines"]:
        rows = [
            (
                str(line["what"]),
                count(line["quantity"] * line["quantum"], line["unit"]),
                f"{decimal(line['unit_price'])} per "
                + (line["unit"] if line["quantum"] == 1 else count(line["quantum"], line["unit"])),
                decimal(line["amount"]),
            )
            for line in bill["lines"]
        ]
        yield ""
        yield from table_or_blocks(("FOR", "QUANTITY", "PRICE", asset), rows, width=width, right=(1, 2, 3))
    if bill["payers"]:
        payers = [
            (
                str(payer["payer"]),
                share_in_words(str(payer["payer"]), int(payer["share_ppm"])),
                _paid(Money(int(payer["paid"]), str(payer["asset"])), Money(int(payer["worth"]), asset)),
                str(payer["programme_id"] or "-"),
            )
            for payer in bill["payers"]
        ]
        yield ""
        yield from table_or_blocks(("PAYER", "SHARE", "PAID", "PROGRAMME"), payers, width=width, right=(1, 2))


def explain_lines(bill: Mapping[str, Any], width: int) -> Iterator[str]:
    """The same in sentences, one step after the other."""
    for number, step in enumerate(bill["explain"], 1):
        head = f"{number:>2}. "
        yield from textwrap.wrap(
            clean(str(step["words"])),
            width,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_on_hyphens=False,
        )


def _qpu_time(quoted: Mapping[str, Any]) -> str | None:
    """What a device would bill, which is not how long its simulation runs."""
    if "qpu_ms" not in quoted:
        return None
    expected_us, most_us = (1_000 * ms for ms in quoted["qpu_ms"])
    return f"about {duration(expected_us)}, billed as the device would; {duration(most_us)} are held"


def _run_time(quoted: Mapping[str, Any]) -> str | None:
    if "estimate_ms" not in quoted:
        return None
    limit = f", stopped after {duration(quoted['time_limit_ms'] * 1000)}" if "time_limit_ms" in quoted else ""
    return f"about {duration(quoted['estimate_ms'] * 1000)}{limit}"


def _paid(amount: Money, worth: Money) -> str:
    """What was paid, and what that is worth where it was paid in kind."""
    return str(amount) if amount.asset == worth.asset else f"{amount}, worth {worth}"


def _row(figures: Figures, words: Sequence[str]) -> list[str]:
    return [getattr(figures, word).figure for word in words]


def _runs_out(found: Quota) -> str:
    if not found.grants:
        return ""
    if not found.available.micro:
        kept = bool(found.wallet.micro) or any(figures.available.micro for figures in found.in_kind.values())
        return "no grant in money has anything left" if kept else "nothing is left to spend"
    day = moment(found.record["runs_out_us"])[:10]
    return f"{day} at the pace of the last 30 days, or with the last grant"


def _restrictions(grant: Mapping[str, Any]) -> str:
    return ", ".join(str(one) for word in ("resources", "backends", "members") for one in grant[word])
