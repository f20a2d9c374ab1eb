"""The commands about proof: what they print, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BILL = {"job_id": "job_1", "price": 5, "charged": 5, "held": 9, "released": 4, "asset": "CNY", "outcome": "succeeded"}
BILL |= {"subsidised": 5, "copay": 0, "absorbed_by_facility": 0, "lines": [], "payers": []}


def test_a_receipt_is_shown_as_ever(shell: Any, script: Any) -> None:
    script.say(script.answer(200, BILL), script.answer(200, BILL), script.answer(200, BILL))
    code, out, _ = shell("receipt", "job_1")
    assert (code, "job_1" in out) == (0, True)
    for arguments in (("receipt", "job_1", "--json"), ("receipt", "--json", "job_1")):
        code, out, _ = shell(*arguments)
        assert (code, json.loads(out)) == (0, BILL)
    assert {request.url.path for request in script.requests} == {"/v1/jobs/job_1/receipt"}


def test_a_receipt_is_explained_wherever_the_option_stands(shell: Any, script: Any) -> None:
    told = {**BILL, "explain": [{"step": "total", "words": "Together 0.000005 CNY.", "amounts": {}}]}
    for arguments in (("job_1", "--explain"), ("--explain", "job_1"), ("--json", "--explain", "job_1")):
        script.say(script.answer(200, told))
        code, out, _ = shell("receipt", *arguments)
        assert (code, "Together 0.000005 CNY." in out) == (0, True)
        assert script.requests[-1].url.query == b"explain=1"


def test_the_keys_are_printed(shell: Any, script: Any) -> None:
    script.say(script.answer(200, {"text": "one\ntwo\n"}))
    assert shell("ledger", "key") == (0, "one\ntwo\n", "")
    assert script.requests[0].url.path == "/v1/ledger/key"


def test_what_is_not_proven_ends_with_one_and_the_reason(shell: Any, script: Any, tmp_path: Path) -> None:
    file, keys = tmp_path / "receipt.json", tmp_path / "ledger.pub"
    file.write_text(json.dumps(BILL))
    keys.write_text("rubbish")
    code, out, err = shell("receipt", "verify", str(file), "--key", str(keys))
    assert (code, out) == (1, "")
    assert err.startswith("NOT PROVEN: the receipt carries no proof")
    code, out, _ = shell("receipt", "verify", str(file), "--key", str(keys), "--json")
    assert (code, json.loads(out)["proven"]) == (1, False)
    for wrong in ("[]", "no JSON"):
        file.write_text(wrong)
        code, _, err = shell("receipt", "verify", str(file), "--key", str(keys))
        assert (code, "NOT PROVEN" in err) == (1, True)
    assert script.requests == [], "with --key nobody is asked"


def test_without_a_key_the_service_is_asked(shell: Any, script: Any, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps({**BILL, "proof": {"state": "pending", "detail": "soon"}}))
    script.say(script.answer(200, {"text": "one\n"}))
    code, _, err = shell("receipt", "verify", str(file))
    assert (code, "not complete yet: soon" in err) == (1, True)
    assert script.requests[0].url.path == "/v1/ledger/key"
