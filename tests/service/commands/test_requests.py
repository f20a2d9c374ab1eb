"""Acts on money that two operators must want, at the machine itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def granted(shell: Any) -> Any:
    """A grant of ¥50, and two operators' tokens."""
    project = shell.id("project", "create", "Alpha")
    funder = shell.id("funder", "create", "City")
    programme = shell.id("programme", "create", "Vouchers", "--funder", funder, "--budget", "100")
    shell.grant = shell.id(
        "grant", "issue", "--project", project, "--programme", programme, "--amount", "50", "--days", "30"
    )
    shell.project = project
    make = ["token", "create", "--role", "operator", "--name"]
    shell.ann, shell.bob = shell.id(*make, "ann"), shell.id(*make, "bob")
    return shell


def available(shell: Any) -> int:
    (line,) = shell.json("grant", "list", "--project", shell.project)
    return int(line["available"])


def test_one_asks_and_another_approves(granted: Any, narrow: Callable[[str], None]) -> None:
    ask = ["request", "claw-back", granted.grant, "--amount", "20", "--reason", "moved away", "--token", granted.ann]
    request = granted.id(*ask)
    assert available(granted) == 50_000_000, "nothing is posted yet"
    narrow(granted("request", "list").stdout)
    assert "second_operator_needed" in granted("request", "approve", request, "--token", granted.ann, code=1).stderr
    granted("request", "approve", request, "--token", granted.bob)
    assert available(granted) == 30_000_000
    assert "request_closed" in granted("request", "approve", request, "--token", granted.bob, code=1).stderr
    (row,) = granted.json("request", "list", "--state", "approved")
    assert (row["id"], row["reason"]) == (request, "moved away")
    assert granted("audit").stdout.endswith("the books balance\n")


def test_an_increase_and_a_refusal(granted: Any) -> None:
    more = ["request", "increase", granted.grant, "--reason", "a good year", "--token", granted.ann]
    assert "programme_exhausted" in granted(*more, "--amount", "60", code=1).stderr
    request = granted.id(*more, "--amount", "40")
    granted("request", "refuse", request, "--token", granted.ann)
    assert available(granted) == 50_000_000
    granted("request", "approve", granted.id(*more, "--amount", "40"), "--token", granted.bob)
    assert available(granted) == 90_000_000


def test_whose_act_it_is_must_be_said(granted: Any) -> None:
    ask = ["request", "increase", granted.grant, "--amount", "1", "--reason", "x"]
    assert "--token" in granted(*ask, code=2).stderr
    assert "unauthenticated" in granted(*ask, "--token", "qb_nobody", code=1).stderr
    member = granted.id("token", "create", "--project", granted.project, "--name", "eve", "--role", "admin")
    assert granted(*ask, "--token", member, code=1).exit_code == 1


def test_what_cannot_be_is_refused_at_once(granted: Any) -> None:
    told = ["--reason", "x", "--token", granted.ann]
    assert "not_found" in granted("request", "increase", "grt_none", "--amount", "1", *told, code=1).stderr
    transfer = ["request", "transfer", granted.grant, granted.grant, "--amount", "1", *told]
    assert "transfer_mismatch" in granted(*transfer, code=1).stderr
    assert "not_found" in granted("request", "correct", "job_none", "--qpu-ms", "1", *told, code=1).stderr
    assert "name what the job really used" in granted("request", "correct", "job_none", *told, code=2).stderr
    assert granted("request", "list").stdout == "no requests\n"
