"""The canonical text of a hold and of what it captured: the `body` of an entry about a job.

It is what the postings were decided on, so it is hashed with them; holds can be read back from their entries.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.model import Claim, Cut, Line, Slice


@dataclass(frozen=True, slots=True)
class Backing:
    """What a hold consists of; `asset` is the money that its lines are priced in."""

    asset: str
    lines: tuple[Line, ...]
    slices: tuple[Slice, ...]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """What a settled hold captured: the job's priced lines, each slice's part, and what exceeded the hold."""

    lines: tuple[Line, ...]
    captured: tuple[int, ...]
    overrun: int
    reason: str = ""


def backing_text(backing: Backing) -> str:
    """Text of a hold's backing."""
    return _text(
        {
            "asset": backing.asset,
            "lines": [_line(line) for line in backing.lines],
            "slices": [
                [s.payer, s.resource, s.amount, s.asset, s.worth, s.share_ppm, s.up_to_ppm, s.rule]
                for s in backing.slices
            ],
            "cuts": [[cut.payer, cut.limit, cut.amount] for cut in backing.cuts],
        }
    )


def backing_from(text: str) -> Backing:
    """Read what `backing_text` wrote."""
    found = json.loads(text)
    return Backing(
        found["asset"],
        _lines(found["lines"]),
        tuple([Slice(*part) for part in found["slices"]]),
        tuple([Cut(*part) for part in found["cuts"]]),
    )


def capture_text(capture: Capture) -> str:
    """Text of what a settlement or a correction captured."""
    found: dict[str, Any] = {
        "lines": [_line(line) for line in capture.lines],
        "captured": list(capture.captured),
        "overrun": capture.overrun,
    }
    if capture.reason:
        found["reason"] = capture.reason
    return _text(found)


def capture_from(text: str) -> Capture:
    """Read what `capture_text` wrote."""
    found = json.loads(text)
    return Capture(_lines(found["lines"]), tuple(found["captured"]), found["overrun"], found.get("reason", ""))


def claims_text(claims: Sequence[Claim]) -> str:
    """Text of claims; "" for none."""
    return _encode([[claim.scope, claim.change] for claim in claims]) if claims else ""


def claims_from(text: str) -> tuple[Claim, ...]:
    """Read what `claims_text` wrote."""
    return tuple([Claim(scope, change) for scope, change in json.loads(text)]) if text else ()


def _line(line: Line) -> list[Any]:
    return [line.resource, line.quantity, line.unit_price, line.quantum, line.rate]


def _lines(found: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    return tuple([Line(*part) for part in found])


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def _text(found: dict[str, Any]) -> str:
    return _encode(found)
