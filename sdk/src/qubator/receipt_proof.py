"""Checks a receipt offline, with nothing but the ledger's public keys.

Written apart from the service, from the description of the formats: bencode for entries, RFC 6962 for the tree, C2SP
signed notes for checkpoints. So a fault of the service's own code is not repeated here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qubator.errors import QubatorError

_FIELDS = ("seq", "id", "kind", "at_us", "project_id", "job_id", "grant_id", "programme_id", "postings")
_POSTING = ("position", "source", "destination", "amount", "asset")
_ENCODING = "qubator.entry/1"
_ED25519, _ML_DSA = b"\x01", b"\xffML-DSA-65"
_EARNED, _OVERRUN = "facility/earned", "facility/overrun"


class NotProven(QubatorError):  # noqa: N818 - named for what it says
    """The receipt is not what the ledger says, or cannot be checked; the text says what is off."""

    def __init__(self, detail: str, *, code: str = "not_proven", **more: Any) -> None:
        super().__init__(detail, code=code, **more)


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    id: bytes
    kind: bytes
    content: bytes

    @property
    def algorithm(self) -> str:
        return "Ed25519" if self.kind == _ED25519 else "ML-DSA-65"


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
    known = _keys(keys)
    size, root, algorithms = _checkpoint(proof["checkpoint"], known)
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
        f"the root over these is signed by {' and '.join(algorithms)}",
        *figures,
    ]


def _figures(receipt: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> list[str]:
    job_id, project_id, asset = receipt["job_id"], receipt["project_id"], receipt["asset"]
    listed = {(one["id"], one["kind"], one["at_us"]) for one in receipt["entries"]}
    proven = {(one["id"], one["kind"], one["at_us"]) for one in entries}
    if not listed <= proven:
        raise NotProven(f"an entry that the receipt lists is not proven: {sorted(listed - proven)[0][0]}")
    for entry in entries:
        if (entry["job_id"], entry["project_id"]) != (job_id, project_id):
            raise NotProven(f"entry {entry['id']} is of another job or project than the receipt")
        if any(posting["asset"] != asset for posting in entry["postings"]):
            raise NotProven(f"entry {entry['id']} moves another asset than {asset}")
    holds = [entry for entry in entries if entry["kind"] == "hold"]
    closings = [entry for entry in entries if entry["kind"] in ("settle", "void")]
    if len(holds) != 1 or len(closings) != 1:
        raise NotProven(f"a receipt is proven by one hold and one end, not {len(holds)} and {len(closings)}")
    if receipt["state"] != {"settle": "settled", "void": "voided"}[closings[0]["kind"]]:
        raise NotProven(f"the receipt says {receipt['state']}, the ledger {closings[0]['kind']}")
    held, ended = holds[0]["postings"], closings[0]["postings"]
    paid = _total(ended, lambda posting: posting["destination"] == _EARNED and posting["source"] != _OVERRUN)
    absorbed = _total(ended, lambda posting: posting["source"] == _OVERRUN)
    released = _total(ended, lambda posting: posting["destination"] != _EARNED)
    _same("held", receipt["held"], _total(held, lambda _: True))
    _same("charged", receipt["charged"], paid)
    _same("released", receipt["released"], released)
    _same("absorbed by the facility", receipt["absorbed_by_facility"], absorbed)
    _same("the price", receipt["price"], paid + absorbed)
    _same("the price", receipt["price"], sum(line["amount"] for line in receipt["lines"]))
    _lines(receipt["lines"])
    _payers(receipt["payers"], held, ended)
    return [
        f"held {receipt['held']}, charged {paid}, released {released}, absorbed {absorbed}: as the postings say",
        f"the price of {receipt['price']} is the sum of {len(receipt['lines'])} lines, each quantity times unit price",
        f"{len(receipt['payers'])} payers paid and got back what the receipt says",
    ]


def _lines(lines: Sequence[Mapping[str, Any]]) -> None:
    for line in lines:
        exact = -(-line["quantity"] * line["unit_price"] // line.get("per", 1))
        _same(f"the line {line['what']}", line["amount"], exact)


def _payers(payers: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]], ended: Any) -> None:
    sources = {posting["destination"] for posting in held}
    if {f"grant/{payer['grant_id']}/held" for payer in payers} != sources or len(payers) != len(sources):
        raise NotProven("the payers are not the grants that were held")
    for payer in payers:
        grant, own = payer["grant_id"], f"grant/{payer['grant_id']}/held"
        _same(f"grant {grant} held", payer["held"], _total(held, lambda p, own=own: p["destination"] == own))
        paid = _total(ended, lambda p, own=own: p["source"] == own and p["destination"] == _EARNED)
        _same(f"grant {grant} paid", payer["paid"], paid)
        if payer["released_to"] not in (("available", "expired") if payer["released"] else ("available",)):
            raise NotProven(f"grant {grant} got nothing back on {payer['released_to']}")
        back = f"grant/{grant}/{payer['released_to']}"
        _same(
            f"grant {grant} got back",
            payer["released"],
            _total(ended, lambda p, own=own, back=back: p["source"] == own and p["destination"] == back),
        )


def _total(postings: Sequence[Mapping[str, Any]], chosen: Any) -> int:
    return sum(posting["amount"] for posting in postings if chosen(posting))


def _same(what: str, said: Any, proven: int) -> None:
    if type(said) is not int or said != proven:
        raise NotProven(f"{what}: the receipt says {said}, the ledger {proven}")


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


def _checkpoint(note: str, keys: Sequence[_Key]) -> tuple[int, bytes, list[str]]:
    """Size and root of the checkpoint, and the algorithms that every known key has signed it with."""
    text, gap, below = note.rpartition("\n\n")
    if not gap:
        raise NotProven("the checkpoint is no signed note")
    text += "\n"
    signatures = []
    for line in below.splitlines():
        dash, name, content = line.split(" ")
        if dash != "—":
            raise NotProven("the checkpoint has a line that is no signature")
        raw = _base64(content)
        signatures.append((name, raw[:4], raw[4:]))
    for key in keys:
        own = [content for name, key_id, content in signatures if (name, key_id) == (key.name, key.id)]
        if not own:
            raise NotProven(f"the checkpoint is not signed by the {key.algorithm} key {key.name}")
        if not all(_signed(key, content, text.encode()) for content in own):
            raise NotProven(f"the {key.algorithm} signature of the checkpoint is wrong")
    origin, size, root, *_ = text.split("\n")
    if origin != keys[0].name:
        raise NotProven(f"the checkpoint is of the ledger {origin}, the keys are of {keys[0].name}")
    return int(size), _base64(root), [key.algorithm for key in keys]


def _signed(key: _Key, signature: bytes, content: bytes) -> bool:
    # Loaded when a receipt is checked: most uses of the client never need it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

    kind = Ed25519PublicKey if key.kind == _ED25519 else MLDSA65PublicKey
    try:
        kind.from_public_bytes(key.content).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _keys(text: str) -> list[_Key]:
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("#"):
            continue
        name, _, rest = line.partition("+")
        key_id, _, content = rest.partition("+")
        raw = _base64(content)
        kind = _ED25519 if raw[:1] == _ED25519 else _ML_DSA
        key = _Key(name, bytes.fromhex(key_id), kind, raw.removeprefix(kind))
        own = hashlib.sha256(name.encode() + b"\n" + kind + key.content).digest()[:4]
        if not raw.startswith(kind) or own != key.id:
            raise NotProven(f"the key {name[:40]!r} is no public key of a ledger, or was changed")
        found.append(key)
    if not found:
        raise NotProven("there is no public key: `qubator ledger key` shows the service's")
    return found


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise NotProven(f"{text[:30]!r} is no base64") from wrong
