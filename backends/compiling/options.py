"""How a circuit is to be compiled, as the sender asks for it. Import-light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from backends.rejected import Rejected

Mode = Literal["single", "portfolio", "as-is"]
SEED_MAX = 2**31 - 1
BUDGET_MS_MAX = 60_000
_WIDEST = 10_000
_NAMES = ("mode", "optimization_level", "seed", "initial_layout", "budget_ms")


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """`single`: one run of Qiskit at `level`; `portfolio`: several compilers, the best is kept; `as-is`: not at all,
    the circuit must be one that the target takes.

    `layout[i]` is where qubit i of the circuit begins. `budget_ms` bounds the portfolio's list by expected time, never
    by the clock: equal options give equal circuits.
    """

    mode: Mode = "single"
    level: int = 2
    seed: int = 0
    layout: tuple[int, ...] | None = None
    budget_ms: int = 3_000

    def to_json(self) -> dict[str, Any]:
        """As the work document has it."""
        return {
            "mode": self.mode,
            "optimization_level": self.level,
            "seed": self.seed,
            "initial_layout": None if self.layout is None else list(self.layout),
            "budget_ms": self.budget_ms,
        }

    @classmethod
    def from_json(cls, document: object) -> CompileOptions:
        """The inverse of `to_json`, every member optional; refuses with option_invalid."""
        if document is None:
            return cls()
        if not isinstance(document, Mapping):
            raise _invalid("compilation", document, f"an object with any of {', '.join(_NAMES)}")
        unknown = sorted(str(name) for name in set(document) - set(_NAMES))
        if unknown:
            raise _invalid(
                f"compilation.{unknown[0]}", document[unknown[0]], f"left out: there are {', '.join(_NAMES)}"
            )
        mode = document.get("mode", "single")
        if mode not in get_args(Mode):
            raise _invalid("compilation.mode", mode, f"one of {', '.join(get_args(Mode))}")
        return cls(
            cast("Mode", mode),
            _whole(document, "optimization_level", 2, 0, 3),
            _whole(document, "seed", 0, 0, SEED_MAX),
            _layout(document.get("initial_layout")),
            _whole(document, "budget_ms", 3_000, 0, BUDGET_MS_MAX),
        )


def _whole(document: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = document.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _invalid(f"compilation.{name}", value, f"a whole number from {least} to {most}")
    return value


def _layout(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    right = isinstance(value, list) and all(isinstance(place, int) and not isinstance(place, bool) for place in value)
    if not right or len(value) > _WIDEST or any(place < 0 for place in value) or len(set(value)) < len(value):
        raise _invalid("compilation.initial_layout", value, "a list of different qubits of the device, counted from 0")
    return tuple(value)


def _invalid(name: str, value: object, wanted: str) -> Rejected:
    shown = str(value)[:80]
    return Rejected("option_invalid", f"{name} is {shown}; it must be {wanted}", {"option": name, "value": shown})
