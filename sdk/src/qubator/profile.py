"""Where the service is and who we are: arguments before environment before the profile file.

The file is `$XDG_CONFIG_HOME/qubator/config.toml` (default `~/.config/qubator/config.toml`), mode 0600:

    default = "zone"

    [profiles.zone]
    url = "https://qubator.zone.example"
    token = "qb_…"
"""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qubator.errors import NotConfigured

DEFAULT_PROFILE = "default"
DEFAULT_URL = "http://127.0.0.1:8000"
"""Where `qubatord up` listens on one's own machine."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a connection needs. The token never shows in a repr."""

    url: str
    token: str = field(repr=False)
    profile: str | None = None


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """The profile file's path, whether or not it exists."""
    env = os.environ if environ is None else environ
    base = env.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "qubator" / "config.toml"


def read_config(path: Path) -> dict[str, Any]:
    """The file's content; empty when there is none. Raises NotConfigured when it isn't TOML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"cannot read {path}: {error}", code="profile_unreadable") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotConfigured(f"{path} is not valid TOML: {error}", code="profile_unreadable") from error


def resolve(
    url: str | None = None,
    token: str | None = None,
    profile: str | None = None,
    *,
    anonymous: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from arguments, then QUBATOR_URL / QUBATOR_TOKEN / QUBATOR_PROFILE, then the profile file; the last
    resort for the URL is a service on this machine.

    A profile's token is sent to that profile's own URL only: with another URL from an argument or the environment
    the token has to come from there too. Raises NotConfigured when the token stays unknown, unless `anonymous`.
    """
    env = os.environ if environ is None else environ
    path = config_path(env)
    chosen = profile or env.get("QUBATOR_PROFILE")
    url = url or (None if profile else env.get("QUBATOR_URL"))
    token = token or (None if profile else env.get("QUBATOR_TOKEN"))
    stored: Mapping[str, Any] = {}
    if url is None or token is None:
        config = read_config(path)
        name = chosen or str(config.get("default", DEFAULT_PROFILE))
        profiles = config.get("profiles", {})
        stored = profiles.get(name, {}) if isinstance(profiles, dict) else {}
        if chosen and not stored:
            raise NotConfigured(f"no profile {chosen!r} in {path}: run `qubator login`", code="profile_unknown")
        chosen = name if stored else None
    stored_url = str(stored.get("url", "")).rstrip("/")
    found_url = (url or stored_url or DEFAULT_URL).rstrip("/")
    check_url(found_url)
    if token is None and found_url == stored_url:
        token = str(stored.get("token", "")) or None
    if token is None and anonymous:
        return Settings(found_url, "", chosen)
    if token is None:
        raise NotConfigured(
            f"no token for {found_url}: run `qubator login {found_url}`, set QUBATOR_TOKEN, or pass token=",
            code="token_missing",
        )
    check_token(token)
    return Settings(found_url, token, chosen)


def check_url(url: str) -> None:
    """Raises NotConfigured unless `url` is an http or https address."""
    scheme, separator, rest = url.partition("://")
    if scheme not in ("http", "https") or not separator or not rest or not url.isprintable() or " " in url:
        raise NotConfigured(f"{url!r} is not an http:// or https:// address", code="url_invalid")


def check_token(token: str) -> None:
    """Raises NotConfigured unless `token` can stand in an HTTP header."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotConfigured("the token has characters no token has (copied with a line break?)", code="token_invalid")


def save_profile(name: str, url: str, token: str, *, environ: Mapping[str, str] | None = None) -> Path:
    """Store a profile and make it the default; the file is replaced whole, mode 0600. Returns its path."""
    path = config_path(environ)
    config = read_config(path)
    profiles: dict[str, dict[str, Any]] = {
        key: dict(value) for key, value in config.get("profiles", {}).items() if isinstance(value, dict)
    }
    profiles[name] = {"url": url.rstrip("/"), "token": token}
    lines = [f"default = {_quoted(name)}"]
    for key, values in profiles.items():
        lines += ["", f"[profiles.{_quoted(key)}]", *(f"{word} = {_quoted(str(v))}" for word, v in values.items())]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file 0600 from its first byte; the rename leaves no half-written profile behind
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
