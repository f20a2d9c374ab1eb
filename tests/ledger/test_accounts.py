"""Account names are made and read in one place, so they read back as they were made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import accounts


@given(st.text(min_size=1))
def test_a_grants_accounts_name_it(grant_id: str) -> None:
    assert accounts.held_grant(accounts.held(grant_id)) == grant_id
    for account in (accounts.available(grant_id), accounts.held(grant_id), accounts.expired(grant_id)):
        assert accounts.grant_of(account) == grant_id


@pytest.mark.parametrize(
    "account",
    [
        accounts.programme("grant/G/held"),
        accounts.funder("held"),
        accounts.payer("held"),
        accounts.wallet("G"),
        accounts.wallet_held("G"),
        accounts.earned("G"),
        accounts.OVERRUN,
    ],
)
def test_no_other_account_names_a_grant(account: str) -> None:
    assert accounts.held_grant(account) is None
    assert accounts.grant_of(account) is None


def test_only_the_held_account_is_held() -> None:
    assert accounts.held_grant(accounts.available("G")) is accounts.held_grant(accounts.expired("G")) is None


def test_names() -> None:
    assert accounts.funder("city") == "funder/city"
    assert accounts.programme("seed") == "programme/seed/available"
    assert accounts.payer("acme") == "payer/acme"
    assert (accounts.wallet("acme"), accounts.wallet_held("acme")) == ("wallet/acme/available", "wallet/acme/held")
    assert accounts.earned("city") == "facility/earned/funder/city"
    assert (accounts.available("G"), accounts.held("G"), accounts.expired("G")) == (
        "grant/G/available",
        "grant/G/held",
        "grant/G/expired",
    )


def test_what_is_earned_stands_apart_by_payer() -> None:
    earned = [accounts.earned("city"), accounts.EARNED_OF_OVERRUN, accounts.EARNED_OF_WALLETS]
    assert len(set(earned)) == 3
    assert all(accounts.is_earned(account) for account in earned)
    assert not accounts.is_earned(accounts.OVERRUN)


def test_only_payers_and_the_facilitys_loss_may_be_negative() -> None:
    names = ["funder/city", "payer/acme", "facility/overrun", "facility/earned/copay", "programme/seed/available"]
    names += ["grant/G/held", "wallet/acme/available"]
    assert [accounts.may_be_negative(name) for name in names] == [True, True, True, False, False, False, False]
