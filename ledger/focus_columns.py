"""The columns of the FOCUS Cost and Usage dataset that the export fills, per version of the specification.

FinOps Open Cost and Usage Specification, https://focus.finops.org. Left out are conditional columns whose condition
does not hold here: regions, availability zones, capacity reservations, commitment discounts, contracts, split cost
allocation, several types of accounts, a second currency.
"""

from __future__ import annotations

from typing import Literal

FocusVersion = Literal["1.2", "1.3"]
VERSIONS: tuple[FocusVersion, ...] = ("1.2", "1.3")

ColumnType = Literal["String", "Decimal", "Date/Time", "JSON"]

_SHARED: dict[str, ColumnType] = {
    "BilledCost": "Decimal",
    "BillingAccountId": "String",
    "BillingAccountName": "String",
    "BillingCurrency": "String",
    "BillingPeriodEnd": "Date/Time",
    "BillingPeriodStart": "Date/Time",
    "ChargeCategory": "String",
    "ChargeClass": "String",
    "ChargeDescription": "String",
    "ChargeFrequency": "String",
    "ChargePeriodEnd": "Date/Time",
    "ChargePeriodStart": "Date/Time",
    "ConsumedQuantity": "Decimal",
    "ConsumedUnit": "String",
    "ContractedCost": "Decimal",
    "ContractedUnitPrice": "Decimal",
    "EffectiveCost": "Decimal",
    "InvoiceId": "String",
    "InvoiceIssuerName": "String",
    "ListCost": "Decimal",
    "ListUnitPrice": "Decimal",
    "PricingCategory": "String",
    "PricingQuantity": "Decimal",
    "PricingUnit": "String",
    "ProviderName": "String",
    "PublisherName": "String",
    "ResourceId": "String",
    "ResourceName": "String",
    "ResourceType": "String",
    "ServiceCategory": "String",
    "ServiceName": "String",
    "ServiceSubcategory": "String",
    "SkuId": "String",
    "SkuMeter": "String",
    "SkuPriceDetails": "JSON",
    "SkuPriceId": "String",
    "SubAccountId": "String",
    "SubAccountName": "String",
    "Tags": "JSON",
}
_OURS: dict[str, ColumnType] = {
    "x_CorrectionReason": "String",
    "x_EntryIds": "String",
    "x_FunderId": "String",
    "x_FunderName": "String",
    "x_GrantId": "String",
    "x_JobCategory": "String",
    "x_ProgrammeId": "String",
    "x_ProgrammeName": "String",
    "x_Rule": "String",
}
_SINCE_1_3: dict[str, ColumnType] = {"HostProviderName": "String", "ServiceProviderName": "String"}


def columns(version: FocusVersion) -> dict[str, ColumnType]:
    """The columns of an export in their order, with their types: those of FOCUS by name, then our own (`x_…`)."""
    of_focus = _SHARED if version == "1.2" else _SHARED | _SINCE_1_3
    return dict(sorted(of_focus.items())) | _OURS


DEPRECATED_SINCE_1_3 = frozenset({"ProviderName", "PublisherName"})
