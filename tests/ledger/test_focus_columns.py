"""The columns of the export against the column list of the specification, which lies beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.focus_columns import DEPRECATED_SINCE_1_3, VERSIONS, FocusVersion, columns

SPECIFIED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("focus_columns.json").read_text())["columns"]
# Conditional and recommended columns that are not filled, by what the facility does not have.
NOT_HERE = {
    "regions": {"AvailabilityZone", "RegionId", "RegionName"},
    "several types of accounts": {"BillingAccountType", "SubAccountType"},
    "capacity reservations": {"CapacityReservationId", "CapacityReservationStatus"},
    "commitment discounts": {
        f"CommitmentDiscount{what}" for what in ("Category", "Id", "Name", "Quantity", "Status", "Type", "Unit")
    },
    "a second currency": {
        "PricingCurrency",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost",
        "PricingCurrencyListUnitPrice",
    },
    "contract commitments": {"ContractApplied"},
    "split cost allocation": {
        f"Allocated{what}" for what in ("MethodDetails", "MethodId", "ResourceId", "ResourceName", "Tags")
    },
}


def specified(version: FocusVersion) -> dict[str, dict[str, Any]]:
    return {name: column for name, column in SPECIFIED.items() if column["introduced"] <= version}


def test_the_list_is_that_of_the_specification() -> None:
    assert {version: len(specified(version)) for version in VERSIONS} == {"1.2": 57, "1.3": 65}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_mandatory_column_is_there(version: FocusVersion) -> None:
    mandatory = {name for name, column in specified(version).items() if column["level"] == "Mandatory"}
    assert len(mandatory) == {"1.2": 21, "1.3": 23}[version]
    assert mandatory <= columns(version).keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_left_out_has_a_condition_that_does_not_hold_here(version: FocusVersion) -> None:
    missing = specified(version).keys() - columns(version).keys()
    excused = set().union(*NOT_HERE.values())
    assert missing <= excused
    assert {SPECIFIED[name]["level"] for name in missing} <= {"Conditional", "Recommended"}
    assert excused <= SPECIFIED.keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_of_our_own_are_marked_and_stand_last(version: FocusVersion) -> None:
    names = list(columns(version))
    ours = [name for name in names if name not in specified(version)]
    assert all(name.startswith("x_") and name[2].isupper() for name in ours)
    assert names[-len(ours) :] == ours


@pytest.mark.parametrize("version", VERSIONS)
def test_types_are_those_of_the_specification(version: FocusVersion) -> None:
    told = {name: kind for name, kind in columns(version).items() if not name.startswith("x_")}
    assert told == {name: specified(version)[name]["type"] for name in told}


def test_what_is_deprecated_is_said_to_be() -> None:
    assert {name for name, column in SPECIFIED.items() if column.get("deprecated") == "1.3"} == DEPRECATED_SINCE_1_3
