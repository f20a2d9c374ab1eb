"""When a worker has room, and what projects are compared by."""

from __future__ import annotations

import pytest

from scheduler.model import Project, Worker


@pytest.mark.parametrize(
    ("slots", "pipeline", "load", "long_load", "room"),
    [
        (2, 0, 1, 1, True),
        (2, 0, 2, 0, False),
        (2, 1, 2, 1, True),  # one slot runs short tasks, another may wait for it
        (2, 1, 2, 2, False),  # both slots are held for long: nothing should wait here
        (2, 1, 3, 0, False),
        (0, 4, 0, 0, False),
    ],
)
def test_a_worker_has_room(slots: int, pipeline: int, load: int, long_load: int, room: bool) -> None:
    worker = Worker("w", slots=slots, pipeline=pipeline, load=load, long_load=long_load)
    assert worker.has_room() is room


def test_projects_are_compared_by_usage_over_weight() -> None:
    assert Project("a", weight=100, score=600).key() == 600
    assert Project("b", weight=300, score=600).key() == 200
