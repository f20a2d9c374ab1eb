"""Programme files: an operator's own, and the worked examples that come with the service."""

from __future__ import annotations

import tomllib
from datetime import tzinfo
from importlib.resources import files
from pathlib import Path

from api.schemas.programme_file import WrongProgramme, entries_of, plans_of
from dispatcher.plans import ProgrammePlan

SUFFIX = ".toml"


def shipped() -> list[str]:
    """The names of the worked programmes that come with the service."""
    found = [one.name for one in files("service").joinpath("programmes").iterdir()]
    return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))


def text_of(name: str) -> str:
    """A file's text, or that of a worked programme by its name. Raises WrongProgramme."""
    if name in shipped():
        return files("service").joinpath("programmes", name + SUFFIX).read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise WrongProgramme(f"{name}: this is no text in UTF-8: {wrong.reason} at byte {wrong.start}") from wrong
    except OSError as wrong:
        known = f"a file, or one of the worked programmes {', '.join(shipped())}"
        raise WrongProgramme(f"{name}: {wrong.strerror}; name {known}") from wrong


def plans_in(name: str, zone: tzinfo, currency: str) -> list[ProgrammePlan]:
    """The plans of a file, or of a worked programme. Raises WrongProgramme."""
    try:
        document = tomllib.loads(text_of(name))
    except tomllib.TOMLDecodeError as wrong:
        raise WrongProgramme(f"{name}: this is no TOML: {wrong}") from wrong
    try:
        return plans_of(entries_of(document), zone, currency)
    except WrongProgramme as wrong:
        raise WrongProgramme(f"{name}: {wrong}") from wrong
