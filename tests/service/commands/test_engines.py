"""What an operator sees and says of engines at the machine itself."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("facility")


def test_an_engine_is_put_out_and_trusted_again(shell: Any) -> None:
    said = shell("engine", "set", "prismq.mps", "quarantined", "--reason", "odd counts").stdout
    assert said == "prismq.mps is quarantined\n"
    shown = shell("engine", "list").stdout
    assert "odd counts" in shown
    assert max(map(len, shown.splitlines())) <= 80
    states = {row["name"]: row["state"] for row in shell.json("engine", "list")}
    assert states["prismq.mps"] == "quarantined"
    assert set(states.values()) == {"quarantined", "trusted"}
    shell("engine", "set", "prismq.mps", "trusted")
    assert {row["state"] for row in shell.json("engine", "list")} == {"trusted"}


def test_no_engine_of_that_name(shell: Any) -> None:
    assert "there is no engine nobody" in shell("engine", "set", "nobody", "trusted", code=1).stderr


def test_no_disagreement_yet(shell: Any) -> None:
    assert shell("engine", "disagreements").stdout == "no engine was contradicted\n"
    assert shell.json("engine", "disagreements") == []
