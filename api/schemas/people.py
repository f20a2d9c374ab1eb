"""Projects, members and tokens: requests and answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Asked, Identifier, InstantUs, Name, Note, Told

Role = Literal["member", "admin", "operator", "auditor"]

_PROJECT: dict[str, Any] = {
    "id": "prj_01J8Z3",
    "name": "Mozi Quantum",
    "weight": 100,
    "stage": "seed",
    "founded_us": 1_760_000_000_000_000,
    "traits": [],
    "related": [],
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
}
_MEMBER: dict[str, Any] = {
    "id": "mem_01J8Z3",
    "project_id": "prj_01J8Z3",
    "name": "Li Hua",
    "role": "member",
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
}
_TOKEN: dict[str, Any] = {
    "id": "tok_01J8Z3",
    "member_id": "mem_01J8Z3",
    "project_id": "prj_01J8Z3",
    "role": "member",
    "label": "laptop",
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
    "expires_us": 1_821_536_000_000_000,
    "expires_at": "2027-09-21T14:13:20.000000Z",
    "revoked_us": None,
}
_CALLER: dict[str, Any] = {
    "member_id": "mem_01J8Z3",
    "project_id": "prj_01J8Z3",
    "role": "member",
    "token_id": "tok_01J8Z3",
}


class ProjectRequest(Asked):
    """A new tenant. `weight` is its share of the machine beside the others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Mozi Quantum", "weight": 100}]})

    name: Name
    weight: int = Field(default=100, ge=1, le=1_000_000)


class MemberRequest(Asked):
    """A new member; a project has members and admins, the facility operators and auditors."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Li Hua", "role": "member"}]})

    name: Name
    role: Role = "member"


class TokenRequest(Asked):
    """A new token. Without `member_id` it is the caller's own, without `expires_us` it lives for a year."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"member_id": "mem_01J8Z3", "role": "member", "label": "laptop"}]}
    )

    member_id: Identifier | None = None
    role: Role = "member"
    label: Note = ""
    expires_us: InstantUs | None = None


class Project(Told):
    """A tenant, and what the terms of programmes may ask about it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROJECT]})

    id: str
    name: str
    weight: int
    created_us: int
    stage: str
    founded_us: int | None
    traits: list[str]
    related: list[str]
    created_at: str


class DescribedProject(Project):
    """A tenant that was described; `warnings` are words that no programme asks for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PROJECT, "warnings": []}]})

    warnings: list[str]


class ProjectList(Told):
    """The projects that exist for the caller."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"projects": [_PROJECT]}]})

    projects: list[Project]


class Member(Told):
    """A person or a program that may call."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MEMBER]})

    id: str
    project_id: str | None
    name: str
    role: Role
    created_us: int
    created_at: str


class MemberList(Told):
    """The members of a project, or of the facility."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"members": [_MEMBER]}]})

    members: list[Member]


class Token(Told):
    """A token without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TOKEN]})

    id: str
    member_id: str
    project_id: str | None
    role: Role
    label: str
    created_us: int
    created_at: str
    expires_us: int | None
    expires_at: str | None
    revoked_us: int | None


class TokenList(Told):
    """Tokens, the revoked ones among them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tokens": [_TOKEN]}]})

    tokens: list[Token]


class TokenMade(Token):
    """A token and its secret, told this one time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_TOKEN, "secret": "qb_…"}]})

    secret: str


class CallerTold(Told):
    """Who the service takes you for."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CALLER]})

    member_id: str
    project_id: str | None
    role: Role
    token_id: str
