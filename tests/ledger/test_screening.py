"""A sound hold is counted and passes; one that is wrong in any respect does not, and is not counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.model import Grant, Hold, Line, Slice
from ledger.screening import Sums, sound

GRANTS = {
    "A": Grant("A", "seed", (("bank", 3), ("city", 1)), "acme", "CNY", 100, 0, 10, 0, 0),
    "K": Grant("K", "kind", (("city", 1),), "acme", "shots", 100, 0, 10, 0, 0),
}
LINES = [["qpu_ms", 5, 4, 1, "r"], ["shots", 3, 2, 10, "s"]]
SLICES = [
    ["A", "qpu_ms", 15, "CNY", 15, 750_000, 1_000_000, "half"],
    ["wallet", "qpu_ms", 5, "CNY", 5, 1_000_000, 1_000_000, ""],
    ["K", "shots", 30, "shots", 6, 1_000_000, 1_000_000, ""],
]
SETTLED = [["qpu_ms", 2, 4, 1, "r"], ["shots", 4, 2, 10, "s"]]


def row(state: str = "settled", *, amount: int = 26, charged: int = 16, overrun: int = 2, **changes: Any) -> Any:
    body = {"asset": "CNY", "lines": LINES, "slices": SLICES, "cuts": []}
    capture = {"lines": SETTLED, "captured": [6, 2, 30], "overrun": 2}
    for key, value in changes.items():
        (body if key in body else capture)[key] = value
    text = json.dumps(capture) if state == "settled" else ""
    return ("j", "acme", "CNY", amount, json.dumps(body), text, "", state, charged, overrun, 1, 2)


def screened(one: Any, claims: Any = (), units: int = 50) -> tuple[bool, Sums]:
    sums = Sums()
    return sound(one, claims, units, GRANTS, sums, json.loads), sums


def test_a_settled_hold_is_counted_as_earned_and_paid() -> None:
    passes, sums = screened(row(), (("pool/seed/2026", 6), ("budget/acme/2026/tag/x", 14)))
    assert passes
    assert sums.held == {}
    assert sums.paid == {("A", "CNY"): 6, ("wallet", "CNY"): 2, ("K", "shots"): 30}
    assert sums.earned(GRANTS) == {
        ("facility/earned/overrun", "CNY"): 2,
        ("facility/overrun", "CNY"): -2,
        ("facility/earned/funder/bank", "CNY"): 5,  # what does not divide falls to the first
        ("facility/earned/funder/city", "CNY"): 1,
        ("facility/earned/copay", "CNY"): 2,
        ("facility/earned/funder/city", "shots"): 30,
    }
    assert sums.claimed == {"pool/seed/2026": 6, "budget/acme/2026/tag/x": 14}


def test_an_open_hold_is_counted_as_held() -> None:
    passes, sums = screened(row("open", charged=0, overrun=0), (("pool/seed/2026", 15),))
    assert passes
    assert sums.held == {("grant/A/held", "CNY"): 15, ("wallet/acme/held", "CNY"): 5, ("grant/K/held", "shots"): 30}
    assert (sums.earned(GRANTS), sums.paid) == ({}, {})


def test_a_void_hold_counts_nothing_but_its_empty_claims() -> None:
    passes, sums = screened(row("voided", charged=0, overrun=0), (("pool/seed/2026", 0),))
    assert passes
    assert sums.claimed == {"pool/seed/2026": 0}
    assert (sums.held, sums.earned(GRANTS)) == ({}, {})


def test_counting_an_object_is_counting_its_row() -> None:
    hold = Hold(
        "j",
        "acme",
        "CNY",
        tuple(Line(*line) for line in LINES),
        tuple(Slice(*part) for part in SLICES),
        "settled",
        1,
        settled=tuple(Line(*line) for line in SETTLED),
        captured=(6, 2, 30),
        overrun=2,
    )
    sums = Sums()
    sums.add(hold, GRANTS)
    assert sums == screened(row())[1]


def with_slice(number: int, place: int, value: Any) -> list[Any]:
    slices = [list(part) for part in SLICES]
    slices[number][place] = value
    return slices


SPLIT = [
    ["A", "qpu_ms", 15, "CNY", 15, 750_000, 1_000_000, "half"],
    ["A", "shots", 0, "CNY", 0, 750_000, 1_000_000, "half"],
    *SLICES[1:],
]


def test_what_a_payer_holds_for_one_line_may_pay_another() -> None:
    """Of three tens of shots one is paid in kind and two in money, half of that out of what was held for the time."""
    slices = [[*part] for part in SPLIT]
    slices[3][2], slices[3][4], slices[1][2], slices[1][4] = 20, 4, 2, 2
    passes, sums = screened(row(slices=slices, captured=[4, 4, 4, 10]), units=42)
    assert passes
    assert sums.paid == {("A", "CNY"): 8, ("wallet", "CNY"): 4, ("K", "shots"): 10}
    less = [[*part] for part in slices]
    less[0][2] = less[0][4] = 5
    less[2][2] = less[2][4] = 15
    assert not screened(row(slices=less, captured=[4, 4, 4, 10]), units=42)[0], "A holds 7 and pays 8"


WRONG: dict[str, tuple[Any, ...]] = {
    "another currency": (row(asset="EUR"),),
    "a line twice": (row(lines=[*LINES, LINES[0]]),),
    "another amount": (row(amount=27),),
    "another charge": (row(charged=15),),
    "another overrun": (row(overrun=3),),
    "overrun that nothing exceeds": (row(overrun=0, charged=14, lines_used=SETTLED),),
    "a payer of another project": (("j", "rival", *row()[2:]),),
    "a slice in another asset": (row(slices=with_slice(0, 3, "EUR")),),
    "a slice of another worth": (row(slices=with_slice(2, 4, 7)),),
    "a slice with no share": (row(slices=with_slice(0, 5, 0)),),
    "a slice with more than the whole": (row(slices=with_slice(0, 5, 1_000_001)),),
    "a line that is not backed": (row(slices=SLICES[:2], captured=[6, 2]), (), 20),
    "captured more than held": (row(captured=[6, 2, 31]),),
    "captured less than nothing": (row(captured=[9, -1, 30]),),
    "captured in fractions": (row(captured=[6.0, 2, 30]),),
    "captured too little": (row(captured=[5, 2, 30]),),
    "captured by too few": (row(captured=[6, 2]),),
    "units that were not moved": (row(), (), 49),
    "a claim of another figure": (row(), (("pool/seed/2026", 7),)),
    "open and yet charged": (row("open", charged=16, overrun=0),),
    "no state that there is": (row("lost", charged=0, overrun=0),),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_does_not_pass_and_is_not_counted(wrong: tuple[Any, ...]) -> None:
    passes, sums = screened(*wrong)
    assert not passes
    assert sums == Sums()


def test_a_payer_or_a_line_that_nobody_knows_raises() -> None:
    with pytest.raises(KeyError):
        screened(row(slices=with_slice(0, 0, "B")))
    with pytest.raises(KeyError):
        screened(row(slices=with_slice(0, 1, "gpu_ms")))
