"""Checks a receipt offline, with nothing but the ledger's public keys.

Written apart from the service, from the description of the formats: bencode for entries, RFC 6962 for the tree, C2SP
signed notes for checkpoints. So a fault of the service's own code is not repeated here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from qubator.signed_notes import NotProven, checkpoint, followed, keys_of

_FIELDS = (
    "seq",
    "id",
    "kind",
    "at_us",
    "project_id",
    "job_id",
    "grant_id",
    "programme_id",
    "claims",
    "body",
    "postings",
)
_POSTING = ("position", "source", "destination", "amount", "asset")
_ENCODING = "qubator.entry/1"
_EARNED, _OVERRUN = "facility/earned/", "facility/overrun"

__all__ = ["NotProven", "verify_receipt"]


def verify_receipt(receipt: Mapping[str, Any], keys: str) -> list[str]:
    """Check a receipt against its proof and the public keys (the text of a key file).

    Returns what was checked, in sentences. Raises NotProven with the first thing that is off.
    """
    try:
        return _verified(receipt, keys)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as wrong:
        raise NotProven(f"the receipt or its proof is incomplete or malformed: {wrong!r}") from wrong


def _verified(receipt: Mapping[str, Any], keys: str) -> list[str]:
    proof = receipt.get("proof")
    if not proof:
        raise NotProven("the receipt carries no proof: fetch it again with `qubator receipt ID --json`")
    if proof["state"] != "signed":
        raise NotProven(f"the proof is not complete yet: {proof.get('detail') or proof['state']}")
    if proof["encoding"] != _ENCODING:
        raise NotProven(f"the entries are encoded as {proof['encoding']}, this version knows {_ENCODING}")
    known = keys_of(keys)
    trusted, changes = followed(known, proof.get("handovers") or ())
    size, root, signer, algorithms = checkpoint(proof["checkpoint"], trusted)
    entries = proof["entries"]
    seqs = [entry["columns"]["seq"] for entry in entries]
    if seqs != sorted(set(seqs)):
        raise NotProven("the entries of the proof do not stand in their order")
    for entry in entries:
        _included(entry, size, root)
    figures = _figures(receipt, [entry["columns"] for entry in entries])
    count = len(entries)
    return [
        f"{count} {'entry' if count == 1 else 'entries'}: each hash follows from the columns and the hash before",
        f"each is among the first {size} entries of the ledger {known[0].name}",
        f"the root over these is signed by {' and '.join(algorithms)} of {signer}",
        *changes,
        *figures,
    ]


def _figures(receipt: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> list[str]:
    hold, closing, corrections = _history(receipt, entries)
    backing = json.loads(hold["body"])
    _same_text("asset", receipt["asset"], backing["asset"])
    _lines("quoted", receipt["quoted"]["lines"], backing["lines"])
    last = corrections[-1] if corrections else closing
    voided = closing["kind"] == "void"
    none: dict[str, Any] = {"lines": [], "captured": [0] * len(backing["slices"]), "overrun": 0}
    ended = none if voided else json.loads(last["body"])
    _lines("settled", receipt["lines"], ended["lines"])
    _slices(receipt["slices"], backing["slices"], ended["captured"])
    earlier = [json.loads(entry["body"])["lines"] for entry in (closing, *corrections)] if corrections else []
    if len(receipt["settlements"]) != len(earlier):
        raise NotProven(f"the receipt tells {len(receipt['settlements'])} settlements, the ledger {len(earlier)}")
    for said, recorded in zip(receipt["settlements"], earlier, strict=True):
        _lines("earlier", said, recorded)
    if [list(cut.values()) for cut in receipt["cuts"]] != backing["cuts"]:
        raise NotProven("what limits have cut is not what the ledger says")
    prices = {line[0]: line for line in backing["lines"]}
    payers = _payers(receipt, backing, ended["captured"], prices, [closing, *corrections], hold)
    price = sum(line[1] * line[2] for line in ended["lines"])
    charged = sum(worth for _, worth in payers.values())
    copay = payers.get("wallet", (0, 0))[1]
    held = sum(line[1] * line[2] for line in backing["lines"])
    _same("held", receipt["held"], held)
    _same("the ceiling", receipt["quoted"]["ceiling"], held)
    _same("charged", receipt["charged"], charged)
    _same("the project's own share", receipt["copay"], copay)
    _same("subsidised", receipt["subsidised"], charged - copay)
    _same("released", receipt["released"], held - charged)
    absorbed = _moved([closing, *corrections], _OVERRUN, f"{_EARNED}overrun")
    _same("absorbed by the facility", receipt["absorbed_by_facility"], absorbed)
    _same("absorbed by the facility", ended["overrun"], absorbed)
    _same("the price", receipt["price"], price)
    _same("the price", charged + absorbed, price)
    payers_told = "1 payer" if len(payers) == 1 else f"{len(payers)} payers"
    said = [
        f"held {held}, charged {charged}, released {held - charged}, absorbed {absorbed}: as the postings say",
        f"the price of {price} is the sum of {len(ended['lines'])} lines, each quantity times unit price",
        f"{payers_told} paid and got back what the receipt says, by the rules that were recorded at the hold",
    ]
    return [*said, f"corrected {len(corrections)} times, the last counts"] if corrections else said


def _history(
    receipt: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Mapping[str, Any], list[Mapping[str, Any]]]:
    """The one hold, the one end, and the corrections after it, if the receipt is about just these."""
    listed = [(one["id"], one["kind"], one["at_us"]) for one in receipt["entries"]]
    proven = [(one["id"], one["kind"], one["at_us"]) for one in entries]
    if not set(listed) <= set(proven):
        raise NotProven(f"an entry that the receipt lists is not proven: {sorted(set(listed) - set(proven))[0][0]}")
    for entry in entries:
        if (entry["job_id"], entry["project_id"]) != (receipt["job_id"], receipt["project_id"]):
            raise NotProven(f"entry {entry['id']} is of another job or project than the receipt")
    holds = [entry for entry in entries if entry["kind"] == "hold"]
    closings = [entry for entry in entries if entry["kind"] in ("settle", "void")]
    corrections = [entry for entry in entries if entry["kind"] == "correct"]
    if len(holds) != 1 or len(closings) != 1:
        raise NotProven(f"a receipt is proven by one hold and one end, not {len(holds)} and {len(closings)}")
    if receipt["state"] != {"settle": "settled", "void": "voided"}[closings[0]["kind"]]:
        raise NotProven(f"the receipt says {receipt['state']}, the ledger {closings[0]['kind']}")
    ends = [(one["id"], one["kind"], one["at_us"]) for one in (*closings, *corrections)]
    if [one for one in listed if one[1] != "hold"] != ends:
        raise NotProven("the receipt leaves out, or repeats, an end or a correction that the ledger has")
    return holds[0], closings[0], corrections


def _lines(which: str, said: Sequence[Mapping[str, Any]], recorded: Sequence[Sequence[Any]]) -> None:
    names = ("resource", "quantity", "unit_price", "quantum", "rate")
    if [[line[name] for name in names] for line in said] != [list(line) for line in recorded]:
        raise NotProven(f"the {which} lines are not those that the ledger recorded")
    for line in said:
        _same(f"the line {line['what']}", line["amount"], line["quantity"] * line["unit_price"])


def _slices(said: Sequence[Mapping[str, Any]], recorded: Sequence[Sequence[Any]], captured: Sequence[int]) -> None:
    names = ("payer", "resource", "amount", "asset", "worth", "share_ppm", "up_to_ppm", "rule")
    expected = [[*part, amount] for part, amount in zip(recorded, captured, strict=True)]
    if [[*(part[name] for name in names), part["captured"]] for part in said] != expected:
        raise NotProven("the parts of the hold are not those that the ledger recorded")


def _payers(
    receipt: Mapping[str, Any],
    backing: Mapping[str, Any],
    captured: Sequence[int],
    prices: Mapping[str, Sequence[Any]],
    ends: Sequence[Mapping[str, Any]],
    hold: Mapping[str, Any],
) -> dict[str, tuple[int, int]]:
    """What each payer paid, and what that is worth in money, after both have been compared with the postings."""
    found: dict[str, tuple[int, int]] = {}
    told = {payer["payer"]: payer for payer in receipt["payers"]}
    if len(told) != len(receipt["payers"]) or list(told) != list(dict.fromkeys(p[0] for p in backing["slices"])):
        raise NotProven("the payers are not those of the hold")
    for name, payer in told.items():
        home = f"wallet/{receipt['project_id']}" if name == "wallet" else f"grant/{name}"
        own = f"{home}/held"
        parts = [(p, amount) for p, amount in zip(backing["slices"], captured, strict=True) if p[0] == name]
        paid = sum(amount for _, amount in parts)
        worth = sum(
            amount if p[3] == backing["asset"] else amount // prices[p[1]][3] * prices[p[1]][2] for p, amount in parts
        )
        first = parts[0][0]
        _same_text(f"the asset of {name}", payer["asset"], first[3])
        _same(f"{name} held", payer["held"], _total(hold["postings"], lambda p, own=own: p["destination"] == own))
        _same(f"{name} held", payer["held"], sum(p[2] for p, _ in parts))
        _same(f"{name} paid", payer["paid"], paid)
        _same(f"{name} paid", payer["paid"], _moved(ends, home, _EARNED))
        _same(f"the worth of what {name} paid", payer["worth"], worth)
        _same(f"{name} got back", payer["released"], payer["held"] - paid)
        _same(f"the share of {name}", payer["share_ppm"], first[5])
        _same_text(f"the rule of {name}", payer["rule"], first[7])
        _same_text(f"the grant of {name}", payer["grant_id"] or "wallet", name)
        _funders(payer, ends, home)
        _given_back_to(payer, ends, own, home)
        found[name] = (paid, worth)
    return found


def _funders(payer: Mapping[str, Any], ends: Sequence[Mapping[str, Any]], home: str) -> None:
    """Whose money it was: each funder has an account of its own among the facility's earnings."""
    for funder in payer["funders"]:
        paid = _moved(ends, home, f"{_EARNED}funder/{funder['funder_id']}")
        _same(f"funder {funder['funder_id']} paid", funder["paid"], paid)
    if payer["funders"]:
        _same("the funders' sum", payer["paid"], sum(funder["paid"] for funder in payer["funders"]))
        _same_text("the leading funder", payer["funder_id"], payer["funders"][0]["funder_id"])
    elif payer["funder_id"] is not None or payer["programme_id"] is not None:
        raise NotProven(f"{payer['payer']} has no funder and no programme")


