"""Worlds by name."""

from __future__ import annotations

import pytest

from simulation.world import WORLDS, world_named


def test_worlds_are_found_by_name() -> None:
    assert world_named("small") is WORLDS["small"]
    assert [world.name for world in WORLDS.values()] == list(WORLDS)


def test_a_world_nobody_has_named_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(KeyError, match="no world named 'tiny'; there are: small, large"):
        world_named("tiny")


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_every_world_has_several_of_everything_and_calms_down(world: object) -> None:
    small = world_named(getattr(world, "name"))  # noqa: B009
    assert small.projects[0] >= 2
    assert small.jobs[0] >= 20
    assert small.workers[0] >= 2
    assert small.arrivals_us < small.storm_us < small.storm_us + small.patience_us
