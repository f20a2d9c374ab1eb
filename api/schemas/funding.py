"""Funders, programmes, grants and balances: requests and answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.schemas.fields import Amount, Asked, Identifier, InstantUs, Money, Name, Told

_FUNDER: dict[str, Any] = {
    "id": "fun_01J8Z3",
    "name": "Science and Technology Bureau",
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
}
_PROGRAMME: dict[str, Any] = {
    "id": "pgm_01J8Z3",
    "funder_id": "fun_01J8Z3",
    "funders": [["fun_01J8Z3", 1]],
    "name": "Quantum vouchers 2026",
    "asset": "CNY",
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
    "available": {"micro": 900_000_000_000, "asset": "CNY"},
}
_GRANT: dict[str, Any] = {
    "id": "grt_01J8Z3",
    "programme_id": "pgm_01J8Z3",
    "funder_id": "fun_01J8Z3",
    "funders": [["fun_01J8Z3", 1]],
    "project_id": "prj_01J8Z3",
    "amount": {"micro": 100_000_000_000, "asset": "CNY"},
    "valid_from_us": 1_790_000_000_000_000,
    "valid_from_at": "2026-09-21T14:13:20.000000Z",
    "valid_until_us": 1_821_536_000_000_000,
    "valid_until_at": "2027-09-21T14:13:20.000000Z",
    "priority": 100,
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
    "expired": False,
    "resources": [],
    "backends": [],
    "members": [],
}
_FIGURES: dict[str, Any] = {
    "granted": 100_000_000_000,
    "settled": 2_603,
    "held": 126_103,
    "available": 99_999_871_294,
    "expired": 0,
}
_BALANCE: dict[str, Any] = {
    "project_id": "prj_01J8Z3",
    "asset": "CNY",
    **_FIGURES,
    "in_flight": 0,
    "committed": 126_103,
    "wallet": {"available": 0, "held": 0},
    "in_kind": {},
    "runs_out_us": 1_821_536_000_000_000,
    "grants": [
        {
            "id": "grt_01J8Z3",
            "programme_id": "pgm_01J8Z3",
            "funder_id": "fun_01J8Z3",
            "funders": [["fun_01J8Z3", 1]],
            "project_id": "prj_01J8Z3",
            "asset": "CNY",
            "amount": 100_000_000_000,
            "valid_from_us": 1_790_000_000_000_000,
            "valid_until_us": 1_821_536_000_000_000,
            "priority": 100,
            "created_us": 1_790_000_000_000_000,
            "resources": [],
            "backends": [],
            "members": [],
            **_FIGURES,
        }
    ],
}


Shares = Annotated[list[tuple[str, int]], Field(description="Who shares what it pays, by weight: [[id, weight], …].")]


class FunderRequest(Asked):
    """Someone who pays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Science and Technology Bureau"}]})

    name: Name


class FunderShare(Asked):
    """One of several funders, and its weight beside the others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"funder_id": "fun_01J8Z3", "weight": 1}]})

    funder_id: Identifier
    weight: int = Field(default=1, ge=1, le=1_000_000)


class ProgrammeRequest(Asked):
    """A budget that its funder pledges, or several funders by weight, from which grants are issued."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Quantum vouchers 2026",
                    "funder_id": "fun_01J8Z3",
                    "budget": {"micro": 1_000_000_000_000, "asset": "CNY"},
                }
            ]
        }
    )

    name: Name
    funder_id: Identifier | None = Field(default=None, description="The one funder; or name several in `funders`.")
    funders: list[FunderShare] = Field(default_factory=list, max_length=20)
    budget: Money


