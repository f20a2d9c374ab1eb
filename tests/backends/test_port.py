"""What is offered under a name keeps the port's promises."""

from __future__ import annotations

from typing import Any

import pytest

from backends.catalogue import catalogue
from backends.port import Backend, Execution
from backends.run import backend_of


@pytest.mark.parametrize("name", [spec.name for spec in catalogue()])
def test_every_backend_of_the_catalogue_runs_work(desk: Any, name: str) -> None:
    backend: Backend = backend_of(name)
    assert backend.spec.name == name
    assert backend.version
    work = desk.decode(desk.sampler(desk.bell(), {"shots": 100}, seed=3))
    execution = backend.run(work, desk.limits)
    assert isinstance(execution, Execution)
    assert execution.shots == 100
    assert execution.qpu_us > 0
    assert execution.result == backend.run(work, desk.limits).result


def test_an_execution_is_a_value() -> None:
    assert Execution(b"{}", 1, 2) == Execution(b"{}", 1, 2)
    with pytest.raises(AttributeError):
        Execution(b"{}", 1, 2).shots = 3  # type: ignore[misc]