def _given_back_to(payer: Mapping[str, Any], ends: Sequence[Mapping[str, Any]], own: str, home: str) -> None:
    places = {"wallet": "available", "available": "available", "expired": "expired"}
    back = {p["destination"] for entry in ends for p in entry["postings"] if p["source"] == own}
    back = {account for account in back if account.startswith(home)}
    if payer["released_to"] not in places or (payer["released_to"] == "wallet") != (payer["grant_id"] is None):
        raise NotProven(f"what {payer['payer']} got back went nowhere like {payer['released_to']}")
    if back and f"{home}/{places[payer['released_to']]}" not in back and len(ends) == 1:
        raise NotProven(f"{payer['payer']} got nothing back on {payer['released_to']}")


def _moved(ends: Sequence[Mapping[str, Any]], near: str, far: str) -> int:
    """What went from accounts that begin with `near` to those that begin with `far`, less what came back."""
    postings = [posting for entry in ends for posting in entry["postings"]]

    def between(source: str, destination: str) -> int:
        return _total(
            postings, lambda p: p["source"].startswith(source) and (p["destination"] + "/").startswith(destination)
        )

    return between(near, far) - between(far, near)


def _total(postings: Sequence[Mapping[str, Any]], chosen: Any) -> int:
    return sum(posting["amount"] for posting in postings if chosen(posting))