class GrantRequest(Asked):
    """A grant for a project out of a programme. Of several grants the lower `priority` burns first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "project_id": "prj_01J8Z3",
                    "programme_id": "pgm_01J8Z3",
                    "amount": {"micro": 100_000_000_000, "asset": "CNY"},
                    "valid_until_us": 1_821_536_000_000_000,
                    "priority": 100,
                }
            ]
        }
    )

    project_id: Identifier
    programme_id: Identifier
    amount: Money
    valid_from_us: InstantUs | None = Field(default=None, description="Default: now.")
    valid_until_us: InstantUs
    priority: int = Field(default=100, ge=0, le=1_000_000)
    resources: list[str] = Field(default_factory=list, max_length=10, description="Pays for these only.")
    backends: list[Name] = Field(default_factory=list, max_length=100, description="Pays for these only.")
    members: list[Identifier] = Field(default_factory=list, max_length=100, description="Pays for these only.")


class Funder(Told):
    """Who pays."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FUNDER]})

    id: str
    name: str
    created_us: int
    created_at: str


class FunderList(Told):
    """All funders."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"funders": [_FUNDER]}]})

    funders: list[Funder]


class Programme(Told):
    """A programme, and what of its budget is not yet granted."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROGRAMME]})

    id: str
    funder_id: str = Field(description="The funder that leads.")
    funders: Shares
    name: str
    asset: str
    created_us: int
    created_at: str
    available: Amount


class ProgrammeList(Told):
    """All programmes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"programmes": [_PROGRAMME]}]})

    programmes: list[Programme]


class Grant(Told):
    """What a project may spend in [valid_from, valid_until), for what it is restricted to where that is named."""

    model_config = ConfigDict(json_schema_extra={"examples": [_GRANT]})

    id: str
    programme_id: str
    funder_id: str
    funders: Shares
    project_id: str
    amount: Amount
    valid_from_us: int
    valid_from_at: str | None
    valid_until_us: int
    valid_until_at: str | None
    priority: int
    created_us: int
    created_at: str
    expired: bool
    resources: list[str]
    backends: list[str]
    members: list[str]


class GrantList(Told):
    """The grants of a project."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grants": [_GRANT]}]})

    grants: list[Grant]


class GrantFigures(Told):
    """Where one grant stands, in the smallest unit of its own asset: granted = settled + held + available + expired."""

    id: str
    programme_id: str
    funder_id: str
    funders: Shares
    project_id: str
    asset: str
    amount: int
    valid_from_us: int
    valid_until_us: int
    priority: int
    created_us: int
    resources: list[str]
    backends: list[str]
    members: list[str]
    granted: int
    settled: int
    held: int
    available: int
    expired: int


class WalletFigures(Told):
    """The project's own money, from which it pays its share."""

    available: int
    held: int


class Figures(Told):
    """granted = settled + held + available + expired, in native units."""

    granted: int
    settled: int
    held: int
    available: int
    expired: int


class InKind(Figures):
    """The figures of all grants in one native unit."""

    runs_out_us: int = Field(description="As that of the grants in money, by the pace of this unit.")


class Balance(Told):
    """Where a project stands, in the smallest unit of the asset: granted = settled + held + available + expired."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BALANCE]})

    project_id: str
    asset: str
    granted: int
    settled: int
    held: int
    available: int
    expired: int
    in_flight: int = Field(description="Held for jobs under way.")
    committed: int = Field(description="Held for jobs that wait: their ceilings.")
    wallet: WalletFigures
    in_kind: dict[str, InKind] = Field(description="The same figures for grants in native units, by asset.")
    runs_out_us: int = Field(description="By the pace of the last month, with what is held and what expires counted.")
    grants: list[GrantFigures]


class Statement(Balance):
    """The balance at an instant, the jobs by state, what they were charged and what the facility absorbed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_BALANCE,
                    "at_us": 1_790_000_000_000_000,
                    "jobs": {"succeeded": 12, "failed": 1},
                    "charged": 2_603,
                    "absorbed_by_facility": 0,
                }
            ]
        }
    )

    at_us: int
    jobs: dict[str, int]
    charged: int
    absorbed_by_facility: int
