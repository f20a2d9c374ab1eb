"""Signing in, and what a person sees of quota and statement."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from qubator import cli, cli_account
from qubator.profile import config_path, resolve


@pytest.fixture
def service(script: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(cli_account, "Client", lambda url, token: script.client())
    return script


def login(monkeypatch: pytest.MonkeyPatch, token: str, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(token))
    return cli.run(["login", *arguments])


def test_login_reads_the_token_from_standard_input_checks_it_and_stores_it(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.say(
        service.answer(200, {"member_id": "mem_1", "project_id": "prj_1", "role": "admin", "token_id": "tok_1"})
    )
    assert login(monkeypatch, "qb_new\n", "http://zone.example") == 0
    out = capsys.readouterr().out
    assert out.startswith("Signed in at http://zone.example as mem_1 (admin) of prj_1.")
    assert "qb_new" not in out
    assert (resolve().url, resolve().token) == ("http://zone.example", "qb_new")


def test_login_takes_the_url_as_an_option_and_a_name_for_the_profile(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.say(service.answer(200, {"member_id": "mem_1", "project_id": None, "role": "operator"}))
    assert login(monkeypatch, "qb_2", "--url", "http://zone.example", "--profile", "work", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["profile"], told["me"]["role"]) == ("work", "operator")
    assert resolve(profile="work").token == "qb_2"


def test_a_token_the_service_does_not_know_is_not_stored(
    service: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.say(service.problem(401, "unauthenticated"))
    assert login(monkeypatch, "qb_bad\n", "http://zone.example") == 3
    assert not config_path().exists()


@pytest.mark.parametrize(
    ("token", "arguments", "code", "word"),
    [
        ("", ["http://x.example"], 3, "no token on standard input"),
        ("a b", ["http://x.example"], 3, "characters no token has"),
        ("qb_1", [], 2, "name the URL"),
        ("qb_1", ["zone"], 3, "not an http"),
    ],
)
def test_what_cannot_be_a_login(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    token: str,
    arguments: list[str],
    code: int,
    word: str,
) -> None:
    assert login(monkeypatch, token, *arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert word in err


def test_the_quota_has_three_figures_and_its_grants(shell: Any, script: Any, told: Any) -> None:
    script.say(script.answer(200, told.balance(told.grant())))
    assert shell("quota")[1].splitlines() == [
        "settled    1.50 CNY spent by finished jobs",
        "in flight  0.40 CNY held for jobs that run",
        "committed  0.10 CNY held for jobs that wait",
        "available  8.00 CNY can be spent now",
        "runs out   2023-11-14 at the pace of the last 30 days, or with the last grant",
        "",
        "GRANT  SETTLED  HELD  AVAILABLE  IN   UNTIL",
        "grt_1     1.50  0.50       8.00  CNY  2023-11-14",
    ]


def test_a_project_without_a_grant_is_told_so(shell: Any, script: Any, told: Any) -> None:
    script.say(script.answer(200, told.balance(available=0, settled=0, granted=0)))
    assert shell("quota", "--project", "prj_1")[1].splitlines()[-1] == "The project has no grant."
    assert script.lines() == ["GET /v1/projects/prj_1/balance"]


def test_the_statement_lists_every_figure(shell: Any, script: Any, told: Any) -> None:
    statement = {
        **told.balance(told.grant()),
        "at_us": 1_700_000_000_000_000,
        "jobs": {"succeeded": 3, "failed": 0},
        "absorbed_by_facility": 7,
    }
    script.say(script.answer(200, statement))
    lines = shell("statement")[1].splitlines()
    assert "jobs     3 succeeded" in lines
    figures = dict(line.rsplit(maxsplit=1) for line in lines[5:11])
    assert figures == {
        "granted": "10.00", "settled": "1.50", "held": "0.50", "available": "8.00", "expired": "0.00",
        "absorbed by the facility": "0.000007",
    }  # fmt: skip


def test_version(shell: Any, script: Any) -> None:
    script.say(script.answer(200, {"version": "0.1.0", "settings": {"a": 1}}))
    assert shell("version")[1].splitlines() == ["client   0.1.0", "url      http://service.example", "version  0.1.0"]


MONTH = {
    "project_id": "prj_1", "asset": "CNY", "month": "2026-11", "closed": False,
    "lines": [
        {"payer": "grt_1", "asset": "CNY", "opening": 969_100, "issued": 0, "transferred_in": 0,
         "transferred_out": 50_000, "withdrawn": 0, "settled": 214_800, "corrected": 45_000, "expired": 0,
         "rolled_over": 0, "closing": 749_300},
        {"payer": "grt_kind", "asset": "qpu_ms", "opening": 0, "issued": 1_000, "transferred_in": 0,
         "transferred_out": 0, "withdrawn": 0, "settled": 40, "corrected": 0, "expired": 0, "rolled_over": 0,
         "closing": 960},
    ],
    "corrections": [{"job_id": "job_1", "price": -25_000, "reason": "the meter ran on"}],
}  # fmt: skip


def test_the_statement_of_a_month_shows_what_moved(script: Any, shell: Any) -> None:
    script.say(script.answer(200, MONTH))
    code, out, _ = shell("statement", "2026-11")
    assert code == 0
    assert script.lines() == ["GET /v1/projects/me/statements/2026-11"]
    told = [line.split() for line in out.splitlines()]
    assert ["transferred", "out", "0.05"] in told
    assert ["closing", "0.7493"] in told
    assert ["settled", "40"] in told
    assert ["expired", "0"] not in told
    assert "corrected job_1 by -0.025 CNY: the meter ran on" in out
    assert "open: it may still change" in out
    assert [line for line in out.splitlines() if len(line) > 80] == []


def test_the_statement_of_a_closed_month_says_so(script: Any, shell: Any) -> None:
    script.say(script.answer(200, {**MONTH, "closed": True, "lines": [], "corrections": []}))
    _, out, _ = shell("statement", "2026-11", "--project", "prj_1")
    assert "closed: it stays as it is" in out
    assert script.lines() == ["GET /v1/projects/prj_1/statements/2026-11"]


def test_the_statement_of_a_month_as_json_and_as_csv(script: Any, shell: Any) -> None:
    text = "section,payer\nline,grt_1\n"
    script.say(script.answer(200, MONTH), script.table(text))
    assert json.loads(shell("statement", "2026-11", "--json")[1]) == MONTH
    assert shell("statement", "2026-11", "--csv") == (0, text, "")
    assert script.lines()[1] == "GET /v1/projects/me/statements/2026-11?format=csv"


def test_csv_is_of_a_month(shell: Any) -> None:
    code, _, err = shell("statement", "--csv")
    assert code == 2
    assert "name the month: qubator statement 2026-11 --csv" in err
