"""Projects, members and tokens. A token is found by the hash of its secret; the hash is never handed out."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select, update

from store import schema
from store.columns import among
from store.rows import MemberRow, ProjectRow, TokenRow

_projects = schema.projects
_members = schema.members
_tokens = schema.tokens
_SHOWN = tuple(column for column in _tokens.columns if column.name != "secret_hash")


def insert_project(connection: Connection, project: ProjectRow) -> None:
    """Write a new project. Raises `Duplicate` for a known id or name."""
    connection.execute(
        insert(_projects).values(
            id=project.id,
            name=project.name,
            weight=project.weight,
            created_us=project.created_us,
            stage=project.stage,
            founded_us=project.founded_us,
            traits=project.traits,
            related=project.related,
        )
    )


def get_project(connection: Connection, project_id: str) -> ProjectRow | None:
    """One project, or None."""
    row = connection.execute(select(_projects).where(_projects.c.id == project_id)).one_or_none()
    return None if row is None else ProjectRow(*row)


def get_projects(connection: Connection, project_ids: Iterable[str]) -> dict[str, ProjectRow]:
    """Projects by id; unknown ids are left out."""
    wanted = select(_projects).where(among(_projects.c.id, list(project_ids)))
    return {row.id: ProjectRow(*row) for row in connection.execute(wanted)}


def describe_project(connection: Connection, project: ProjectRow) -> None:
    """Write what terms ask about a project. Raises LookupError for an unknown project."""
    changed = {"stage": project.stage, "founded_us": project.founded_us, "traits": project.traits}
    done = connection.execute(
        update(_projects).where(_projects.c.id == project.id).values(**changed, related=project.related)
    )
    if done.rowcount != 1:
        raise LookupError(f"there is no project {project.id}")


def list_projects(connection: Connection) -> list[ProjectRow]:
    """All projects, oldest first."""
    wanted = select(_projects).order_by(_projects.c.created_us, _projects.c.id)
    return [ProjectRow(*row) for row in connection.execute(wanted)]


def set_weight(connection: Connection, project_id: str, weight: int) -> None:
    """Change a project's share. Raises LookupError for an unknown project."""
    done = connection.execute(update(_projects).where(_projects.c.id == project_id).values(weight=weight))
    if done.rowcount != 1:
        raise LookupError(f"there is no project {project_id}")


def insert_member(connection: Connection, member: MemberRow) -> None:
    """Write a new member. Raises `Duplicate` for a known id."""
    connection.execute(
        insert(_members).values(
            id=member.id,
            project_id=member.project_id,
            name=member.name,
            role=member.role,
            created_us=member.created_us,
        )
    )


def get_member(connection: Connection, member_id: str) -> MemberRow | None:
    """One member, or None."""
    row = connection.execute(select(_members).where(_members.c.id == member_id)).one_or_none()
    return None if row is None else MemberRow(*row)


def list_members(connection: Connection, project_id: str | None) -> list[MemberRow]:
    """The members of a project, or of all projects and the facility, oldest first."""
    wanted = select(_members).order_by(_members.c.created_us, _members.c.id)
    if project_id is not None:
        wanted = wanted.where(_members.c.project_id == project_id)
    return [MemberRow(*row) for row in connection.execute(wanted)]


def insert_token(connection: Connection, token: TokenRow, secret_hash: str) -> None:
    """Write a new token under the hash of its secret. Raises `Duplicate` for a known id or hash."""
    connection.execute(
        insert(_tokens).values(
            id=token.id,
            member_id=token.member_id,
            project_id=token.project_id,
            role=token.role,
            label=token.label,
            created_us=token.created_us,
            expires_us=token.expires_us,
            revoked_us=token.revoked_us,
            secret_hash=secret_hash,
        )
    )


def find_token(connection: Connection, secret_hash: str) -> tuple[TokenRow, MemberRow] | None:
    """The token with this hash and whose it is, also when it has expired or was revoked: the caller judges that."""
    wanted = (
        select(*_SHOWN, *_members.columns)
        .join_from(_tokens, _members, _tokens.c.member_id == _members.c.id)
        .where(_tokens.c.secret_hash == secret_hash)
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    return TokenRow(*row[: len(_SHOWN)]), MemberRow(*row[len(_SHOWN) :])


def get_token(connection: Connection, token_id: str) -> TokenRow | None:
    """One token, or None."""
    row = connection.execute(select(*_SHOWN).where(_tokens.c.id == token_id)).one_or_none()
    return None if row is None else TokenRow(*row)


def list_tokens(connection: Connection, project_id: str | None) -> list[TokenRow]:
    """The tokens of a project, or of all projects and the facility, oldest first, revoked ones among them."""
    wanted = select(*_SHOWN).order_by(_tokens.c.created_us, _tokens.c.id)
    if project_id is not None:
        wanted = wanted.where(_tokens.c.project_id == project_id)
    return [TokenRow(*row) for row in connection.execute(wanted)]


def revoke_token(connection: Connection, token_id: str, at_us: int) -> bool:
    """Revoke a token; True when it was valid until now, False when there is none or it was revoked before."""
    done = connection.execute(
        update(_tokens).where(_tokens.c.id == token_id, _tokens.c.revoked_us.is_(None)).values(revoked_us=at_us)
    )
    return done.rowcount == 1


def count_operators(connection: Connection) -> int:
    """How many members are operators: none means that the service has never been set up."""
    return connection.execute(
        select(func.count()).select_from(_members).where(_members.c.role == "operator")
    ).scalar_one()
