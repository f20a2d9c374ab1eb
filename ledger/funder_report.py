"""The report to a funder: what its programmes granted, what became of it, by whom and for what it was used.

Grants are paid by all funders of their programme together. `captured` of one funder comes exactly from the postings to
the facility's account of that funder; the rest of a grant belongs to all of them by their weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import accounts
from ledger.flows import Flow, balances_of
from ledger.model import Grant
from ledger.terms import Terms, cap_scope, pool_scope

DAY_US = 86_400_000_000
HORIZONS_DAYS = (30, 60, 90)


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme of the funder, with its funders and the terms in force, if it has any."""

    id: str
    name: str
    asset: str
    funders: tuple[tuple[str, int], ...]
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about: the funder's programmes with all their grants, and from when terms are counted."""

    funder_id: str
    programmes: tuple[Programme, ...]
    grants: tuple[Grant, ...]
    year: int
    at_us: int
    """The instant from which expiring amounts are counted."""


@dataclass(slots=True)
class _Sums:
    """Figures of one grant, or of several. `available` + `held` + `captured` + `breakage` = `granted`."""

    granted: int = 0
    held: int = 0
    available: int = 0
    captured: int = 0
    breakage: int = 0

    def add(self, other: _Sums) -> None:
        self.granted += other.granted
        self.held += other.held
        self.available += other.available
        self.captured += other.captured
        self.breakage += other.breakage

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("granted", "held", "available", "captured", "breakage")}


def funder_report(
    scope: Scope, earlier: Iterable[Flow], period: Sequence[Flow], claims: Mapping[str, int]
) -> dict[str, Any]:
    """The report from all flows before the period, those of the period, and what stands on the limits at its end."""
    flows = [*earlier, *period]
    balances = balances_of(flows)
    at_end = _stands(scope, balances, flows)
    inside = _stands(scope, balances_of(period), period)
    used = _used(scope, period)
    return {
        "funder_id": scope.funder_id,
        "programmes": [
            _programme(scope, programme, (at_end, inside), balances, flows, claims) for programme in scope.programmes
        ],
        "shares": [
            {
                "programme_id": programme.id,
                "funder_id": funder_id,
                "asset": programme.asset,
                "captured": sum(
                    paid.get(funder_id, 0) for (owner, _, _), paid in used.items() if owner == programme.id
                ),
            }
            for programme in scope.programmes
            for funder_id, _ in programme.funders
        ],
        "captured": _captured(scope, used),
        "grants": [
            {
                "grant_id": grant.id,
                "programme_id": grant.programme_id,
                "project_id": grant.project_id,
                "asset": grant.asset,
                **at_end[grant.id].to_json(),
                "valid_until_us": grant.valid_until_us,
            }
            for grant in scope.grants
            if at_end[grant.id].granted
        ],
        "expiring": _expiring(scope, at_end),
    }


def _stands(scope: Scope, balances: Mapping[tuple[str, str], int], flows: Iterable[Flow]) -> dict[str, _Sums]:
    """Where each grant stands after flows that lead to these balances; or, for those of a period, its change in it."""
    captured: dict[str | None, int] = {}
    for flow in flows:
        owner, _, amount = _capture(flow)
        captured[owner] = captured.get(owner, 0) + amount
    found = {}
    for grant in scope.grants:
        held = balances.get((accounts.held(grant.id), grant.asset), 0)
        available = balances.get((accounts.available(grant.id), grant.asset), 0)
        breakage = balances.get((accounts.expired(grant.id), grant.asset), 0)
        paid = captured.get(grant.id, 0)
        found[grant.id] = _Sums(held + available + breakage + paid, held, available, paid, breakage)
    return found


def _capture(flow: Flow) -> tuple[str | None, str, int]:
    """The grant that paid, the facility's account, and how much; less than 0 for what came back."""
    if accounts.is_earned(flow.destination):
        return accounts.grant_of(flow.source), flow.destination, flow.amount
    if accounts.is_earned(flow.source):
        return accounts.grant_of(flow.destination), flow.source, -flow.amount
    return None, "", 0


