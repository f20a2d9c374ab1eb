"""A real receipt of the ledger's own making is proven; the same receipt with any field changed is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from dispatcher.keys import open_keys, public_text
from ledger import merkle
from ledger.book import Book
from ledger.chain import GENESIS, VERSION, columns_of, document, linked
from ledger.commands import Command, FundProgramme, IssueGrant, PlaceHold, SettleHold, VoidHold
from ledger.core import apply, decide
from ledger.model import Entry, Grant
from ledger.notes import Checkpoint
from ledger.price import Charge, Rate, Usage, charge, quote
from ledger.receipt import receipt
from qubator.receipt_proof import NotProven, verify_receipt

RATE = Rate("aer", 1_000, 500, 100, "2026-1")


class Facility:
    """A ledger in memory, its tree and its keys."""

    def __init__(self, folder: Path) -> None:
        self.keys = open_keys(folder, [])
        self.key_text = public_text(self.keys.public)
        self.book, self.entries, self.links = Book.empty(), [], []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.frontier: list[bytes] = []

    def post(self, command: Command) -> None:
        entry = decide(self.book, command)
        assert isinstance(entry, Entry), entry
        apply(self.book, entry, grant=command.grant if isinstance(command, IssueGrant) else None)
        previous = self.links[-1][2] if self.links else GENESIS
        columns = columns_of(len(self.links) + 1, entry)
        own = linked(previous, columns)
        for level, position, hashed in merkle.append(len(self.links), self.frontier, merkle.leaf(own)):
            self.nodes[level, position] = hashed
        self.entries.append(entry)
        self.links.append((columns, previous, own))

    def grant(self, grant_id: str, amount: int, priority: int) -> None:
        self.post(FundProgramme(0, f"for-{grant_id}", "seed", "city", "CNY", amount))
        self.post(IssueGrant(0, Grant(grant_id, "seed", "city", "acme", "CNY", amount, 0, 10**15, priority, 0)))

    def receipt_of(self, job_id: str, usage: Usage, priced: Charge) -> dict[str, Any]:
        """What the service would answer, as it comes out of JSON."""
        size = len(self.links)
        bill = receipt(
            self.book.holds[job_id], self.entries, priced, quote(RATE, 3, 200, 1_000), usage, self.book.grants
        )
        shown = []
        for (columns, previous, own), entry in zip(self.links, self.entries, strict=True):
            if entry.job_id == job_id:
                parts = merkle.inclusion_parts(columns[0] - 1, size)
                path = [one.hex() for one in merkle.assembled(parts, self.nodes.__getitem__)]
                shown.append(
                    {"columns": document(columns), "previous": previous.hex(), "hash": own.hex(), "path": path}
                )
        note = self.keys.signed(Checkpoint(self.keys.name, size, merkle.root(self.frontier), 7))
        proof = {"state": "signed", "detail": None, "encoding": VERSION, "entries": shown, "checkpoint": note}
        told: dict[str, Any] = json.loads(json.dumps({**bill, "proof": proof}))
        return told


@pytest.fixture(scope="module")
def facility(tmp_path_factory: pytest.TempPathFactory) -> Facility:
    made = Facility(tmp_path_factory.mktemp("keys"))
    made.grant("small", 2_000, 0)
    made.grant("large", 10**9, 1)
    for number in range(9):
        made.post(PlaceHold(5, f"other-{number}", "acme", "CNY", 10))
    return made


@pytest.fixture(scope="module")
def settled(facility: Facility) -> dict[str, Any]:
    """A job that two grants paid, and beyond its hold the facility."""
    used = Usage(9, 1_000)
    facility.post(PlaceHold(5, "job", "acme", "CNY", 5_000))
    facility.post(SettleHold(6, "job", charge(RATE, used).amount))
    facility.post(PlaceHold(7, "after", "acme", "CNY", 5))
    return facility.receipt_of("job", used, charge(RATE, used))


@pytest.fixture(scope="module")
def voided(facility: Facility) -> dict[str, Any]:
    facility.post(PlaceHold(8, "void", "acme", "CNY", 700))
    facility.post(VoidHold(9, "void"))
    return facility.receipt_of("void", Usage(0, 0), Charge((), 0))


def test_a_receipt_is_proven(facility: Facility, settled: dict[str, Any]) -> None:
    assert settled["absorbed_by_facility"] > 0
    assert len(settled["payers"]) == 2
    checked = verify_receipt(settled, facility.key_text)
    assert checked[0].startswith("2 entries: each hash follows")
    assert "signed by Ed25519 and ML-DSA-65" in checked[2]


def test_a_receipt_that_costs_nothing_is_proven(facility: Facility, voided: dict[str, Any]) -> None:
    assert "charged 0, released 700" in verify_receipt(voided, facility.key_text)[3]


def test_one_key_is_enough_for_whom_has_only_one(facility: Facility, settled: dict[str, Any]) -> None:
    first, second = facility.key_text.splitlines()
    assert "signed by Ed25519" in verify_receipt(settled, first)[2]
    assert "signed by ML-DSA-65" in verify_receipt(settled, f"# kept\n{second}\n")[2]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [found for place, inner in enumerate(value) for found in leaves(inner, (*path, place))]
    return [path]


def changed(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-2] + ("b" if value[-2:-1] != "b" else "c") + value[-1:] if len(value) > 1 else value + "x"
    return "x"


UNPROVEN = {"v", "usage", "rate", "quoted", "explanation"}
"""What is told beside the money: no posting says it. (Of a line, what and unit are words as well.)"""


def is_proven(path: tuple[Any, ...]) -> bool:
    if path[0] == "lines":
        return path[2] in ("quantity", "unit_price", "amount")
    if path[0] == "payers":
        return path[2] not in ("programme_id", "funder_id")
    return path[0] not in UNPROVEN and path != ("proof", "detail")


def test_every_changed_field_is_found(facility: Facility, settled: dict[str, Any], voided: dict[str, Any]) -> None:
    tried = 0
    for bill in (settled, voided):
        for path in filter(is_proven, leaves(bill)):
            forged = copy.deepcopy(bill)
            inside = forged
            for step in path[:-1]:
                inside = inside[step]
            inside[path[-1]] = changed(inside[path[-1]])
            with pytest.raises(NotProven):
                print(path, verify_receipt(forged, facility.key_text))
            tried += 1
    assert tried > 100


def test_everything_left_out_is_found(facility: Facility, settled: dict[str, Any]) -> None:
    for path in filter(is_proven, leaves(settled)):
        forged = copy.deepcopy(settled)
        inside = forged
        for step in path[:-1]:
            inside = inside[step]
        del inside[path[-1]]
        if path[0] == "entries" or path[-1] == "per":
            continue
        with pytest.raises(NotProven):
            print(path, verify_receipt(forged, facility.key_text))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda bill: bill.pop("proof"), "carries no proof"),
        (lambda bill: bill["proof"].update(state="pending", detail="soon"), "not complete yet: soon"),
        (lambda bill: bill["proof"].update(encoding="other/2"), "encoded as other/2"),
        (lambda bill: bill["proof"]["entries"].reverse(), "do not stand in their order"),
        (lambda bill: bill["proof"]["entries"].pop(), "is not proven"),
        (lambda bill: bill["proof"]["entries"].pop(0), "is not proven"),
        (lambda bill: bill["proof"]["entries"][0].update(path=[]), "is not in the ledger that was signed"),
        (lambda bill: bill["proof"].update(checkpoint="x"), "no signed note"),
        (lambda bill: bill["payers"].pop(), "the payers are not the grants that were held"),
        (lambda bill: bill["lines"].pop(), "the price"),
    ],
)
def test_the_reason_is_said(facility: Facility, settled: dict[str, Any], change: Any, why: str) -> None:
    forged = copy.deepcopy(settled)
    change(forged)
    with pytest.raises(NotProven, match=why):
        verify_receipt(forged, facility.key_text)


def test_keys_of_others_prove_nothing(facility: Facility, settled: dict[str, Any], tmp_path: Path) -> None:
    strangers = public_text(open_keys(tmp_path, []).public)
    with pytest.raises(NotProven, match="is not signed by the Ed25519 key"):
        verify_receipt(settled, strangers)
    for text, why in (("", "no public key"), ("rubbish", "malformed|no public key"), ("a+00+AQID", "was changed")):
        with pytest.raises(NotProven, match=why):
            verify_receipt(settled, text)
