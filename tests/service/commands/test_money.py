"""Programmes, wallets, budgets, rates and profiles at the machine itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def startup(shell: Any) -> Any:
    shell.project = shell.id("project", "create", "Alpha")
    return shell


def test_programmes_are_applied_once_and_a_dry_run_changes_nothing(shell: Any, narrow: Callable[[str], None]) -> None:
    said = shell("programme", "apply", "rental-share", "joint-fifth", "--dry-run").stdout
    narrow(said)
    assert "+ funder Municipal fund" in said
    assert said.endswith("nothing was changed: this was a dry run\n")
    assert shell.json("programme", "list") == []
    shell("programme", "apply", "rental-share", "joint-fifth")
    assert {row["name"] for row in shell.json("programme", "list")} == {"Rental share", "Joint fifth"}
    assert "nothing to change" in shell("programme", "apply", "rental-share").stdout
    assert shell("audit").stdout.endswith("the books balance\n")


def test_a_changed_file_is_a_new_version_of_the_terms(shell: Any) -> None:
    shell("programme", "apply", "rental-share")
    file = shell.folder / "changed.toml"
    file.write_text(
        '[[programmes]]\nname = "Rental share"\nbudget = "700000000"\nfunders = [{ name = "Municipal fund" }]\n'
        'claim_group = "municipal"\nrules = [{ share = "25 %" }]\n'
    )
    said = shell("programme", "apply", file).stdout
    assert "terms version 2" in said
    assert "30 %" in said
    assert "25 %" in said
    (row,) = shell.json("programme", "list")
    assert row["available"] == 700_000_000 * 1_000_000
    file.write_text(file.read_text().replace("700000000", "1"))
    assert "a pledge is not taken back" in shell("programme", "apply", file, code=1).stderr


def test_wrong_files_end_with_words(shell: Any) -> None:
    assert "no-such" in shell("programme", "apply", "no-such", code=1).stderr
    assert shell("programme", "examples").stdout.split() == [
        "joint-fifth", "rental-share", "research-and-product", "startup-plus", "tiered-firm",
    ]  # fmt: skip


def test_a_startup_is_described_and_what_is_not_named_stays(startup: Any) -> None:
    startup("project", "describe", startup.project, "--stage", "seed", "--founded", "2026-05-01", "--trait", "small")
    (row,) = startup.json("project", "describe", startup.project, "--trait", "green")
    assert (row["stage"], row["traits"]) == ("seed", ["green"])
    (row,) = startup.json("project", "describe", startup.project, "--clear", "stage")
    assert row["stage"] == ""


def test_words_that_nothing_answers_to_are_warned_of(
    startup: Any, tmp_path: Path, narrow: Callable[[str], None]
) -> None:
    own = tmp_path / "own.toml"
    rule = 'rules = [{share = "60 %", stages = ["seed"]}]'
    own.write_text(f'[[programmes]]\nname = "Own"\nfunders = [{{name = "City"}}]\nbudget = "10"\n{rule}\n')
    warned = startup("programme", "apply", str(own)).stderr
    assert warned == "warning: rule 1: no startup is of stage 'seed'\n"
    warned = startup("project", "describe", startup.project, "--stage", "sead").stderr
    assert warned == "warning: no programme asks for stage 'sead'; they ask for seed\n"
    narrow(warned)
    assert startup("project", "describe", startup.project, "--stage", "seed").stderr == ""
    assert startup("programme", "apply", str(own)).stderr == ""


def test_a_payment_is_booked_once(startup: Any, narrow: Callable[[str], None]) -> None:
    pay = ["wallet", "top-up", "--project", startup.project, "--amount", "12.5", "--key", "invoice-1"]
    said = startup(*pay).stdout
    narrow(said)
    assert "12.500000 CNY" in said
    assert startup(*pay).stdout.startswith("it had been booked before; nothing was booked again\n")
    other = [*pay[:5], "13", *pay[6:]]
    assert "already_exists" in startup(*other, code=1).stderr
    back = ["wallet", "pay-out", "--project", startup.project, "--key", "back-1"]
    assert "wallet_short" in startup(*back, "--amount", "13", code=1).stderr
    (row,) = startup.json(*back, "--amount", "2.5")
    assert row["available"] == 10_000_000
    assert startup("audit").stdout.endswith("the books balance\n")


def test_budgets_of_a_project(startup: Any) -> None:
    chosen = ["--project", startup.project]
    assert startup("budget", "list", *chosen).stdout == "no budgets\n"
    startup("budget", "set", *chosen, "--tag", "nightly", "--limit", "20")
    assert "20.000000 CNY" in startup("budget", "list", *chosen).stdout
    assert "either --member or --tag" in startup("budget", "set", *chosen, "--limit", "1", code=2).stderr
    startup("budget", "remove", *chosen, "--tag", "nightly")
    assert "not_found" in startup("budget", "remove", *chosen, "--tag", "nightly", code=1).stderr


def test_a_rate_is_added_and_never_in_the_past(shell: Any, narrow: Callable[[str], None]) -> None:
    before = len(shell.json("rate", "list"))
    add = ["rate", "add", "--resource", "qpu_ms", "--price", "0.0007"]
    (row,) = shell.json(*add, "--hours", "22-6", "--backend", "simulator")
    assert (row["unit_price"], row["hours"]) == (700, "22-6")
    assert len(shell.json("rate", "list")) == before + 1
    narrow(shell("rate", "list").stdout)
    assert "invalid_request" in shell(*add, "--from", "2020-01-01", code=1).stderr
    assert "no-such" in shell(*add, "--backend", "no-such", code=1).stderr
    assert shell(*add, "--hours", "noon", code=2).exit_code == 2
