"""What the documents share: strict bases, names and tags, money, and values whose inside is looked at later."""

from __future__ import annotations

import re
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from ledger.model import MOST_MICRO

METADATA_BYTES = 8_192
INTEGER_MAX = 2**63 - 1
# Control characters, line and paragraph separators, and marks that turn the direction of text: what makes a name in a
# list or a terminal look like another. NUL is none that PostgreSQL could store.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


class Asked(BaseModel):
    """A request document: JSON kinds are taken as they are ("1" is no number, true is no 1), unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Told(BaseModel):
    """An answer document. Clients must expect fields to be added."""

    model_config = ConfigDict(extra="allow")


def _printable(text: str) -> str:
    found = _UNPRINTABLE.search(text)
    if found is not None:
        raise ValueError(f"must not contain the character U+{ord(found.group()):04X}")
    if text != text.strip():
        raise ValueError("must not begin or end with white space")
    return text


def _metadata(given: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(written := orjson.dumps(given))
    except orjson.JSONEncodeError:
        raise ValueError("is nested too deep") from None
    if size > METADATA_BYTES:
        raise ValueError(f"is {size} bytes long as JSON; at most {METADATA_BYTES} are kept")
    if b"\\u0000" in written and _holds_nul(given):
        raise ValueError("must not contain the character U+0000")
    return given


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


def _parameter_values(given: object) -> object:
    if given is None or isinstance(given, (list, dict, float)) or type(given) is int:
        return given
    raise ValueError("must be an array, an object, a number or null")


def _observables(given: object) -> object:
    if given is None or isinstance(given, (list, dict, str)):
        return given
    raise ValueError("must be an array, an object or a string")


PRINTABLE = AfterValidator(_printable)
Name = Annotated[str, Field(min_length=1, max_length=200), PRINTABLE]
Tag = Annotated[str, Field(min_length=1, max_length=64), PRINTABLE]
Note = Annotated[str, Field(max_length=500), PRINTABLE]
Identifier = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._~-]+$")]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
InstantUs = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Asset = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]

ParameterValues = Annotated[
    Any,
    AfterValidator(_parameter_values),
    WithJsonSchema(
        {
            "description": (
                "Numbers of shape (…, n) in the order of circuit.parameters, or an object of such arrays by parameter "
                'name, or an array as base64 of a .npy file: {"npy": "…"}.'
            ),
            "anyOf": [{"type": "array"}, {"type": "object"}, {"type": "number"}, {"type": "null"}],
        }
    ),
]
Observables = Annotated[
    Any,
    AfterValidator(_observables),
    WithJsonSchema(
        {
            "description": (
                'One observable or nested arrays of them. An observable is a Pauli string such as "ZZ", or an object '
                'of coefficients: {"ZZ": 1.0, "XX": 0.5}.'
            ),
            "anyOf": [{"type": "array"}, {"type": "object"}, {"type": "string"}, {"type": "null"}],
        }
    ),
]


class Money(Asked):
    """An amount in the smallest unit of its asset: micro-yuan for CNY."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"micro": 1_230_000, "asset": "CNY"}]})

    micro: int = Field(ge=1, le=MOST_MICRO)
    asset: Asset = "CNY"


class Amount(Told):
    """An amount as told, possibly 0."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"micro": 1_230_000, "asset": "CNY"}]})

    micro: int
    asset: str
