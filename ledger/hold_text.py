"""The canonical text of a hold and of what it captured: the `body` of an entry about a job.

It is what the postings were decided on, so it is hashed with them; holds can be read back from their entries.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
    slices = [
        f"[{_quoted(s.payer)},{_quoted(s.resource)},{s.amount},{_quoted(s.asset)},{s.worth},{s.share_ppm},{s.up_to_ppm},"
        f"{_quoted(s.rule)}]"
        for s in backing.slices
    ]
    cuts = [f"[{_quoted(cut.payer)},{_quoted(cut.limit)},{cut.amount}]" for cut in backing.cuts]
    return (
        f'{{"asset":{_quoted(backing.asset)},"cuts":[{",".join(cuts)}],"lines":{_lines_text(backing.lines)},'
        f'"slices":[{",".join(slices)}]}}'
    )


@lru_cache(maxsize=4_096)
def backing_from(text: str) -> Backing:
    """Read what `backing_text` wrote; a job's is read again when it ends."""
    found = json.loads(text)
    return Backing(
        found["asset"],
        _lines(found["lines"]),
        tuple([Slice(*part) for part in found["slices"]]),
        tuple([Cut(*part) for part in found["cuts"]]),
    )


def capture_text(capture: Capture) -> str:
    """Text of what a settlement or a correction captured."""
    captured = ",".join(map(str, capture.captured))
    reason = f',"reason":{_quoted(capture.reason)}' if capture.reason else ""
    return f'{{"captured":[{captured}],"lines":{_lines_text(capture.lines)},"overrun":{capture.overrun}{reason}}}'


def capture_from(text: str) -> Capture:
    """Read what `capture_text` wrote."""
    found = json.loads(text)
    return Capture(_lines(found["lines"]), tuple(found["captured"]), found["overrun"], found.get("reason", ""))


def claims_text(claims: Sequence[Claim]) -> str:
    """Text of claims; "" for none."""
    return f"[{','.join([f'[{_quoted(claim.scope)},{claim.change}]' for claim in claims])}]" if claims else ""


def claims_from(text: str) -> tuple[Claim, ...]:
    """Read what `claims_text` wrote."""
    return tuple([Claim(scope, change) for scope, change in json.loads(text)]) if text else ()


def _lines_text(lines: Sequence[Line]) -> str:
    texts = [
        f"[{_quoted(one.resource)},{one.quantity},{one.unit_price},{one.quantum},{_quoted(one.rate)}]" for one in lines
    ]
    return f"[{','.join(texts)}]"


def _lines(found: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    return tuple([Line(*part) for part in found])


# Written out: keys in order, no spaces, text unescaped but for what must be. A general encoder takes three times as
# long, and this is on the way of every job.
_quoted = json.encoder.encode_basestring
