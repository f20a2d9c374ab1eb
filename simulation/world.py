"""Worlds by name: how large, how busy, and how hostile. All times in microseconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from scheduler.policy import Policy

SECOND_US = 1_000_000

BACKENDS = ("aer", "aer-mps", "aer-stabilizer")


@dataclass(frozen=True, slots=True)
class World:
    """The ranges a seed draws from. Which of the faults a seed's world knows at all is drawn too: some are calm."""

    name: str
    projects: tuple[int, int]
    jobs: tuple[int, int]
    workers: tuple[int, int]
    slots: tuple[int, int]
    pipeline: tuple[int, int]
    arrivals_us: int
    """Jobs arrive, people cancel and operators meddle until then."""
    storm_us: int
    """Workers die, networks split and the service restarts until then; after it everything heals."""
    patience_us: int
    """Every job must have ended so long after the storm."""
    policy: Policy = field(default_factory=Policy)


_QUICK = Policy(
    half_life_us=7 * SECOND_US,
    lease_us=6 * SECOND_US,
    backoff_us=SECOND_US // 4,
    backoff_max_us=2 * SECOND_US,
    grace_us=SECOND_US // 2,
)

WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        World(
            name="small",
            projects=(2, 4),
            jobs=(20, 60),
            workers=(2, 4),
            slots=(1, 3),
            pipeline=(0, 2),
            arrivals_us=12 * SECOND_US,
            storm_us=18 * SECOND_US,
            patience_us=1_200 * SECOND_US,
            policy=_QUICK,
        ),
        World(
            name="large",
            projects=(5, 20),
            jobs=(300, 800),
            workers=(4, 12),
            slots=(1, 8),
            pipeline=(0, 4),
            arrivals_us=60 * SECOND_US,
            storm_us=90 * SECOND_US,
            patience_us=3_600 * SECOND_US,
            policy=_QUICK,
        ),
    )
}


def world_named(name: str) -> World:
    """The world of this name; KeyError that lists the names there are."""
    world = WORLDS.get(name)
    if world is None:
        raise KeyError(f"no world named {name!r}; there are: {', '.join(WORLDS)}")
    return world
