"""What a shadow run has found: plain values that travel from a worker's child to the store."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_TEXT_MAX = 64
_NUMBER_MAX = 2**53


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a job that `engine` had answered, on another engine.

    `repeat` tells the second look, under fresh seeds, that follows a first disagreement; only it makes engines
    `guilty`. `alarm` is the chance, at most, that engines that are both right differ so much.
    """

    part: int
    kind: Literal["sample", "values"]
    engine: str
    version: str
    other: str
    other_version: str
    repeat: bool
    agreed: bool
    alarm: float
    guilty: tuple[str, ...]
    qubits: int
    shots: int
    program: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"guilty": list(self.guilty)}


def read_finding(told: Any) -> Finding:
    """The finding in plain JSON; whoever tells it is not believed. Raises ValueError for what is none."""
    if not isinstance(told, dict) or told.keys() != {field.name for field in fields(Finding)}:
        raise ValueError("no finding")
    guilty = told["guilty"]
    names = [told["engine"], told["other"], *(guilty if isinstance(guilty, list) else [None])]
    numbers = [told["part"], told["qubits"], told["shots"]]
    texts = [told["version"], told["other_version"], told["program"]]
    alarm = told["alarm"]
    sound = (
        told["kind"] in ("sample", "values")
        and all(isinstance(one, str) and _NAME.fullmatch(one) for one in names)
        and len(names) <= len({told["engine"], told["other"]}) + 2
        and all(type(one) is int and 0 <= one < _NUMBER_MAX for one in numbers)
        and all(isinstance(one, str) and len(one) <= _TEXT_MAX for one in texts)
        and all(isinstance(told[name], bool) for name in ("repeat", "agreed"))
        and isinstance(alarm, int | float)
        and math.isfinite(alarm)
    )
    if not sound or (guilty and (told["agreed"] or not told["repeat"])):
        raise ValueError("a finding that makes no sense")
    return Finding(**{**told, "guilty": tuple(guilty)})
