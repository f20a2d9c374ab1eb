"""Account names are made and read in one place, so they read back as they were made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import accounts


@given(st.text(min_size=1))
def test_a_held_account_names_its_grant(grant_id: str) -> None:
    assert accounts.held_grant(accounts.held(grant_id)) == grant_id


@pytest.mark.parametrize(
    "account",
    [
        accounts.available("G"),
        accounts.expired("G"),
        accounts.programme("grant/G/held"),
        accounts.funder("held"),
        accounts.EARNED,
        accounts.OVERRUN,
    ],
)
def test_no_other_account_names_a_grant(account: str) -> None:
    assert accounts.held_grant(account) is None


def test_names() -> None:
    assert accounts.funder("city") == "funder/city"
    assert accounts.programme("seed") == "programme/seed/available"
    assert (accounts.available("G"), accounts.held("G"), accounts.expired("G")) == (
        "grant/G/available",
        "grant/G/held",
        "grant/G/expired",
    )


def test_only_funders_and_the_facilitys_loss_may_be_negative() -> None:
    names = ["funder/city", "facility/overrun", "facility/earned", "programme/seed/available", "grant/G/held"]
    assert [accounts.may_be_negative(name) for name in names] == [True, True, False, False, False]
