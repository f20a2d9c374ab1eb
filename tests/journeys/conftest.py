"""A running zone for journeys: the real service with API, dispatcher, inspector and workers, on a free port."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatcher.model import GrantTerms
from dispatcher.room import Room
from qubator import Client
from service.embedded import CONSOLE, Embedded, embedded

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Startup:
    """One tenant: its project, an admin's token, and the SDK's client with it."""

    project_id: str
    member_id: str
    token: str
    client: Client
    http: httpx.Client


@dataclass
class Zone:
    """A running service and its startups."""

    service: Embedded
    programme_id: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return self.service.url

    @property
    def room(self) -> Room:
        return self.service.room

    @property
    def operator_token(self) -> str:
        assert self.service.operator_token is not None
        return self.service.operator_token

    def startup(self, *, grant: int | None = 10**9, role: Any = "admin") -> Startup:
        """A new project with a grant of `grant` micro-yuan (None: no grant) and a member with a token."""
        room, now = self.room, self.room.now_us()
        project = room.create_project(CONSOLE, f"startup {next(self._numbers)}", 100)
        if grant is not None:
            terms = GrantTerms(project.id, self.programme_id, "CNY", grant, now, now + DAY_US, 0)
            room.issue_grant(CONSOLE, terms)
        member = room.create_member(CONSOLE, project.id, "founder", role)
        _, secret = room.create_token(CONSOLE, project.id, member.id, role, "journey", now + DAY_US)
        return Startup(project.id, member.id, secret, Client(self.url, secret), self.http(secret))

    def http(self, token: str | None) -> httpx.Client:
        """A bare HTTP client with this token (None: without one)."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    with running_zone(tmp_path_factory.mktemp("zone")) as found:
        yield found


def running_zone(data: Path, **settings: Any) -> Any:
    """The zone as a context manager, for tests that need settings of their own."""
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[Zone]:
        with embedded(data, slots=2, **settings) as service:
            funder = service.room.create_funder(CONSOLE, "city")
            programme = service.room.create_programme(CONSOLE, "vouchers", [(funder.id, 1)], "CNY", 10**15)
            yield Zone(service, programme.id)

    return opened()


@pytest.fixture
def zone_with(tmp_path: Path) -> Any:
    """A zone with settings of its own, as a context manager."""
    return lambda **settings: running_zone(tmp_path / "zone", **settings)
