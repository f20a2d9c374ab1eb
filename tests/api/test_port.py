"""The room that the HTTP face asks for is the room there is."""

from __future__ import annotations

import inspect
import typing

import pytest

from api.port import RoomPort
from dispatcher.room import Room

ASKED = sorted(name for name in dir(RoomPort) if not name.startswith("_"))


def test_the_port_asks_for_something() -> None:
    assert len(ASKED) > 30


@pytest.mark.parametrize("name", ASKED)
def test_the_room_has_what_the_port_asks_for(name: str) -> None:
    asked, found = inspect.getattr_static(RoomPort, name), inspect.getattr_static(Room, name)
    if isinstance(asked, property):
        assert isinstance(found, property)
        return
    wanted = list(inspect.signature(asked).parameters.values())
    offered = list(inspect.signature(found).parameters.values())
    assert [parameter.name for parameter in offered][: len(wanted)].count("self") == 1
    assert len(offered) >= len(wanted)
    assert all(extra.default is not inspect.Parameter.empty for extra in offered[len(wanted) :])


def test_mypy_can_be_told_so() -> None:
    """Checked when the service is: a Room is passed where a RoomPort is wanted."""
    from api.app import create_app

    assert typing.get_type_hints(create_app)["room"] is RoomPort
