"""Which errors are to be mitigated and how, in the words that users of IBM's primitives know. Import-light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

from backends.rejected import Rejected

Sequence = Literal["XX", "XY4"]
Extrapolator = Literal["linear", "exponential", "richardson"]
SEQUENCES: tuple[Sequence, ...] = ("XX", "XY4")
EXTRAPOLATORS: tuple[Extrapolator, ...] = ("linear", "exponential", "richardson")
TWIRLS_AUTO = 16
TWIRLS_MAX = 256
FACTORS = (1.0, 3.0, 5.0)
FACTOR_MAX, FACTORS_MAX = 15.0, 8
GROUPS = ("dynamical_decoupling", "twirling", "resilience")
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "dynamical_decoupling": ("enable", "sequence_type"),
    "twirling": ("enable_gates", "num_randomizations"),
    "resilience": ("measure_mitigation", "zne_mitigation", "zne"),
    "resilience.zne": ("noise_factors", "extrapolator"),
}


@dataclass(frozen=True, slots=True)
class Zne:
    """Extrapolation to zero noise: by which factors noise is amplified, the first is 1; and by which curve."""

    factors: tuple[float, ...] = FACTORS
    extrapolator: Extrapolator = "exponential"


@dataclass(frozen=True, slots=True)
class MitigationOptions:
    """What is asked for. `twirls` is the number of random copies, 0 for none."""

    decoupling: Sequence | None = None
    twirls: int = 0
    readout: bool = False
    zne: Zne | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self != MitigationOptions()

    @property
    def asked(self) -> Mapping[str, bool]:
        """For each method whether it is asked for, by the name of its option."""
        return {
            "dynamical_decoupling": self.decoupling is not None,
            "twirling": self.twirls > 0,
            "resilience.measure_mitigation": self.readout,
            "resilience.zne_mitigation": self.zne is not None,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> MitigationOptions:
        """The options of a work document's `options`; refuses with option_invalid."""
        decoupling = _group(document, "dynamical_decoupling")
        twirling = _group(document, "twirling")
        resilience = _group(document, "resilience")
        zne = _group(resilience, "zne", "resilience.zne")
        sequence = _one_of(decoupling, "sequence_type", SEQUENCES, "dynamical_decoupling.sequence_type")
        extrapolator = _one_of(zne, "extrapolator", EXTRAPOLATORS, "resilience.zne.extrapolator")
        twirls = _twirls(twirling.get("num_randomizations"))
        factors = _factors(zne.get("noise_factors"))
        wanted = _flag(resilience, "zne_mitigation", "resilience.zne_mitigation")
        curve = cast("Extrapolator", extrapolator or "exponential")
        return cls(
            decoupling=cast("Sequence", sequence or "XX")
            if _flag(decoupling, "enable", "dynamical_decoupling.enable")
            else None,
            twirls=twirls if _flag(twirling, "enable_gates", "twirling.enable_gates") else 0,
            readout=_flag(resilience, "measure_mitigation", "resilience.measure_mitigation"),
            zne=Zne(factors, curve) if wanted else None,
        )


NOTHING = MitigationOptions()


def _group(document: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    path = path or name
    group = document.get(name)
    if group is None:
        return {}
    known = _MEMBERS[path]
    if not isinstance(group, Mapping):
        raise _invalid(path, group, f"an object with any of {', '.join(known)}")
    unknown = sorted(str(member) for member in set(group) - set(known))
    if unknown:
        raise _invalid(f"{path}.{unknown[0]}", group[unknown[0]], f"left out: there are {', '.join(known)}")
    return group


def _flag(group: Mapping[str, Any], name: str, path: str) -> bool:
    value = group.get(name)
    if value is not None and not isinstance(value, bool):
        raise _invalid(path, value, "true or false")
    return bool(value)


def _one_of(group: Mapping[str, Any], name: str, known: tuple[str, ...], path: str) -> str | None:
    value = group.get(name)
    if value is not None and value not in known:
        raise _invalid(path, value, f"one of {', '.join(known)}")
    return cast("str | None", value)


def _twirls(value: Any) -> int:
    if value in (None, "auto"):
        return TWIRLS_AUTO
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= TWIRLS_MAX:
        raise _invalid("twirling.num_randomizations", value, f'"auto" or a whole number from 1 to {TWIRLS_MAX}')
    return value


def _factors(value: Any) -> tuple[float, ...]:
    if value is None:
        return FACTORS
    wanted = f"2 to {FACTORS_MAX} different numbers from 1 to {FACTOR_MAX:g}, in rising order, the first of them 1"
    numbers = isinstance(value, list | tuple) and all(
        isinstance(each, int | float) and not isinstance(each, bool) for each in value
    )
    if not numbers or not 2 <= len(value) <= FACTORS_MAX:
        raise _invalid("resilience.zne.noise_factors", value, wanted)
    factors = tuple(float(each) for each in value)
    if factors[0] != 1 or not factors[-1] <= FACTOR_MAX or any(one >= other for one, other in pairwise(factors)):
        raise _invalid("resilience.zne.noise_factors", value, wanted)
    return factors


def _invalid(name: str, value: object, wanted: str) -> Rejected:
    shown = str(value)[:80]
    return Rejected("option_invalid", f"{name} is {shown}; it must be {wanted}", {"option": name, "value": shown})
