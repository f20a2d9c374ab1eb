"""What an operator does at the machine itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.devices.reading import fleet
from service.commands.admin import Money

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def founded(shell: Any) -> Any:
    """A project, a funder and a programme, by name."""
    shell.project = shell.id("project", "create", "Qubit Pharma")
    shell.funder = shell.id("funder", "create", "City")
    shell.programme = shell.id("programme", "create", "Vouchers", "--funder", shell.funder, "--budget", "100")
    return shell


def test_from_nothing_to_a_startup_with_a_grant_and_a_token(founded: Any) -> None:
    shell = founded
    grant = shell.json("grant", "issue", "--project", shell.project, "--programme", shell.programme, "--amount", "12.5")
    assert (grant[0]["amount"], grant[0]["asset"]) == (12_500_000, "CNY")
    assert grant[0]["valid_until_us"] - grant[0]["valid_from_us"] == 365 * 86_400_000_000
    (line,) = shell.json("grant", "list", "--project", shell.project)
    assert [line[name] for name in ("granted", "settled", "held", "available", "expired")] == [
        12_500_000,
        0,
        0,
        12_500_000,
        0,
    ]
    (programme,) = shell.json("programme", "list")
    assert programme["available"] == 87_500_000
    secret = shell.id("token", "create", "--project", shell.project, "--name", "alice", "--role", "admin")
    assert secret.startswith("qb_")
    (token,) = shell.json("token", "list", "--project", shell.project)
    assert (token["label"], token["role"]) == ("alice", "admin")
    assert secret not in str(token)
    assert shell("audit").stdout.endswith("the books balance\n")


def test_a_programme_in_kind_and_a_grant_for_some_things_only(founded: Any, narrow: Callable[[str], None]) -> None:
    other = founded.id("funder", "create", "Zone")
    programme = founded.id(
        "programme", "create", "Time", "--funder", f"{founded.funder}=3", "--funder", other, "--budget", "5000",
        "--asset", "qpu_ms",
    )  # fmt: skip
    asked = ["grant", "issue", "--project", founded.project, "--programme", programme, "--asset", "qpu_ms"]
    member = founded.json("token", "create", "--project", founded.project, "--name", "alice")["member_id"]
    chosen = ["--resource", "qpu_ms", "--backend", "aer", "--backend", "aer-mps", "--member", member]
    (row,) = founded.json(*asked, "--amount", "1500", *chosen)
    assert (row["asset"], row["amount"]) == ("qpu_ms", 1_500)
    assert (row["resources"], row["backends"], row["members"]) == (["qpu_ms"], ["aer", "aer-mps"], [member])
    assert row["funders"] == [[founded.funder, 3], [other, 1]]
    said = founded("grant", "list", "--project", founded.project).stdout
    assert "1500 qpu_ms" in said
    narrow(said)
    assert "no backend 'ibm_torino'" in founded(*asked, "--amount", "1", "--backend", "ibm_torino", code=1).stderr
    assert "a whole number of at least 1" in founded(*asked, "--amount", "0.5", code=2).stderr
    for amount in (2**53 + 1, "9" * 5_000):
        assert "at most 9007199254740992" in founded(*asked, "--amount", amount, code=2).stderr
    assert "'qpu' is not one of" in founded(*asked, "--amount", "1", "--resource", "qpu", code=2).stderr
    (line,) = [row for row in founded.json("programme", "list") if row["id"] == programme]
    assert line["available"] == 3_500
    assert founded("audit").stdout.endswith("the books balance\n")


def test_a_grant_pays_in_the_asset_of_its_programme(founded: Any) -> None:
    asked = ["grant", "issue", "--project", founded.project, "--programme", founded.programme, "--asset", "shots"]
    said = founded(*asked, "--amount", "1", code=1).stderr
    assert "pays in CNY, not in shots: its caps and pools are counted in CNY alone. Make another programme" in said


def test_every_act_is_logged_as_the_consoles(founded: Any) -> None:
    with sqlite3.connect(founded.folder / "qubator-data" / "qubator.sqlite3") as conn:
        acts = conn.execute("SELECT actor, act FROM audit ORDER BY seq").fetchall()
    assert acts == [("console", "project.create"), ("console", "funder.create"), ("console", "programme.create")]


def test_one_row_is_shown_as_lines_so_that_its_id_can_be_copied(founded: Any, narrow: Callable[[str], None]) -> None:
    said = founded(
        "grant", "issue", "--project", founded.project, "--programme", founded.programme, "--amount", "1"
    ).stdout
    lines = dict(line.split("  ", 1) for line in said.splitlines())
    assert lines["project id"].strip() == founded.project
    assert lines["amount"].strip() == "1.000000 CNY"
    narrow(said)


def test_several_rows_are_a_table_while_they_fit(founded: Any, narrow: Callable[[str], None]) -> None:
    founded.id("project", "create", "LatticeAI")
    said = founded("project", "list").stdout
    assert said.splitlines()[0].split() == ["id", "name", "weight"]
    assert founded.project in said.splitlines()[1]
    narrow(said)


def test_rows_too_wide_for_a_table_are_shown_one_by_one(founded: Any, narrow: Callable[[str], None]) -> None:
    ids = [
        founded.id("grant", "issue", "--project", founded.project, "--programme", founded.programme, "--amount", "1.5")
        for _ in range(2)
    ]
    said = founded("grant", "list", "--project", founded.project).stdout
    blocks = said.split("\n\n")
    assert [block.splitlines()[0].split()[-1] for block in blocks] == ids
    assert "available  1.500000 CNY" in blocks[0]
    narrow(said)


def test_nothing_to_show_is_a_heading_alone(shell: Any) -> None:
    assert shell("project", "list").stdout.split() == ["id", "name", "weight"]
    assert shell.json("project", "list") == []
    assert shell("project", "list", "-q").stdout == ""


@pytest.mark.parametrize("name", ["[/bold]", "[red]x", "量子制药" * 8, "a" * 200, "-- drop"])
def test_a_name_is_shown_as_it_is(shell: Any, name: str) -> None:
    shell("project", "create", "--", name)
    shell("project", "create", "other")
    assert name in "".join(shell("project", "list").stdout.split("\n"))
    assert shell.json("project", "list")[0]["name"] == name


@pytest.mark.parametrize("command", ["project list", "token list", "funder create x", "backend list", "grant list"])
def test_looking_at_a_facility_does_not_make_one(shell: Any, command: str) -> None:
    project = ["--project", "prj_x"] if command == "grant list" else []
    said = shell(*command.split(), *project, "--data", "elsewhere", code=1).stderr
    assert said.startswith("Error: there is no facility in elsewhere; ")
    assert not (shell.folder / "elsewhere").exists()


def test_moments_are_shown_as_dates_and_what_never_was_as_a_dash(founded: Any) -> None:
    founded("token", "create", "--project", founded.project, "--name", "alice", "--days", "1")
    said = founded("token", "list", "--project", founded.project).stdout
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in said.splitlines())
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert lines["expires"] in {f"{tomorrow - timedelta(minutes=m):%Y-%m-%d %H:%M} UTC" for m in (0, 1)}
    assert lines["revoked"] == "-"


REFUSED: list[tuple[list[str], int, str]] = [
    (["project", "create", "Qubit Pharma"], 1, "There is a project named 'Qubit Pharma' already. [already_exists]"),
    (["project", "create", "x", "--weight", "0"], 1, "[invalid_request]"),
    (["funder", "create", "City"], 1, "[already_exists]"),
    (["programme", "create", "More", "--funder", "fun_nobody", "--budget", "1"], 1, "There is no funder fun_nobody."),
    (["programme", "create", "More", "--funder", "f", "--budget", "0"], 2, "at least 0.000001"),
    (["programme", "create", "More", "--funder", "f", "--budget", "1e30"], 2, "at most 9007199254.740992"),
    (["grant", "issue", "--project", "prj_x", "--programme", "{programme}", "--amount", "1"], 1, "no project prj_x"),
    (
        ["grant", "issue", "--project", "{project}", "--programme", "{programme}", "--amount", "101"],
        1,
        "programme_exhausted",
    ),
    (["grant", "issue", "--project", "{project}", "--programme", "p", "--amount", "1", "--days", "0"], 2, "--days"),
    (["grant", "list", "--project", "prj_x"], 1, "There is no project prj_x. [not_found]"),
    (["token", "create", "--name", "x", "--role", "admin"], 1, "The role admin belongs to a project."),
    (["token", "create", "--name", "x", "--role", "king"], 2, "'king' is not one of"),
    (["token", "create", "--project", "prj_x", "--name", "x"], 1, "There is no project prj_x."),
    (["token", "revoke", "tok_x"], 1, "There is no token tok_x. [not_found]"),
    (["backend", "set", "ibm_torino", "offline"], 1, "there is no backend ibm_torino"),
    (["backend", "set", "aer", "closed"], 2, "'closed' is not one of"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED, ids=[" ".join(one[0][:2]) for one in REFUSED])
def test_a_no_is_a_sentence_and_an_exit_code(founded: Any, arguments: list[str], code: int, words: str) -> None:
    names = {"project": founded.project, "programme": founded.programme}
    result = founded(*(one.format(**names) for one in arguments), code=code)
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_tokens_of_the_facility_and_of_a_project_and_their_end(founded: Any) -> None:
    secret = founded.id("token", "create", "--name", "olga", "--role", "operator")
    founded("token", "create", "--project", founded.project, "--name", "alice")
    (facility,) = founded.json("token", "list")
    assert (facility["label"], facility["role"], facility["revoked_us"]) == ("olga", "operator", None)
    assert founded("token", "revoke", facility["id"]).stdout == f"{facility['id']} is revoked\n"
    assert founded.json("token", "list")[0]["revoked_us"] is not None
    assert secret not in founded("token", "list").stdout


def test_a_new_token_is_shown_this_once(founded: Any, narrow: Callable[[str], None]) -> None:
    said = founded("token", "create", "--project", founded.project, "--name", "alice").stdout
    assert "secret (shown this once): qb_" in said
    narrow(said)
    made = founded.json("token", "create", "--project", founded.project, "--name", "bo", "--days", "1")
    assert made["secret"].startswith("qb_")
    assert made["expires_us"] - made["created_us"] <= 86_400_000_000


def test_a_backend_is_drained_and_opened(shell: Any, narrow: Callable[[str], None]) -> None:
    assert (
        shell("backend", "set", "aer", "draining", "--reason", "maintenance until noon").stdout == "aer is draining\n"
    )
    said = shell("backend", "list").stdout
    assert "maintenance until noon" in said
    narrow(said)
    shell("backend", "set", "aer", "online")
    assert [row["state"] for row in shell.json("backend", "list")] == ["online"] * 15
    assert shell("backend", "list", "-q").stdout.split() == [
        "ideal",
        "aer",
        "aer-statevector",
        "aer-stabilizer",
        "aer-mps",
        *fleet(),
    ]


@pytest.mark.parametrize(
    ("text", "micro"), [("1", 1_000_000), ("0.000001", 1), ("12.5", 12_500_000), ("1e3", 10**9), (" 7 ", 7_000_000)]
)
def test_money_in_yuan(text: str, micro: int) -> None:
    assert Money().convert(text, None, None) == micro


@pytest.mark.parametrize(
    "text", ["", "x", "0", "-1", "0.0000001", "NaN", "Infinity", "1,5", "1.0000001", "9007199254.740993"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Money().convert(text, None, None)


@given(st.integers(1, 2**53))
def test_money_is_exact(micro: int) -> None:
    assert Money().convert(f"{micro // 10**6}.{micro % 10**6:06d}", None, None) == micro
    assert Money().convert(micro, None, None) == micro