_Used = dict[tuple[str, str, str], dict[str, int]]


def _used(scope: Scope, period: Iterable[Flow]) -> _Used:
    """What each funder paid, by programme, project and workload category."""
    grants = {grant.id: grant for grant in scope.grants}
    prefix = accounts.earned("")
    found: _Used = {}
    for flow in period:
        grant_id, earned, amount = _capture(flow)
        grant = grants.get(grant_id or "")
        if grant is not None:
            paid = found.setdefault((grant.programme_id, grant.project_id, flow.category), {})
            funder_id = earned.removeprefix(prefix)
            paid[funder_id] = paid.get(funder_id, 0) + amount
    return found


def _captured(scope: Scope, used: _Used) -> list[dict[str, Any]]:
    """This funder's share, and what all funders paid."""
    programmes = {programme.id: programme for programme in scope.programmes}
    return [
        {
            "programme_id": programme_id,
            "project_id": project_id,
            "category": category,
            "asset": programmes[programme_id].asset,
            "captured": paid.get(scope.funder_id, 0),
            "captured_by_all": sum(paid.values()),
        }
        for (programme_id, project_id, category), paid in sorted(used.items())
    ]


def _programme(
    scope: Scope,
    programme: Programme,
    stands: tuple[Mapping[str, _Sums], Mapping[str, _Sums]],
    balances: Mapping[tuple[str, str], int],
    flows: Iterable[Flow],
    claims: Mapping[str, int],
) -> dict[str, Any]:
    own = [grant for grant in scope.grants if grant.programme_id == programme.id]
    sums, inside = _Sums(), _Sums()
    for grant in own:
        sums.add(stands[0][grant.id])
        inside.add(stands[1][grant.id])
    purse = accounts.programme(programme.id)
    pledged = {funder_id: 0 for funder_id, _ in programme.funders}
    for flow in flows:
        if flow.kind == "fund" and flow.destination == purse:
            funder_id = flow.source.removeprefix("funder/")
            pledged[funder_id] = pledged.get(funder_id, 0) + flow.amount
    return {
        "programme_id": programme.id,
        "name": programme.name,
        "asset": programme.asset,
        "funders": [list(share) for share in programme.funders],
        "budget": sum(pledged.values()),
        "pledged": pledged.get(scope.funder_id, 0),
        "remaining": balances.get((purse, programme.asset), 0),
        **sums.to_json(),
        "period": inside.to_json(),
        "caps": _caps(scope, programme, {grant.project_id for grant in own}, claims),
    }


def _caps(scope: Scope, programme: Programme, projects: set[str], claims: Mapping[str, int]) -> list[dict[str, Any]]:
    """What of the yearly limits is claimed by holds and captures."""
    terms = programme.terms
    if terms is None:
        return []
    found = []
    if terms.pool_year is not None:
        name = pool_scope(programme.id, scope.year)
        found.append(_cap("pool_year", "", terms.pool_year, claims.get(name, 0), scope.year))
    if terms.cap_project_year is not None:
        for project_id in sorted(projects):
            name = cap_scope(programme.id, project_id, scope.year)
            found.append(_cap("cap_project_year", project_id, terms.cap_project_year, claims.get(name, 0), scope.year))
    return found


def _cap(limit: str, project_id: str, cap: int, claimed: int, year: int) -> dict[str, Any]:
    return {"limit": limit, "project_id": project_id, "year": year, "cap": cap, "claimed": claimed}


def _expiring(scope: Scope, at_end: Mapping[str, _Sums]) -> list[dict[str, Any]]:
    """What is available now and will be breakage unless it is used within so many days; each horizon holds the last."""
    found = []
    for days in HORIZONS_DAYS:
        due: dict[str, list[Grant]] = {}
        for grant in scope.grants:
            if at_end[grant.id].available and grant.valid_until_us <= scope.at_us + days * DAY_US:
                due.setdefault(grant.asset, []).append(grant)
        for asset, some in sorted(due.items()):
            amount = sum(at_end[grant.id].available for grant in some)
            found.append({"days": days, "asset": asset, "amount": amount, "grants": [grant.id for grant in some]})
    return found
