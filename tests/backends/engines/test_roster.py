"""Which engines there are, and that their licences permit what we do with them."""

from __future__ import annotations

from typing import Any

from backends.engines import roster
from backends.engines.on_stim import OnStim


def test_names_are_unique_and_licences_permissive() -> None:
    names = [engine.name for engine in roster.engines()]
    assert len(set(names)) == len(names)
    assert {engine.licence for engine in roster.engines()} == {"Apache-2.0", "MIT", "MIT OR Apache-2.0"}


def test_what_is_not_installed_is_left_out(monkeypatch: Any) -> None:
    monkeypatch.setattr(OnStim, "available", lambda self: False)
    roster.installed.cache_clear()
    try:
        assert "stim" not in roster.installed()
        assert "aer.statevector" in roster.installed()
    finally:
        roster.installed.cache_clear()
