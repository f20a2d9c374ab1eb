"""Where the URL and the token come from, and that they stay private."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from qubator.errors import NotConfigured
from qubator.profile import config_path, read_config, resolve, save_profile


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_arguments_come_before_the_environment_and_that_before_the_file(env: dict[str, str]) -> None:
    save_profile("zone", "http://file.example", "qb_file", environ=env)
    assert resolve(environ=env).url == "http://file.example"
    env |= {"QUBATOR_URL": "http://env.example/", "QUBATOR_TOKEN": "qb_env"}
    found = resolve(environ=env)
    assert (found.url, found.token) == ("http://env.example", "qb_env")
    found = resolve("http://argument.example", "qb_argument", environ=env)
    assert (found.url, found.token) == ("http://argument.example", "qb_argument")


def test_a_named_profile_comes_before_the_environments_url(env: dict[str, str]) -> None:
    save_profile("zone", "http://zone.example", "qb_zone", environ=env)
    save_profile("other", "http://other.example", "qb_other", environ=env)
    env |= {"QUBATOR_URL": "http://env.example", "QUBATOR_TOKEN": "qb_env"}
    found = resolve(profile="zone", environ=env)
    assert (found.url, found.token, found.profile) == ("http://zone.example", "qb_zone", "zone")


def test_the_environment_can_choose_the_profile(env: dict[str, str]) -> None:
    save_profile("zone", "http://zone.example", "qb_zone", environ=env)
    save_profile("latest", "http://latest.example", "qb_latest", environ=env)
    assert resolve(environ=env).profile == "latest"
    assert resolve(environ={**env, "QUBATOR_PROFILE": "zone"}).token == "qb_zone"


def test_a_profiles_token_never_goes_to_another_address(env: dict[str, str]) -> None:
    save_profile("zone", "https://zone.example", "qb_zone", environ=env)
    assert resolve("https://zone.example/", environ=env).token == "qb_zone"
    with pytest.raises(NotConfigured, match=r"no token for http://elsewhere\.example"):
        resolve("http://elsewhere.example", environ=env)


def test_the_file_is_the_owners_only_and_survives_strange_text(env: dict[str, str]) -> None:
    path = save_profile('a "b" \\ ü', "http://x.example", "qb_1", environ=env)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_config(path)["profiles"]['a "b" \\ ü'] == {"url": "http://x.example", "token": "qb_1"}
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_a_file_that_cannot_be_replaced_leaves_the_old_one_and_no_draft(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_profile("a", "http://a.example", "qb_a", environ=env)

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        save_profile("b", "http://b.example", "qb_b", environ=env)
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]
    assert list(read_config(path)["profiles"]) == ["a"]


def test_saving_one_profile_keeps_the_others(env: dict[str, str]) -> None:
    save_profile("a", "http://a.example", "qb_a", environ=env)
    save_profile("b", "http://b.example", "qb_b", environ=env)
    save_profile("a", "http://a2.example", "qb_a2", environ=env)
    assert resolve(profile="b", environ=env).token == "qb_b"
    assert resolve(environ=env).url == "http://a2.example"


@pytest.mark.parametrize(
    ("url", "token", "profile", "code"),
    [
        ("http://x.example", None, None, "token_missing"),
        (None, None, "nobody", "profile_unknown"),
        ("ftp://x.example", "qb_x", None, "url_invalid"),
        ("x.example", "qb_x", None, "url_invalid"),
        ("http://x.example", "qb x", None, "token_invalid"),
        ("http://x.example", "qb_x\n", None, "token_invalid"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    env: dict[str, str], url: str | None, token: str | None, profile: str | None, code: str
) -> None:
    with pytest.raises(NotConfigured) as caught:
        resolve(url, token, profile, environ=env)
    assert caught.value.code == code


def test_a_broken_file_is_named_not_a_traceback(env: dict[str, str]) -> None:
    path = config_path(env)
    path.parent.mkdir()
    path.write_text("default = ")
    with pytest.raises(NotConfigured, match="not valid TOML"):
        resolve(environ=env)


def test_a_token_is_in_no_repr(env: dict[str, str]) -> None:
    assert "qb_secret" not in repr(resolve("http://x.example", "qb_secret", environ=env))


def test_without_any_url_it_is_the_service_on_this_machine(env: dict[str, str]) -> None:
    assert resolve(token="qb_x", environ=env).url == "http://127.0.0.1:8000"
    assert resolve(anonymous=True, environ=env).token == ""
