"""What crosses the border between the HTTP face and the dispatcher: who calls, what is submitted, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ledger.terms import GENERAL

Role = Literal["member", "admin", "operator", "auditor"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `project_id` is None for operators and auditors of the whole facility."""

    member_id: str
    project_id: str | None
    role: Role
    token_id: str

    def sees(self, project_id: str) -> bool:
        """Whether things of `project_id` exist at all for this caller (others get a 404, never a 403)."""
        return self.project_id is None or self.project_id == project_id


@dataclass(frozen=True, slots=True)
class Submission:
    """One job as asked for. `work` is the work document (see backends/work.py); money in micro-yuan, time in µs."""

    primitive: Literal["sampler", "estimator"]
    work: bytes
    backend: str
    request_hash: str
    priority: int = 0
    name: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    time_limit_us: int | None = None
    max_cost: int | None = None
    idempotency_key: str | None = None
    project_id: str | None = None
    category: str = GENERAL
    quote_id: str | None = None


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """A grant as asked for. Empty restrictions mean: for everything."""

    project_id: str
    programme_id: str
    asset: str
    amount: int
    valid_from_us: int
    valid_until_us: int
    priority: int
    resources: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expected no. `code` is a row of the problem table in api/problems.py; `fields` name limits and values."""

    code: str
    detail: str
    fields: Mapping[str, Any] = field(default_factory=dict)
