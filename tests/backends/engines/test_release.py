"""The release that a result names is the one that is installed."""

from __future__ import annotations

from importlib import metadata

import pytest
import stim

from backends.engines.release import release_of


def test_it_is_what_the_library_says_of_itself() -> None:
    assert release_of("stim") == stim.__version__


def test_nobody_has_a_release_of_what_is_not_there() -> None:
    with pytest.raises(metadata.PackageNotFoundError, match="no-such-engine"):
        release_of("no-such-engine")
