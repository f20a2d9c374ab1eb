"""What admins and operators do: projects, members, tokens, funders, programmes, grants, backend states.

Reach it as `client.operators`. Records are the JSON objects of the HTTP API. Payments carry a key and are repeated when
it is unknown whether the first try was carried out; no other creation is. Names that exist already are a Conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from qubator.connection import Connection, segment
from qubator.money import Money

Record = dict[str, Any]
Role = Literal["member", "admin", "operator", "auditor"]
ActKind = Literal["increase", "transfer", "claw_back", "correct"]


@dataclass(frozen=True, slots=True, repr=False)
class Operators:
    """Administrative calls over one connection; what a caller may do depends on the token's role."""

    connection: Connection

    def projects(self) -> list[Record]:
        """All projects the caller sees."""
        return self._list("/v1/projects", "projects")

    def project(self, project_id: str) -> Record:
        """One project."""
        return self._get(f"/v1/projects/{segment(project_id)}")

    def create_project(self, name: str, *, weight: int | None = None) -> Record:
        """A new project; `weight` is its share beside other projects (100 is usual)."""
        return self._post("/v1/projects", {"name": name, "weight": weight})

    def members(self, project_id: str | None = "me") -> list[Record]:
        """The members of a project; of the facility itself (operators and auditors) for None."""
        return self._list(f"{_home(project_id)}/members", "members")

    def create_member(self, project_id: str | None, name: str, role: Role = "member") -> Record:
        """A new member of a project, or (None) of the facility."""
        return self._post(f"{_home(project_id)}/members", {"name": name, "role": role})

    def tokens(self, project_id: str | None = "me") -> list[Record]:
        """The tokens of a project or (None) of the facility, without their secrets."""
        return self._list(f"{_home(project_id)}/tokens", "tokens")

    def create_token(
        self,
        project_id: str | None,
        member_id: str,
        *,
        role: Role | None = None,
        label: str = "",
        expires: datetime | int | None = None,
    ) -> Record:
        """A new token; the answer holds its secret, which is shown this once. `expires`: a time, or µs since 1970."""
        body = {"member_id": member_id, "role": role, "label": label, "expires_us": micros(expires)}
        return self._post(f"{_home(project_id)}/tokens", body)

    def revoke_token(self, token_id: str) -> None:
        """End a token's life."""
        self.connection.request("DELETE", f"/v1/tokens/{segment(token_id)}")

    def funders(self) -> list[Record]:
        """All funders."""
        return self._list("/v1/funders", "funders")

    def create_funder(self, name: str) -> Record:
        """A new funder."""
        return self._post("/v1/funders", {"name": name})

    def programmes(self) -> list[Record]:
        """All programmes and what is left of their budgets."""
        return self._list("/v1/programmes", "programmes")

    def create_programme(self, name: str, funder: str | Mapping[str, int], budget: Money) -> Record:
        """A programme with its budget, pledged by a funder, or by several: {funder's id: weight}, the first leads."""
        if isinstance(funder, str):
            return self._post("/v1/programmes", {"name": name, "funder_id": funder, "budget": budget.to_json()})
        funders = [{"funder_id": funder_id, "weight": weight} for funder_id, weight in funder.items()]
        return self._post("/v1/programmes", {"name": name, "funders": funders, "budget": budget.to_json()})

    def grants(self, project_id: str = "me") -> list[Record]:
        """The grants of a project."""
        return self._list(f"/v1/projects/{segment(project_id)}/grants", "grants")

    def issue_grant(
        self,
        project_id: str,
        programme_id: str,
        amount: Money,
        *,
        valid_until: datetime | int,
        valid_from: datetime | int | None = None,
        priority: int | None = None,
        resources: Sequence[str] = (),
        backends: Sequence[str] = (),
        members: Sequence[str] = (),
    ) -> Record:
        """A grant from a programme's budget to a project. Grants with the lower `priority` number are spent first.

        Where `resources` ("qpu_ms", "shots", …), `backends` or `members` are named, it pays for these only.
        """
        body = {
            "project_id": project_id,
            "programme_id": programme_id,
            "amount": amount.to_json(),
            "valid_from_us": micros(valid_from),
            "valid_until_us": micros(valid_until),
            "priority": priority,
            "resources": list(resources) or None,
            "backends": list(backends) or None,
            "members": list(members) or None,
        }
        return self._post("/v1/grants", body)

    def apply_programmes(self, programmes: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> list[Record]:
        """Bring programmes to what documents say (as in a programme file); what changed, programme by programme."""
        body = {"programmes": list(programmes), "dry_run": dry_run}
        return list(self._post("/v1/programmes/apply", body)["applied"])

    def terms(self, programme_id: str) -> list[Record]:
        """Every version of a programme's terms, the newest last."""
        return self._list(f"/v1/programmes/{segment(programme_id)}/terms", "terms")

    def rates(self) -> list[Record]:
        """The whole rate card."""
        return self._list("/v1/rates", "rates")

    def add_rate(
        self,
        resource: str,
        unit_price: Money,
        *,
        quantum: int | None = None,
        backend: str | None = None,
        hours: tuple[int, int] | None = None,
        valid_from: datetime | int | None = None,
        valid_until: datetime | int | None = None,
    ) -> Record:
        """A new line of the rate card: `unit_price` for each started `quantum`. It wins over earlier lines."""
        body = {
            "resource": resource,
            "unit_price": unit_price.micro,
            "quantum": quantum,
            "backend": backend,
            "hours": None if hours is None else list(hours),
            "valid_from_us": micros(valid_from),
            "valid_until_us": micros(valid_until),
        }
        return self._post("/v1/rates", body)

    def describe_project(
        self,
        project_id: str,
        *,
        stage: str = "",
        founded: datetime | int | None = None,
        traits: Sequence[str] = (),
        related: Sequence[str] = (),
    ) -> Record:
        """What terms ask about a startup, in place of what was there. `related`: backends, funders by id or name."""
        body = {"stage": stage, "founded_us": micros(founded), "traits": list(traits), "related": list(related)}
        return self._put(f"/v1/projects/{segment(project_id)}/profile", body)

    def book_payment(self, project_id: str, amount: Money, key: str, direction: Literal["in", "out"] = "in") -> Record:
        """Money that a startup paid into its wallet, or that goes back to it; the same `key` is booked once.

        So this one is repeated when its outcome is unknown.
        """
        body = {"amount": amount.to_json(), "key": key, "direction": direction}
        path = f"/v1/projects/{segment(project_id)}/wallet"
        return dict(self.connection.request("POST", path, body=body, repeatable=True).body)

    def budgets(self, project_id: str = "me") -> list[Record]:
        """A project's limits for members and tags, and what is left of them this year."""
        return self._list(f"/v1/projects/{segment(project_id)}/budgets", "budgets")

    def set_budget(self, project_id: str, kind: Literal["member", "tag"], key: str, limit: Money) -> Record:
        """Limit what the jobs of a member, or with a tag, may cost in a year."""
        body = {"kind": kind, "key": key, "limit": limit.micro}
        return self._put(f"/v1/projects/{segment(project_id)}/budgets", body)

    def remove_budget(self, project_id: str, kind: Literal["member", "tag"], key: str) -> list[Record]:
        """Take a limit away; the budgets that are left."""
        path, params = f"/v1/projects/{segment(project_id)}/budgets", {"kind": kind, "key": key}
        return list(self.connection.request("DELETE", path, params=params).body["budgets"])

    def ask(self, kind: ActKind, subject: str, reason: str, **body: Any) -> Record:
        """Ask for an act that a second operator approves.

        `increase` and `claw_back` of a grant take `amount` (in its smallest unit), `transfer` also `to_grant_id`;
        `correct` of a job takes `usage`, what it really used.
        """
        return self._post("/v1/requests", {"kind": kind, "subject": subject, "body": body, "reason": reason})

    def requests(self, state: Literal["open", "approved", "refused"] | None = None) -> list[Record]:
        """Requests, oldest first."""
        return self._list("/v1/requests" + (f"?state={state}" if state else ""), "requests")

    def decide(self, request_id: str, decision: Literal["approve", "refuse"]) -> Record:
        """Approve (and post) a request of another operator, or refuse one (one's own too)."""
        return self._post(f"/v1/requests/{segment(request_id)}/{decision}", {})

    def set_backend_state(self, name: str, state: Literal["online", "draining", "offline"], reason: str = "") -> Record:
        """Open or close a backend for new work."""
        body = {"state": state, "reason": reason}
        return self._put(f"/v1/backends/{segment(name)}/state", body)

    def _get(self, path: str) -> Record:
        return dict(self.connection.request("GET", path).body)

    def _list(self, path: str, word: str) -> list[Record]:
        body = self.connection.request("GET", path).body
        return list(body[word] if isinstance(body, Mapping) else body)

    def _post(self, path: str, body: Mapping[str, Any]) -> Record:
        named = {word: value for word, value in body.items() if value is not None}
        return dict(self.connection.request("POST", path, body=named, repeatable=False).body)

    def _put(self, path: str, body: Mapping[str, Any]) -> Record:
        return dict(self.connection.request("PUT", path, body=body).body)


def _home(project_id: str | None) -> str:
    return "/v1/facility" if project_id is None else f"/v1/projects/{segment(project_id)}"


def micros(moment: datetime | int | None) -> int | None:
    """Microseconds since 1970 of a datetime (a naive one is local time), an int as it is, None as None."""
    if moment is None or isinstance(moment, int):
        return moment
    return round(moment.timestamp() * 1_000_000)
