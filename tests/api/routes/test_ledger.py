"""Keys, checkpoint and consistency over HTTP, for any token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatcher.keys import read_public, verified
from dispatcher.notary import Notary


@pytest.fixture
def notary(house: Any, tmp_path: Path) -> Notary:
    found = Notary(house.database, tmp_path / "ledger", house.room.now_us)
    found.leading = lambda: True
    object.__setattr__(house.ground, "notary", found)
    return found


def test_nothing_is_signed_yet(client: httpx.Client) -> None:
    for address in ("/v1/ledger/key", "/v1/ledger/checkpoint", "/v1/ledger/consistency?from=1"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address


def test_keys_checkpoint_and_consistency(client: httpx.Client, notary: Notary) -> None:
    row = notary.sign()
    assert row is not None
    key = client.get("/v1/ledger/key").json()
    keys = read_public(key["text"])
    assert [each["algorithm"] for each in key["keys"]] == ["Ed25519", "ML-DSA-65"]
    told = client.get("/v1/ledger/checkpoint").json()
    assert verified(told["note"], keys).root.hex() == told["root"]
    assert told["size"] == row.size
    proof = client.get("/v1/ledger/consistency", params={"from": row.size, "to": row.size}).json()
    assert proof == {"from": row.size, "to": row.size, "proof": []}


@pytest.mark.parametrize("query", ["from=0", "from=x", "from=2&to=1", "from=1&to=999999", "to=1"])
def test_sizes_that_are_none(client: httpx.Client, notary: Notary, query: str) -> None:
    notary.sign()
    answer = client.get(f"/v1/ledger/consistency?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
