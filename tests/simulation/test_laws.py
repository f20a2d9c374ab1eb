"""A broken law is told in a sentence."""

from __future__ import annotations

import pytest

from simulation.laws import BrokenLaw, must


def test_must_is_silent_about_what_is_true() -> None:
    must(True, "never told")


def test_must_tells_the_sentence_from_its_parts() -> None:
    with pytest.raises(BrokenLaw, match=r"^job a ended 2 times$"):
        must(False, "job", "a", "ended", 2, "times")
