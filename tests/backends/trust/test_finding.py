"""A finding survives its journey, and what is no finding is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from backends.trust.finding import Finding, read_finding

FINDING = Finding(
    part=1,
    kind="sample",
    engine="prismq.clifford",
    version="0.35.0",
    other="stim",
    other_version="1.16.0",
    repeat=True,
    agreed=False,
    alarm=1e-30,
    guilty=("prismq.clifford",),
    qubits=12,
    shots=1024,
    program="0123456789abcdef",
)


def test_it_is_read_as_it_was_written() -> None:
    for one in (FINDING, replace(FINDING, agreed=True, guilty=(), alarm=1.0), replace(FINDING, kind="values", shots=0)):
        assert read_finding(orjson.loads(orjson.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    "change",
    [
        {"engine": "no such; name"},
        {"engine": 3},
        {"guilty": ["a", "b", "c"]},
        {"guilty": None},
        {"guilty": ["x" * 70]},
        {"part": -1},
        {"part": True},
        {"qubits": 2**60},
        {"alarm": "low"},
        {"alarm": float("nan")},
        {"kind": "rumour"},
        {"version": "v" * 100},
        {"repeat": 1},
        {"agreed": True},
        {"repeat": False},
        {"more": 1},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="finding"):
        read_finding(FINDING.to_json() | change)


def test_what_is_no_finding_at_all() -> None:
    for told in (None, [], "agreed", {}):
        with pytest.raises(ValueError, match="no finding"):
            read_finding(told)
