"""The migrations travel with the package. (What they build: conformance.)"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from store import migrate

ROOT = Path(migrate.__file__).parent.parent


def test_the_head_is_the_last_file():
    files = sorted(path.name for path in (ROOT / "store/migrations/versions").glob("[0-9]*.py"))
    assert files[-1].startswith(migrate.head() + "_")


def test_revisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "store/migrations/versions").glob("[0-9]*.py"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_percent_sign_in_the_path_does_no_harm(tmp_path, monkeypatch):
    scripts = tmp_path / "100%" / "migrations"
    scripts.parent.mkdir()
    scripts.symlink_to(ROOT / "store/migrations")
    monkeypatch.setattr(migrate, "_SCRIPTS", scripts)
    assert migrate.head() == "0001"


def test_a_package_without_its_migrations_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(migrate, "_SCRIPTS", tmp_path)
    with pytest.raises(RuntimeError, match="lost its migrations"):
        migrate.head()


def test_the_wheel_takes_the_whole_room():
    """The migrations are files of the package store, so they are where `store.migrate` looks for them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "store" in wheel["packages"]
    assert "exclude" not in wheel
    assert migrate._SCRIPTS == ROOT / "store/migrations"
    assert {"env.py", "script.py.mako", "versions"} <= {path.name for path in migrate._SCRIPTS.iterdir()}
