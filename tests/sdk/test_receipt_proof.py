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
from ledger.commands import Command, CorrectJob, FundProgramme, IssueGrant, PlaceHold, SettleHold, TopUp, VoidHold
from ledger.core import apply, decide
from ledger.model import Entry, Grant
from ledger.notes import Checkpoint
from ledger.price import Usage, charge, quote
from ledger.rates import RateLine
from ledger.receipt import receipt
from ledger.terms import Rule, Terms
from qubator.receipt_proof import NotProven, verify_receipt

RATES = (RateLine("r/job", "job", 1_000), RateLine("r/qpu", "qpu_ms", 500), RateLine("r/shots", "shots", 1, 10))
QUOTE = quote(RATES, Usage(3, 1_000), Usage(8, 1_000))
USED = Usage(9, 1_000)


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
        apply(self.book, entry)
        previous = self.links[-1][2] if self.links else GENESIS
        columns = columns_of(len(self.links) + 1, entry)
        own = linked(previous, columns)
        for level, position, hashed in merkle.append(len(self.links), self.frontier, merkle.leaf(own)):
            self.nodes[level, position] = hashed
        self.entries.append(entry)
        self.links.append((columns, previous, own))

    def grant(self, grant_id: str, amount: int, priority: int, asset: str = "CNY") -> None:
        funders = (("city", 1), ("state", 2))
        self.post(FundProgramme(0, f"for-{grant_id}", f"of-{grant_id}", "city", asset, amount))
        terms = (0, 10**15, priority, 0)
        self.post(IssueGrant(0, Grant(grant_id, f"of-{grant_id}", funders, "acme", asset, amount, *terms)))

    def receipt_of(self, job_id: str, usage: Usage) -> dict[str, Any]:
        """What the service would answer, as it comes out of JSON."""
        size = len(self.links)
        ends = [entry for entry in self.entries if entry.kind != "hold"]
        bill = receipt(self.book.holds[job_id], ends, QUOTE, usage, self.book.grants)
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


def hold(job_id: str, at_us: int = 5) -> PlaceHold:
    return PlaceHold(at_us, job_id, "acme", "CNY", QUOTE.ceiling.lines)


@pytest.fixture(scope="module")
def facility(tmp_path_factory: pytest.TempPathFactory) -> Facility:
    made = Facility(tmp_path_factory.mktemp("keys"))
    made.grant("kind", 3, 0, "qpu_ms")
    made.grant("small", 2_000, 0)
    made.book.terms["of-large"] = Terms("of-large", 1, (Rule(600_000),))
    made.grant("large", 10**9, 1)
    made.post(TopUp(1, "pay", "acme", "CNY", 10**6))
    return made


@pytest.fixture(scope="module")
def settled(facility: Facility) -> dict[str, Any]:
    """A job that a grant in kind, two in money and the wallet paid, and beyond its hold the facility."""
    facility.post(hold("job"))
    facility.post(SettleHold(6, "job", charge(RATES, USED).lines))
    for number in range(9):
        facility.post(hold(f"other-{number}"))
    return facility.receipt_of("job", USED)


@pytest.fixture(scope="module")
def corrected(facility: Facility) -> dict[str, Any]:
    """A job that was charged too much at first."""
    facility.post(hold("wrong"))
    facility.post(SettleHold(6, "wrong", charge(RATES, Usage(8, 1_000)).lines))
    facility.post(CorrectJob(7, "req-1", "wrong", charge(RATES, Usage(2, 500)).lines, "the clock was wrong"))
    facility.post(hold("after"))
    return facility.receipt_of("wrong", Usage(8, 1_000))


@pytest.fixture(scope="module")
def voided(facility: Facility) -> dict[str, Any]:
    facility.post(hold("void", 8))
    facility.post(VoidHold(9, "void"))
    return facility.receipt_of("void", Usage(0, 0))


def test_a_receipt_is_proven(facility: Facility, settled: dict[str, Any]) -> None:
    assert settled["absorbed_by_facility"] > 0
    assert [payer["payer"] for payer in settled["payers"]] == ["kind", "small", "large", "wallet"]
    checked = verify_receipt(settled, facility.key_text)
    assert checked[0].startswith("2 entries: each hash follows")
    assert "signed by Ed25519 and ML-DSA-65" in checked[2]


def test_a_receipt_that_costs_nothing_is_proven(facility: Facility, voided: dict[str, Any]) -> None:
    assert "charged 0, released 5100" in verify_receipt(voided, facility.key_text)[3]


def test_a_corrected_receipt_is_proven(facility: Facility, corrected: dict[str, Any]) -> None:
    assert corrected["price"] == 1_000 + 2 * 500 + 50
    assert verify_receipt(corrected, facility.key_text)[-1] == "corrected 1 times, the last counts"


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


UNPROVEN = {"v", "usage", "rates", "explanation"}
"""What is told beside the money: no entry says it. (Of a line, what and unit are words as well.)"""


def is_proven(path: tuple[Any, ...]) -> bool:
    if "lines" in path or "settlements" in path:
        return path[-1] not in ("what", "unit")
    if path == ("quoted", "expected"):
        return False
    if path[0] == "payers":
        return path[-1] != "programme_id"
    return path[0] not in UNPROVEN and path != ("proof", "detail")


def test_every_changed_field_is_found(facility: Facility, settled: dict[str, Any], corrected: dict[str, Any]) -> None:
    tried = 0
    for bill in (settled, corrected):
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
        if path[0] == "entries":
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
        (lambda bill: bill["proof"]["entries"].pop(0), "one hold and one end"),
        (lambda bill: bill["proof"]["entries"][0].update(path=[]), "is not in the ledger that was signed"),
        (lambda bill: bill["proof"].update(checkpoint="x"), "no signed note"),
        (lambda bill: bill["payers"].pop(), "the payers are not those of the hold"),
        (lambda bill: bill["lines"].pop(), "the settled lines"),
        (lambda bill: bill["slices"].pop(), "the parts of the hold"),
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
