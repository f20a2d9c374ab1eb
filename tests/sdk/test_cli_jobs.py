"""Commands about jobs, as a person at an 80-column terminal sees them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

QASM = 'OPENQASM 2.0;include "qelib1.inc";qreg q[1];creg c[1];h q[0];measure q->c;'
QUEUED = {
    "id": "job_1", "state": "queued", "primitive": "sampler", "version": 1, "backend": "aer", "name": "coin",
    "created_us": 1_700_000_000_000_000, "started_us": None, "ended_us": None, "wait_reason": "position 2 of 4",
    "quote": {"expected": {"micro": 5, "asset": "CNY"}, "ceiling": {"micro": 9, "asset": "CNY"}}, "cost": None,
    "findings": {"totals": {"pubs": 1, "qubits_max": 1, "executions": 1, "shots": 4}},
}  # fmt: skip
DONE = {
    **QUEUED, "state": "succeeded", "version": 3, "wait_reason": None, "cost": {"micro": 1_500_000, "asset": "CNY"},
    "started_us": 1_700_000_000_100_000, "ended_us": 1_700_000_000_112_300,
    "usage": {"qpu_ms": 2, "shots": 4, "cpu_ms": 0},
}  # fmt: skip


def wire(array: Any) -> dict[str, Any]:
    content = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "base64": content}


def samples(*values: int, bits: int = 2, shape: tuple[int, ...] = ()) -> dict[str, Any]:
    array = np.array(values, dtype=np.uint8).reshape(*shape, -1, 1)
    return {"shape": list(shape), "shots": array.shape[-2], "bits": bits, "array": wire(array)}


def document(**registers: Any) -> dict[str, Any]:
    return {"v": 1, "primitive": "sampler", "pubs": [{"registers": registers, "metadata": {}}], "metadata": {}}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "coin.qasm"
    path.write_text(QASM)
    return str(path)


def test_submit_tells_the_id_and_what_to_do_next(shell: Any, script: Any, file: str) -> None:
    script.say(script.answer(201, QUEUED))
    assert shell("submit", file, "--shots", "4", "--max-cost", "0.5", "--key", "K") == (
        0, "job_1 queued\nits result: qubator result job_1\n", "",
    )  # fmt: skip
    (body,) = script.bodies()
    assert (body["options"], body["max_cost"]) == ({"shots": 4}, 500_000)
    assert script.requests[0].headers["Idempotency-Key"] == "K"


def test_a_seed_beyond_64_bits_is_wrong_usage_and_the_limit_is_named(shell: Any, script: Any, file: str) -> None:
    code, _, err = shell("submit", file, "--seed", str(2**63))
    assert (code, script.requests) == (2, [])
    assert "9223372036854775808 is not in the range 0<=x<=9223372036854775807" in err


def test_submit_with_json_prints_the_job_alone(shell: Any, script: Any, file: str) -> None:
    script.say(script.answer(201, QUEUED))
    code, out, err = shell("submit", file, "--json")
    assert (code, json.loads(out), err) == (0, QUEUED, "")


def test_submit_and_wait_shows_job_and_counts_in_80_columns(shell: Any, script: Any, file: str) -> None:
    script.say(
        script.answer(201, QUEUED), script.answer(200, document(c=samples(0, 0, 0, 3))), script.answer(200, DONE)
    )
    code, out, err = shell("submit", file, "--wait")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:3] == ["job        job_1", "name       coin", "state      succeeded"]
    assert "circuits   up to 1 qubit, 1 PUB, 1 execution, 4 shots" in lines
    assert "used       2 ms of QPU time, 4 shots" in lines
    assert "cost       1.50 CNY" in lines
    assert lines[-2:] == ["00  3   75.0%  " + "█" * 65, "11  1   25.0%  " + "█" * 22]
    assert max(map(len, lines)) <= 80


def test_submit_wait_json_adds_the_result_to_the_job(shell: Any, script: Any, file: str) -> None:
    result = document(c=samples(0))
    script.say(script.answer(201, QUEUED), script.answer(200, result), script.answer(200, DONE))
    _, out, _ = shell("submit", file, "--wait", "--json")
    assert json.loads(out) == {**DONE, "result": result}


def test_a_failed_job_is_exit_code_1_and_its_record_is_still_printed(shell: Any, script: Any, file: str) -> None:
    problem = {"code": "circuit_failed", "detail": "it broke"}
    failed = {**DONE, "state": "failed", "problem": problem}
    ended = script.problem(409, "job_has_no_result", state="failed", problem=problem)
    script.say(script.answer(201, QUEUED), ended, script.answer(200, failed))
    code, out, err = shell("submit", file, "--wait", "--json")
    assert (code, json.loads(out)) == (1, failed)
    assert err == "qubator: job job_1 failed: it broke [circuit_failed]\n"


def test_a_wait_that_is_interrupted_says_that_the_job_goes_on(shell: Any, script: Any, file: str) -> None:
    def interrupted(_: Any) -> Any:
        raise KeyboardInterrupt

    script.say(script.answer(201, QUEUED), interrupted)
    code, out, err = shell("submit", file, "--wait")
    assert (code, out) == (130, "")
    assert err.startswith("The job goes on: `qubator result job_1` waits again.")


def test_a_quote_shows_both_figures_and_who_pays(
    shell: Any, script: Any, told: Any, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(file).parent)
    script.say(script.answer(200, told.quoted(wait_us=1_500)))
    lines = shell("quote", "coin.qasm", "--category", "training")[1].splitlines()
    assert lines[:5] == [
        "expected  0.000005 CNY",
        "at most   0.000009 CNY (held while the job runs)",
        "backend   aer",
        "wait      1.5 ms",
        "quote     qte_1",
    ]
    assert lines[5].startswith("honoured  until 2023-11-1")
    assert lines[6:] == [
        "",
        "PAYER   SHARE                  PAYS AT MOST  RULE",
        "grt_1    30 %  40 shots, worth 0.000002 CNY  pgm_1@1#1",
        "wallet   rest                  0.000007 CNY  -",
        "",
        "To submit it at this price: qubator submit coin.qasm --quote qte_1 and the same",
        "options.",
    ]
    assert script.bodies()[0]["category"] == "training"


def test_submit_names_the_quote_and_the_category_and_tells_warnings(shell: Any, script: Any, file: str) -> None:
    warning = {"code": "quota", "percent": 95, "detail": "95 % of the project's grants are used."}
    script.say(script.answer(201, {**QUEUED, "warnings": [warning]}))
    code, out, err = shell("submit", file, "--quote", "qte_1", "--category", "training")
    assert (code, err) == (0, "qubator: 95 % of the project's grants are used.\n")
    assert out.startswith("job_1 queued\n")
    (body,) = script.bodies()
    assert (body["quote_id"], body["category"]) == ("qte_1", "training")


def test_a_want_of_means_is_told_in_figures(shell: Any, script: Any, file: str) -> None:
    source = {"grant_id": "grt_" + "0" * 26, "asset": "CNY", "available": 100_000, "pays": 100_000,
              "why_not_more": "cap_project_year"}  # fmt: skip
    problem = {"needed": 126_103, "available": 100_000, "missing": 26_103, "asset": "CNY", "wallet": 0,
               "sources": [source], "would_fit": 99_000}  # fmt: skip
    script.say(*[script.problem(402, "grant_exhausted", **problem)] * 2)
    code, out, err = shell("submit", file)
    assert (code, out) == (5, "")
    assert err.splitlines() == [
        "qubator: no: grant_exhausted [grant_exhausted]",
        "  needed     0.126103 CNY at most",
        "  available  0.10 CNY",
        "  missing    0.026103 CNY",
        "  wallet     0.00 CNY of the project's own",
        "  grant      grt_00000000000000000000000000 pays 0.10 CNY of 0.10 CNY available:",
        "             it reaches the programme's cap for one project and year",
        "  would fit  a smaller job of this kind, of at most 0.099 CNY",
    ]
    told = json.loads(shell("submit", file, "--json")[1])["problem"]
    assert (told["missing"], told["sources"]) == (26_103, [source])


def test_the_list_of_jobs(shell: Any, script: Any) -> None:
    script.say(script.answer(200, {"jobs": [DONE, {**QUEUED, "name": "n" * 200}], "next_cursor": None}))
    code, out, _ = shell("jobs", "--state", "queued", "--state", "running", "--tag", "t")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["JOB", "STATE", "COST", "CREATED", "NAME"]
    assert lines[1].split()[:3] == ["job_1", "succeeded", "1.50"]
    assert lines[2].endswith("…")
    assert max(map(len, lines)) <= 80
    assert script.lines() == ["GET /v1/jobs?state=queued&state=running&tag=t&limit=20"]
    script.say(script.answer(200, {"jobs": [], "next_cursor": None}))
    assert shell("jobs")[1] == "no jobs\n"


def test_a_waiting_job_says_why(shell: Any, script: Any) -> None:
    script.say(script.answer(200, QUEUED))
    assert "waits      position 2 of 4" in shell("job", "job_1")[1].splitlines()


def test_a_jobs_history(shell: Any, script: Any) -> None:
    changes = [{"at_us": 1_700_000_000_000_000, "state": "queued", "reason": "submitted"}]
    script.say(script.answer(200, QUEUED), script.answer(200, {"history": changes, "attempts": []}))
    assert shell("job", "job_1", "--history")[1].splitlines()[-1].split()[2:] == ["queued", "submitted"]
    script.say(script.answer(200, QUEUED), script.answer(200, {"history": changes}))
    assert json.loads(shell("job", "job_1", "--history", "--json")[1])["history"] == changes


def test_a_result_of_several_registers_and_parameter_sets(shell: Any, script: Any) -> None:
    script.say(script.answer(200, document(a=samples(0, 1, bits=1, shape=(2,)), b=samples(3, 3, shape=(2,)))))
    lines = shell("result", "job_1")[1].splitlines()
    assert lines[:2] == ["registers, left to right: b a", "parameter set 0"]
    assert lines[2].startswith("11 0  1  100.0%")
    assert lines[4].startswith("11 1  1  100.0%")


def test_a_result_of_many_parameter_sets_tells_what_it_left_out(shell: Any, script: Any) -> None:
    script.say(script.answer(200, document(a=samples(*[1] * 30, bits=1, shape=(30,)))))
    assert shell("result", "job_1")[1].splitlines()[-1] == "and 22 more parameter sets: --json has all"


def test_a_result_of_estimates(shell: Any, script: Any) -> None:
    pub = {"evs": wire(np.array([[0.5, -1.0]])), "stds": wire(np.array([[0.0, 0.25]]))}
    script.say(script.answer(200, {"v": 1, "primitive": "estimator", "pubs": [pub]}))
    assert shell("result", "job_1")[1].splitlines() == [
        "INDEX         VALUE  STANDARD ERROR",
        "0, 0   +0.500000000     0.000000000",
        "0, 1   -1.000000000     0.250000000",
    ]


def test_a_result_waits_unless_told_not_to(shell: Any, script: Any) -> None:
    script.say(script.problem(409, "job_not_finished"), script.answer(200, document(c=samples(0))))
    assert shell("result", "job_1")[0] == 0
    script.say(script.problem(409, "job_not_finished"))
    assert shell("result", "job_1", "--no-wait")[0] == 6
    script.say(script.problem(409, "job_not_finished"))
    code, _, err = shell("result", "job_1", "--timeout", "0")
    assert (code, err) == (7, "qubator: job_1 queued after 0 s [wait_timeout]\n")


def test_a_receipt_shows_lines_and_payers_that_add_up(shell: Any, script: Any) -> None:
    bill = {
        "job_id": "job_1", "asset": "CNY", "outcome": "succeeded", "charged": 1_500_000, "held": 2_000_000,
        "released": 500_000, "absorbed_by_facility": 0, "backend": "aer", "price": 1_500_000,
        "subsidised": 450_000, "copay": 1_050_000,
        "lines": [{"what": "QPU time", "quantity": 150, "unit": "ms", "unit_price": 10_000, "quantum": 10,
                   "amount": 1_500_000}],
        "payers": [
            {"payer": "grt_1", "grant_id": "grt_1", "programme_id": "pgm_1", "paid": 450_000, "asset": "CNY",
             "worth": 450_000, "share_ppm": 300_000},
            {"payer": "wallet", "grant_id": None, "programme_id": None, "paid": 1_050_000, "asset": "CNY",
             "worth": 1_050_000, "share_ppm": 1_000_000},
        ],
    }  # fmt: skip
    script.say(script.answer(200, bill))
    out = shell("receipt", "job_1")[1]
    assert "charged     1.50 CNY" in out
    assert "subsidised  0.45 CNY" in out
    assert "own share   1.05 CNY" in out
    assert "given back  0.50 CNY" in out
    assert "QPU time  1,500 ms  0.01 per 10 ms  1.50" in out
    assert "grt_1    30 %  0.45 CNY  pgm_1" in out
    assert "wallet   rest  1.05 CNY  -" in out
    assert max(map(len, out.splitlines())) <= 80
    assert script.lines() == ["GET /v1/jobs/job_1/receipt"]


def test_a_receipt_explains_every_step_when_asked(shell: Any, script: Any) -> None:
    words = ["QPU time: 3 ms at 0.000500 CNY per ms = 0.001500 CNY.", "Grant " + "g" * 30 + " paid " + "x " * 30 + "."]
    bill = {"explain": [{"step": "price", "words": text, "amounts": {}} for text in words]}
    script.say(script.answer(200, bill))
    lines = shell("receipt", "job_1", "--explain")[1].splitlines()
    assert lines[0] == " 1. QPU time: 3 ms at 0.000500 CNY per ms = 0.001500 CNY."
    assert lines[1].startswith(" 2. Grant ggg")
    assert " ".join(line.strip() for line in lines[1:]) == "2. " + words[1]
    assert max(map(len, lines)) <= 80
    assert script.lines() == ["GET /v1/jobs/job_1/receipt?explain=1"]


def test_cancelling_tells_the_state_or_that_it_was_too_late(shell: Any, script: Any) -> None:
    script.say(script.answer(200, {**QUEUED, "state": "cancelling"}))
    assert shell("cancel", "job_1") == (0, "job_1 will be cancelled\n", "")
    script.say(script.problem(409, "job_ended"), script.answer(200, DONE))
    assert shell("cancel", "job_1") == (6, "", "qubator: job job_1 had already ended: succeeded [job_ended]\n")
