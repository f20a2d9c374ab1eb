"""A project is told in time that its grants are running out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dispatcher import quota_marks
from dispatcher.model import Caller
from dispatcher.quota_marks import QuotaMarks, QuotaWarning
from store.database import Database
from store.drawn import Drawn

ANN = Caller("mem_ann", "acme", "member", "tok")
OPERATOR = Caller("console", None, "operator", "tok")
ZETA = Caller("mem_zoe", "zeta", "admin", "tok")


@pytest.fixture
def marks(sqlite_database: Database) -> QuotaMarks:
    ground: Any = SimpleNamespace(database=sqlite_database, rules=SimpleNamespace(asset="CNY"), now_us=lambda: 5)
    return QuotaMarks(ground)


@pytest.mark.parametrize(("used", "percent"), [(0, None), (799, None), (800, 80), (949, 80), (950, 95), (1_000, 95)])
def test_the_highest_mark_that_is_reached(
    marks: QuotaMarks, monkeypatch: pytest.MonkeyPatch, used: int, percent: int | None
) -> None:
    monkeypatch.setattr(quota_marks, "drawn_of", lambda *_: Drawn(1_000, used))
    wanted = None if percent is None else QuotaWarning("acme", percent, used, 1_000, "CNY")
    assert marks.quota_warning(ANN, "acme") == wanted
    assert marks.quota_warning(OPERATOR, "acme") == wanted
    assert marks.quota_warning(ZETA, "acme") is None


def test_without_a_grant_there_is_nothing_to_run_out(marks: QuotaMarks) -> None:
    assert marks.quota_warning(ANN, "acme") is None