def _same(what: str, said: Any, proven: int) -> None:
    if type(said) is not int or said != proven:
        raise NotProven(f"{what}: the receipt says {said}, the ledger {proven}")


def _same_text(what: str, said: Any, proven: str) -> None:
    if said != proven:
        raise NotProven(f"{what}: the receipt says {said!r}, the ledger {proven!r}")


def _included(entry: Mapping[str, Any], size: int, root: bytes) -> None:
    columns, previous, own = entry["columns"], bytes.fromhex(entry["previous"]), bytes.fromhex(entry["hash"])
    if set(columns) != set(_FIELDS) or any(set(posting) != set(_POSTING) for posting in columns["postings"]):
        raise NotProven(f"entry {columns.get('id')} has other columns than {_ENCODING} knows")
    postings = [[posting[name] for name in _POSTING] for posting in columns["postings"]]
    values = [_ENCODING, previous, *(columns[name] for name in _FIELDS[:-1]), postings]
    if hashlib.sha256(_bencode(values)).digest() != own:
        raise NotProven(f"entry {columns['id']} does not have the hash that its columns make: it was changed")
    index, last = columns["seq"] - 1, size - 1
    if not 0 <= index <= last:
        raise NotProven(f"entry {columns['id']} is number {columns['seq']}, the checkpoint covers {size}")
    above = hashlib.sha256(b"\0" + own).digest()
    for sibling in map(bytes.fromhex, entry["path"]):
        if last == 0:
            raise NotProven(f"the path of entry {columns['id']} is too long")
        if index % 2 or index == last:
            above = hashlib.sha256(b"\1" + sibling + above).digest()
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            above = hashlib.sha256(b"\1" + above + sibling).digest()
        index, last = index // 2, last // 2
    if last or above != root:
        raise NotProven(f"entry {columns['id']} is not in the ledger that was signed")


def _bencode(value: Any) -> bytes:
    if value is None:
        return b"le"
    if isinstance(value, list):
        return b"l" + b"".join(map(_bencode, value)) + b"e"
    if type(value) is int:
        return b"i%de" % value
    content = value if isinstance(value, bytes) else value.encode()
    return b"%d:%b" % (len(content), content)
