"""A receipt in sentences, made of its figures alone: usage × rate, who paid which share under which rule, what the caps
cut, what came back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.model import FULL_PPM, WALLET, in_words
from ledger.shortage import REASONS


def explanation(document: Mapping[str, Any]) -> list[str]:
    """The sentences of a receipt, in the order in which one would ask."""
    return [step["words"] for step in steps(document)]


def steps(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A receipt row by row: {"step", "words", "amounts"}, where `amounts` are the figures behind the words.

    Steps: `price` for each line, `total`, `corrected`, `payer`, `cut`, `released`, `absorbed`; or `voided` alone. An
    amount is in the smallest unit of the asset that stands beside it.
    """
    if document["state"] == "voided":
        words = f"Nothing was charged: the hold of {in_words(document['held'], document['asset'])} was given back."
        return [_step("voided", words, _of(document, "held", "released", "asset"))]
    return [*_prices(document), *_payments(document), *_rest(document)]


def _step(step: str, words: str, amounts: dict[str, Any]) -> dict[str, Any]:
    return {"step": step, "words": words, "amounts": amounts}


def _of(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names}


def _prices(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    asset = document["asset"]
    for line in document["lines"]:
        native, unit = line["quantity"] * line["quantum"], line["unit"]
        per = unit if line["quantum"] == 1 else f"{line['quantum']} {_plural(line['quantum'], unit)}"
        words = (
            f"{line['what']}: {native} {_plural(native, unit)} at {in_words(line['unit_price'], asset)} per {per} "
            f"= {in_words(line['amount'], asset)}."
        )
        figures = _of(line, "resource", "quantity", "quantum", "unit_price", "amount", "rate")
        yield _step("price", words, {**figures, "asset": asset})
    words = f"Together {in_words(document['price'], asset)}."
    yield _step("total", words, {"amount": document["price"], "asset": asset})
    if document.get("settlements"):
        first, times = sum(line["amount"] for line in document["settlements"][0]), len(document["settlements"]) - 1
        often = "once" if times == 1 else f"{times} times"
        words = f"When the job was settled the price was {in_words(first, asset)}; it has been corrected {often} since."
        yield _step("corrected", words, {"amount": first, "asset": asset})


def _payments(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    asset = document["asset"]
    for payer in document["payers"]:
        if not payer["paid"]:
            continue
        figures = _of(payer, "payer", "programme_id", "funders", "share_ppm", "rule", "paid", "asset", "worth")
        if payer["payer"] == WALLET:
            yield _step("payer", f"The project's own wallet paid {in_words(payer['paid'], asset)}.", figures)
            continue
        who = f"Grant {payer['grant_id']} of programme {payer['programme_id']}, funded by {_funders(payer)}, "
        share = "" if payer["share_ppm"] == FULL_PPM else f", its share of {percent(payer['share_ppm'])}"
        rule = f" (rule {payer['rule']})" if payer["rule"] else ""
        worth = "" if payer["asset"] == asset else f", worth {in_words(payer['worth'], asset)}"
        yield _step("payer", f"{who}paid {in_words(payer['paid'], payer['asset'])}{worth}{share}{rule}.", figures)
    for cut in document["cuts"]:
        words = _cut_in_words(document, cut) if cut["limit"] in REASONS else ""
        if words:
            yield _step("cut", words, _of(cut, "payer", "limit", "amount"))


def _funders(payer: Mapping[str, Any]) -> str:
    if len(payer["funders"]) == 1:
        return str(payer["funder_id"])
    return " and ".join(f"{one['funder_id']} ({in_words(one['paid'], payer['asset'])})" for one in payer["funders"])


def _cut_in_words(document: Mapping[str, Any], cut: Mapping[str, Any]) -> str:
    """What a limit that cut the hold meant in the end; "" when the job used so little that it meant nothing."""
    payer = cut["payer"]
    if all(row["paid"] == row["held"] for row in document["payers"] if row["payer"] == payer):
        return f"Grant {payer} would have paid more, but {REASONS[cut['limit']]}."
    return ""


def _rest(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    asset, held = document["asset"], in_words(document["held"], document["asset"])
    if document["released"]:
        words = f"{in_words(document['released'], asset)} of the {held} held was not needed."
        yield _step("released", words, _of(document, "held", "charged", "released", "asset"))
    if document["absorbed_by_facility"]:
        words = (
            f"The price exceeds the hold of {held}; "
            f"the facility absorbed {in_words(document['absorbed_by_facility'], asset)}."
        )
        yield _step("absorbed", words, _of(document, "price", "held", "absorbed_by_facility", "asset"))


def percent(ppm: int) -> str:
    """Parts per million as people write them: 300_000 → "30 %"."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole} %" if not rest else f"{whole}.{rest:04d}".rstrip("0") + " %"


def _plural(quantity: int, unit: str) -> str:
    return unit if quantity == 1 or unit in ("ms", "MiB h") else f"{unit}s"
