"""Who calls, and what their role allows. A token goes in as `Authorization: Bearer qb_…`, a Caller comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from api.answers import accepted, refuse
from api.desk import Desk, desk_of
from api.port import RoomPort
from dispatcher.model import Caller, Role

_BEARER = HTTPBearer(auto_error=False, bearerFormat="qb_…", description="A token of your project.")
_SECRET = re.compile(r"[\x21-\x7e]{1,200}\Z")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}\Z")


@dataclass(frozen=True, slots=True)
class Visit:
    """One authenticated request."""

    desk: Desk
    caller: Caller
    secret: str

    @property
    def room(self) -> RoomPort:
        """Where all calls go."""
        return self.desk.room

    async def still_valid(self) -> bool:
        """Whether the token still opens the door: a stream outlives the moment it was checked."""
        return self.caller == await self.desk.read(self.room.authenticate, self.secret)


async def visit_of(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> Visit:
    """The caller of a request. Refusals: unauthenticated, token_expired."""
    if credentials is None:
        raise refuse("unauthenticated", "The request carries no token: send `Authorization: Bearer qb_…`.")
    if not _SECRET.match(credentials.credentials):
        raise refuse("unauthenticated", "The token is not one of this service's.")
    desk = desk_of(request)
    caller = accepted(await desk.read(desk.room.authenticate, credentials.credentials))
    return Visit(desk, caller, credentials.credentials)


Visitor = Annotated[Visit, Depends(visit_of)]


def needs(caller: Caller, *roles: Role) -> None:
    """Let only these roles pass. Refusal: forbidden. An operator's word counts for the whole facility only."""
    if caller.role in roles and (caller.role != "operator" or caller.project_id is None):
        return
    wanted = " or ".join(roles)
    detail = f"This needs the role {wanted}; your token has the role {caller.role}."
    raise refuse("forbidden", detail, role=caller.role, needed=list(roles))


def needs_sight(caller: Caller, project_id: str) -> None:
    """Let pass whom the project exists for. Refusal: not_found, as for a project that does not exist."""
    if not _ID.match(project_id) or not caller.sees(project_id):
        raise refuse("not_found", "There is no such project.")


def project_of(caller: Caller, named: str) -> str:
    """The project that a path names: an id, or "me" for the caller's own. Refusals: not_found, invalid_request."""
    if named == "me":
        if caller.project_id is None:
            raise refuse("invalid_request", "Your token belongs to no project: name one instead of `me`.")
        return caller.project_id
    needs_sight(caller, named)
    return named


def known_form(identifier: str, what: str) -> str:
    """An id from a path, if it can be one at all. Refusal: not_found, so that no odd bytes reach the database."""
    if not _ID.match(identifier):
        raise refuse("not_found", f"There is no such {what}.")
    return identifier
