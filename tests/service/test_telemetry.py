"""Logs go to standard error, a line an event, in words or as JSON; standard output is for answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from service import telemetry

SAY = """
import logging, structlog
from service import telemetry
telemetry.configure({level!r}, as_json={as_json})
log = structlog.get_logger("x")
log.info("collected blobs", count=3)
log.warning("careful")
logging.getLogger("store.writer").warning("from the store")
logging.getLogger("alembic").info("running upgrade")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("stumbled")
"""


def said(level: str, *, as_json: bool) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(level=level, as_json=as_json)], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_in_words() -> None:
    out, err = said("info", as_json=False)
    assert out == ""
    assert "collected blobs" in err
    assert "count=3" in err
    (store,) = [line for line in err.splitlines() if "from the store" in line]
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[warning", store), "every line says when, and how bad"
    assert "ZeroDivisionError" in err
    assert "running upgrade" not in err, "the migrations' own chatter"
    assert "\x1b[" not in err, "no colours in a file"


def test_as_json() -> None:
    _, err = said("info", as_json=True)
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in lines] == ["collected blobs", "careful", "from the store", "stumbled"]
    assert (lines[0]["level"], lines[0]["count"]) == ("info", 3)
    assert lines[0]["timestamp"].endswith("Z")
    assert (lines[2]["level"], lines[2]["timestamp"][-1]) == ("warning", "Z"), "also what does not log by structlog"
    assert "ZeroDivisionError" in lines[3]["exception"]


def test_what_is_below_the_level_is_left_out() -> None:
    _, err = said("error", as_json=False)
    assert "collected blobs" not in err
    assert "careful" not in err
    assert "stumbled" in err


def test_an_unknown_level_is_a_mistake_in_the_program() -> None:
    with pytest.raises(KeyError):
        telemetry.configure("loud", as_json=False)
