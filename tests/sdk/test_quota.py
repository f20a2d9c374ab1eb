"""A quota as the service answers it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from qubator.money import Money
from qubator.quota import Quota


def test_the_wallet_and_the_day_when_nothing_is_left(told: Any) -> None:
    found = Quota.from_json(told.balance(wallet={"available": 7, "held": 3}))
    assert (found.wallet, found.wallet_held) == (Money(7), Money(3))
    assert found.runs_out == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert Quota.from_json(told.balance(runs_out_us=10**18)).runs_out is None


def test_grants_in_kind_are_counted_in_their_own_unit(told: Any) -> None:
    figures = {"granted": 5_000, "settled": 1_500, "held": 0, "available": 3_500, "expired": 0}
    found = Quota.from_json(
        told.balance(told.grant(asset="qpu_ms", **figures), in_kind={"qpu_ms": figures | {"runs_out_us": 0}})
    )
    assert found.in_kind["qpu_ms"].available == Money(3_500, "qpu_ms")
    assert found.in_kind["qpu_ms"].runs_out == datetime(1970, 1, 1, tzinfo=UTC)
    assert found.grants[0].asset == "qpu_ms"
    assert str(found.grants[0].settled) == "1,500 qpu_ms"
    assert found.granted == Money(10_000_000)
