"""The answers about the ledger's proof read what the examples show."""

from __future__ import annotations

import pytest

from api.schemas.ledger import Consistency, LedgerCheckpoint, LedgerKeys, ReceiptProof


@pytest.mark.parametrize("model", [Consistency, LedgerCheckpoint, LedgerKeys, ReceiptProof])
def test_examples_are_of_their_model(model):
    (example,) = model.model_config["json_schema_extra"]["examples"]
    assert model.model_validate(example).model_dump(by_alias=True) == example


def test_a_proof_is_signed_or_pending():
    (example,) = ReceiptProof.model_config["json_schema_extra"]["examples"]
    with pytest.raises(ValueError, match="state"):
        ReceiptProof.model_validate({**example, "state": "maybe"})
