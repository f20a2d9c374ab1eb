"""The table of problems is complete, consistent, and has a row for every code that any room says no with."""

from __future__ import annotations

import ast
from pathlib import Path

from api.problems import PROBLEMS, problem_of

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("api", "backends", "dispatcher", "ledger", "store", "workers")
SAYING_NO = {"Refusal", "LedgerRefusal", "Rejection", "Rejected", "refuse"}
# Answers of the ledger to commands that only the service itself gives; they never leave it.
INTERNAL = {"grant_exists", "grant_unknown", "grant_not_due", "hold_exists", "hold_unknown", "hold_closed"}


def codes_of(source: str) -> set[str]:
    """The first argument of every call that makes a refusal, where it is written out."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "code"), None)
        if name in SAYING_NO and isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.add(first.value)
    return found


def test_codes_are_found_in_sources() -> None:
    assert codes_of('x = Refusal("a", "b"); raise Rejected(code="c"); raise m.Rejection("d", 1); f("e")') == {
        "a",
        "c",
        "d",
    }


def test_every_code_that_a_room_says_no_with_has_a_row() -> None:
    used = {
        code: path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for code in codes_of(path.read_text(encoding="utf-8"))
    }
    assert len(used) > 40
    assert {code: path for code, path in used.items() if code not in PROBLEMS and code not in INTERNAL} == {}


def test_codes_that_stay_inside_have_no_row() -> None:
    assert INTERNAL & PROBLEMS.keys() == set()


def test_each_row_says_something_and_what_to_do() -> None:
    titles = [row.title for row in PROBLEMS.values()]
    assert len(set(titles)) == len(titles)
    for code, row in PROBLEMS.items():
        assert row.code == code
        assert row.type == f"/problems/{code}"
        assert 400 <= row.status < 600
        assert not row.title.endswith(".")
        assert row.meaning.endswith(".")
        assert row.next_step.endswith(".")


def test_a_client_may_try_again_only_where_it_helps() -> None:
    assert {code for code, row in PROBLEMS.items() if row.retryable} == {
        "queue_full",
        "too_many_streams",
        "unavailable",
    }


def test_the_statuses_are_those_of_the_contract() -> None:
    promised = {
        "unauthenticated": 401,
        "token_expired": 401,
        "forbidden": 403,
        "not_found": 404,
        "idempotency_conflict": 409,
        "job_not_finished": 409,
        "job_has_no_result": 409,
        "job_ended": 409,
        "already_exists": 409,
        "body_too_large": 413,
        "invalid_request": 422,
        "decoder_crashed": 422,
        "decoder_timeout": 422,
        "decoder_memory": 422,
        "unknown_backend": 422,
        "cost_limit": 422,
        "no_grant": 402,
        "grant_not_started": 402,
        "grant_expired": 402,
        "grant_exhausted": 402,
        "programme_exhausted": 402,
        "wallet_short": 402,
        "budget_exhausted": 402,
        "quote_unknown": 422,
        "quote_mismatch": 422,
        "quote_expired": 409,
        "queue_full": 429,
        "unavailable": 503,
        "internal": 500,
    }
    assert {code: PROBLEMS[code].status for code in promised} == promised


def test_a_code_without_a_row_is_a_bug_of_ours() -> None:
    assert problem_of("never_heard_of") is PROBLEMS["internal"]
    assert problem_of("no_grant") is PROBLEMS["no_grant"]
