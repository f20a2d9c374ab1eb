"""Projects, members and tokens. A token's secret is shown once and stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Any

from backends.catalogue import spec_of
from dispatcher import vocabulary
from dispatcher.ground import Ground
from dispatcher.inbox import weight_set
from dispatcher.model import Caller, Refusal, Role
from store import audit_log, identity, inbox, programmes, terms
from store.database import Connection
from store.rows import MemberRow, ProjectRow, TokenRow

SECRET_PREFIX = "qb_"  # noqa: S105
TOKEN_DAYS_MAX = 400


def secret_hash(secret: str) -> str:
    """SHA-256 is enough here: the secret has 256 random bits, so there is nothing to guess slowly."""
    return hashlib.sha256(secret.encode()).hexdigest()


def no_project(project_id: str) -> Refusal:
    """The one answer to a project that is not there, or not for this caller."""
    return Refusal("not_found", f"There is no project {project_id}.", {"project_id": project_id})


class People:
    """Who there is and who may what. Every change is written to the audit log in the same commit."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def authenticate(self, secret: str) -> Caller | Refusal:
        """The caller of a secret. Refusals: unauthenticated, token_expired."""
        unknown = Refusal("unauthenticated", "The token is not known. Ask your project's admin for a new one.")
        if not secret.startswith(SECRET_PREFIX):
            return unknown
        with self._ground.database.read() as conn:
            found = identity.find_token(conn, secret_hash(secret))
        if found is None or found[0].revoked_us is not None:
            return unknown
        token, member = found
        if token.expires_us is not None and token.expires_us <= self._ground.now_us():
            fields = {"expired_us": token.expires_us}
            return Refusal("token_expired", "The token has expired. Ask your project's admin for a new one.", fields)
        return Caller(member.id, token.project_id, _role(token.role), token.id)

    def create_project(self, caller: Caller, name: str, weight: int = 100) -> ProjectRow | Refusal:
        """A new tenant (operators). Refusals: forbidden, already_exists, invalid_request (weight below 1)."""
        if caller.role != "operator":
            return _forbidden(caller, "operator")
        if not 1 <= weight <= 1_000_000:
            return Refusal("invalid_request", f"weight is {weight}; from 1 to 1000000 is allowed.", {"value": weight})
        row = ProjectRow(self._ground.new_id("prj"), name, weight, self._ground.now_us())

        def unit(conn: Connection) -> ProjectRow | Refusal:
            if any(project.name == name for project in identity.list_projects(conn)):
                return Refusal("already_exists", f"There is a project named {name!r} already.", {"name": name})
            identity.insert_project(conn, row)
            inbox.append(conn, [weight_set(row.created_us, row.id, weight)])
            self._log(conn, caller, "project.create", row.id, {"name": name, "weight": weight})
            return row

        return self._ground.database.writer.run(unit)

    def describe_project(
        self,
        caller: Caller,
        project_id: str,
        stage: str,
        founded_us: int | None,
        traits: tuple[str, ...],
        related: tuple[str, ...],
    ) -> ProjectRow | Refusal:
        """Write down what the terms of programmes ask about a startup (operators), in place of what was there.

        `related` are backends, and funders by id or name. Refusals: forbidden, not_found, invalid_request (founded in
        the future, a related party that nobody knows).
        """
        if caller.role != "operator":
            return _forbidden(caller, "operator")
        now = self._ground.now_us()
        if founded_us is not None and founded_us > now:
            detail = "founded_us lies in the future: a startup is described once it is there."
            return Refusal("invalid_request", detail, {"founded_us": founded_us, "now_us": now})

        def unit(conn: Connection) -> ProjectRow | Refusal:
            row = identity.get_project(conn, project_id)
            if row is None:
                return no_project(project_id)
            parties = _parties(conn, related)
            if isinstance(parties, Refusal):
                return parties
            described = replace(row, stage=stage, founded_us=founded_us, traits=traits, related=parties)
            identity.describe_project(conn, described)
            detail = {"stage": stage, "founded_us": founded_us, "traits": list(traits), "related": list(parties)}
            self._log(conn, caller, "project.describe", project_id, detail)
            return described

        return self._ground.database.writer.run(unit)

    def unasked(self, caller: Caller, project_id: str) -> tuple[str, ...]:
        """For operators: words that a startup is described by and no programme asks for, a sentence each."""
        if caller.role != "operator":
            return ()
        with self._ground.database.read() as conn:
            row = identity.get_project(conn, project_id)
            in_force = terms.in_force(conn, [programme.id for programme in programmes.list_programmes(conn)])
            return vocabulary.unasked(row, vocabulary.of_terms(in_force.values())) if row is not None else ()

    def list_projects(self, caller: Caller) -> list[ProjectRow]:
        """The caller's own project, or all."""
        with self._ground.database.read() as conn:
            return [row for row in identity.list_projects(conn) if caller.sees(row.id)]

    def get_project(self, caller: Caller, project_id: str) -> ProjectRow | None:
        """One project, or None where the caller may not know of it."""
        if not caller.sees(project_id):
            return None
        with self._ground.database.read() as conn:
            return identity.get_project(conn, project_id)

    def create_member(self, caller: Caller, project_id: str | None, name: str, role: Role) -> MemberRow | Refusal:
        """A new member of a project, or (project None) of the facility. Refusals: forbidden, not_found."""
        refusal = self._may_name(caller, project_id, role)
        if refusal is not None:
            return refusal
        row = MemberRow(self._ground.new_id("mem"), project_id, name, role, self._ground.now_us())

        def unit(conn: Connection) -> MemberRow:
            identity.insert_member(conn, row)
            self._log(conn, caller, "member.create", row.id, {"project_id": project_id, "name": name, "role": role})
            return row

        return self._ground.database.writer.run(unit)

    def list_members(self, caller: Caller, project_id: str | None) -> list[MemberRow] | Refusal:
        """Members of a project (of the facility: None, operators and auditors). Refusals: forbidden, not_found."""
        if project_id is None and caller.project_id is not None:
            return _forbidden(caller, "operator")
        if project_id is not None and self.get_project(caller, project_id) is None:
            return no_project(project_id)
        return self._members(project_id)

    def create_token(
        self, caller: Caller, project_id: str | None, member_id: str, role: Role, label: str, expires_us: int | None
    ) -> tuple[TokenRow, str] | Refusal:
        """A token and its secret, which nobody can read again. A member makes tokens for themselves at most.

        Refusals: forbidden, not_found (project or member), invalid_request (an expiry in the past).
        """
        now = self._ground.now_us()
        if caller.role == "member" and (project_id, member_id, role) == (caller.project_id, caller.member_id, "member"):
            refusal = None
        else:
            refusal = self._may_name(caller, project_id, role)
        if refusal is not None:
            return refusal
        if expires_us is not None and expires_us <= now:
            return Refusal("invalid_request", "The token would have expired already.", {"expires_us": expires_us})
        if all(member.id != member_id for member in self._members(project_id)):
            place = "in the facility" if project_id is None else f"in project {project_id}"
            return Refusal("not_found", f"There is no member {member_id} {place}.", {"member_id": member_id})
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        row = TokenRow(self._ground.new_id("tok"), member_id, project_id, role, label, now, expires_us, None)

        def unit(conn: Connection) -> tuple[TokenRow, str]:
            identity.insert_token(conn, row, secret_hash(secret))
            self._log(conn, caller, "token.create", row.id, {"member_id": member_id, "role": role, "label": label})
            return row, secret

        return self._ground.database.writer.run(unit)

    def list_tokens(self, caller: Caller, project_id: str | None) -> list[TokenRow] | Refusal:
        """Tokens of a project, without their secrets; a member sees their own. Refusals: forbidden, not_found."""
        if project_id is None and caller.project_id is not None:
            return _forbidden(caller, "operator")
        if project_id is not None and self.get_project(caller, project_id) is None:
            return no_project(project_id)
        with self._ground.database.read() as conn:
            rows = [row for row in identity.list_tokens(conn, project_id) if row.project_id == project_id]
        return [row for row in rows if caller.role != "member" or row.member_id == caller.member_id]

    def revoke_token(self, caller: Caller, token_id: str) -> TokenRow | Refusal:
        """End a token now; revoking it again changes nothing. Refusals: forbidden, not_found."""
        now = self._ground.now_us()

        def unit(conn: Connection) -> TokenRow | Refusal:
            row = identity.get_token(conn, token_id)
            hidden = row is None or not (caller.project_id is None or row.project_id == caller.project_id)
            if row is None or hidden or (caller.role == "member" and row.member_id != caller.member_id):
                return Refusal("not_found", f"There is no token {token_id}.", {"token_id": token_id})
            if caller.role == "auditor":
                return _forbidden(caller, "operator")
            if row.revoked_us is None:
                identity.revoke_token(conn, token_id, now)
                self._log(conn, caller, "token.revoke", token_id, {})
            return identity.get_token(conn, token_id) or row

        return self._ground.database.writer.run(unit)

    def first_operator(self) -> str | None:
        """The secret of a first operator token, made only while there is none; None afterwards."""
        now = self._ground.now_us()
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        member = MemberRow(self._ground.new_id("mem"), None, "first operator", "operator", now)
        token = TokenRow(
            self._ground.new_id("tok"), member.id, None, "operator", "made at first start", now, None, None
        )

        def unit(conn: Connection) -> str | None:
            if identity.count_operators(conn) > 0:
                return None
            identity.insert_member(conn, member)
            identity.insert_token(conn, token, secret_hash(secret))
            return secret

        return self._ground.database.writer.run(unit)

    def _members(self, project_id: str | None) -> list[MemberRow]:
        with self._ground.database.read() as conn:
            return [row for row in identity.list_members(conn, project_id) if row.project_id == project_id]

    def _may_name(self, caller: Caller, project_id: str | None, role: Role) -> Refusal | None:
        """Whether the caller may give `role` in that project: admins at home up to admin, operators everywhere."""
        if project_id is not None and self.get_project(caller, project_id) is None:
            return no_project(project_id)
        if caller.role == "operator":
            wrong = (project_id is None) != (role in ("operator", "auditor"))
            if wrong:
                detail = f"The role {role} belongs to {'a project' if project_id is None else 'the whole facility'}."
                return Refusal("invalid_request", detail, {"role": role})
            return None
        if caller.role == "admin" and project_id is not None and role in ("member", "admin"):
            return None
        return _forbidden(caller, "operator" if role in ("operator", "auditor") else "admin")

    def _log(self, conn: Connection, caller: Caller, act: str, subject: str, detail: dict[str, Any]) -> None:
        audit_log.append(conn, self._ground.now_us(), caller.member_id, act, subject, detail)


def _parties(conn: Connection, named: tuple[str, ...]) -> tuple[str, ...] | Refusal:
    """Related parties as grants and jobs know them: funders by id, backends by name. A typo would exclude nobody."""
    funders = programmes.list_funders(conn)
    known = {row.name: row.id for row in funders} | {row.id: row.id for row in funders}
    found: list[str] = []
    for name in named:
        party = known.get(name) or (name if spec_of(name) is not None else None)
        if party is None:
            return Refusal("invalid_request", f"There is no funder and no backend {name!r}.", {"related": name})
        found.append(party)
    return tuple(dict.fromkeys(found))


def _forbidden(caller: Caller, needed: str) -> Refusal:
    detail = f"This needs the role {needed}; your token has the role {caller.role}."
    return Refusal("forbidden", detail, {"role": caller.role, "needed": needed})


def _role(name: str) -> Role:
    match name:
        case "member" | "admin" | "operator" | "auditor":
            return name
        case _:
            raise RuntimeError(f"a token has the unknown role {name!r}")
