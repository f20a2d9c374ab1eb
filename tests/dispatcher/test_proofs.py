"""What everybody may read of the ledger's proof, and when it is signed on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dispatcher.keys import CannotSign
from dispatcher.model import Refusal
from dispatcher.notary import Notary
from dispatcher.proofs import SIGN_ON_DEMAND_US, Proofs
from ledger import merkle
from ledger.commands import PlaceHold, SettleHold
from ledger.notes import Checkpoint, read_note


class Ground:
    """As much of the ground as proofs stand on."""

    def __init__(self, town: Any, folder: Path) -> None:
        self.database, self.at_us = town.database, 1_000
        self.notary: Notary | None = Notary(town.database, folder, self.now_us)
        self.notary.leading = lambda: True

    def now_us(self) -> int:
        return self.at_us


@pytest.fixture
def ground(town: Any, tmp_path: Path) -> Ground:
    town.grant("acme", 1_000_000)
    return Ground(town, tmp_path)


def finish(town: Any, job_id: str) -> None:
    town.post(PlaceHold(5, job_id, "acme", "CNY", 7), project_ids=["acme"])
    town.post(SettleHold(6, job_id, 3), job_ids=[job_id])


def test_a_proof_is_signed_on_demand_and_leads_to_the_signed_root(town: Any, ground: Any) -> None:
    finish(town, "job-1")
    proof = Proofs(ground).proof_of_job("job-1")
    assert (proof["state"], proof["detail"]) == ("signed", None)
    checkpoint = Checkpoint.from_text(read_note(proof["checkpoint"])[0])
    assert [entry["columns"]["kind"] for entry in proof["entries"]] == ["hold", "settle"]
    for entry in proof["entries"]:
        leaf, path = merkle.leaf(bytes.fromhex(entry["hash"])), map(bytes.fromhex, entry["path"])
        seq = entry["columns"]["seq"]
        assert merkle.root_from_inclusion(seq - 1, checkpoint.size, leaf, path) == checkpoint.root


def test_on_demand_is_not_more_often_than_once_a_second(town: Any, ground: Any) -> None:
    finish(town, "job-1")
    first = Proofs(ground).proof_of_job("job-1")["checkpoint"]
    finish(town, "job-2")
    pending = Proofs(ground).proof_of_job("job-2")
    assert (pending["state"], pending["checkpoint"]) == ("pending", None)
    assert "Read the receipt again" in pending["detail"]
    assert all("path" not in entry for entry in pending["entries"])
    ground.at_us += SIGN_ON_DEMAND_US
    assert Proofs(ground).proof_of_job("job-2")["state"] == "signed"
    assert Proofs(ground).proof_of_job("job-1")["checkpoint"] != first, "the newest covers the first job too"


def test_who_does_not_lead_does_not_sign(town: Any, ground: Any) -> None:
    finish(town, "job-1")
    ground.notary.leading = lambda: False
    assert Proofs(ground).proof_of_job("job-1")["state"] == "pending"
    assert isinstance(Proofs(ground).ledger_keys(), Refusal)
    ground.notary = None
    assert Proofs(ground).proof_of_job("job-1")["state"] == "pending"


def test_a_trouble_with_keys_is_told(town: Any, ground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise CannotSign("the key is missing")

    finish(town, "job-1")
    monkeypatch.setattr(ground.notary, "sign", refuse)
    assert "the key is missing" in Proofs(ground).proof_of_job("job-1")["detail"]


def test_a_job_without_entries_has_nothing_to_prove(ground: Any) -> None:
    proof = Proofs(ground).proof_of_job("job-9")
    assert (proof["state"], proof["entries"]) == ("pending", [])


def test_consistency_between_two_checkpoints(town: Any, ground: Any) -> None:
    proofs = Proofs(ground)
    refused = proofs.ledger_consistency(1, None)
    assert isinstance(refused, Refusal)
    assert refused.code == "not_found"
    assert isinstance(proofs.ledger_checkpoint(), Refusal)
    rows = []
    for number in range(3):
        finish(town, f"job-{number}")
        rows.append(ground.notary.sign())
    told = proofs.ledger_consistency(rows[0].size, None)
    assert not isinstance(told, Refusal)
    assert (told["from"], told["to"]) == (rows[0].size, rows[2].size)
    proof = [bytes.fromhex(one) for one in told["proof"]]
    assert merkle.is_consistent(rows[0].size, rows[2].size, rows[0].root, rows[2].root, proof)
    assert proofs.ledger_checkpoint() == rows[2]
    for old, new in ((0, 3), (4, 3), (1, 99)):
        wrong = proofs.ledger_consistency(old, new)
        assert isinstance(wrong, Refusal)
        assert (wrong.code, wrong.fields["limit"]) == ("invalid_request", rows[2].size)
