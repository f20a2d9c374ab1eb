"""Inputs that kill or hang decoders and engines: each ends as a clear refusal, and nobody else notices."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import orjson
import psutil
import pytest

from backends.findings import Findings
from backends.limits import Limits
from backends.rejected import Rejection
from workers.inspector import InspectorPool
from workers.local import LocalExecutor
from workers.port import Failed, Final, Observation, Order, Started, Stopped, Succeeded

BY_THE_POOL = {"decoder_crashed", "decoder_timeout", "decoder_memory"}
GROWTH_BYTES_MAX = 64 << 20
BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q->c;'
GOOD = orjson.dumps(
    {
        "v": 1,
        "primitive": "sampler",
        "circuits": [{"format": "openqasm2", "content": BELL}],
        "pubs": [{"circuit": 0, "parameter_values": None, "shots": 100}],
        "seed": 1,
    }
)


@pytest.fixture(scope="module")
def poison() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "poison.py"
    spec = importlib.util.spec_from_file_location("poison", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def executor(tmp_path: Path, leaves_nothing: None) -> Iterator[LocalExecutor]:
    with LocalExecutor(2, 2, 1024, ("aer",), tmp_path, lambda: time.time_ns() // 1000) as executor:
        yield executor


def _finals(executor: LocalExecutor, count: int) -> dict[str, Final]:
    seen: list[Observation] = []
    deadline = time.monotonic() + 120
    while sum(not isinstance(one, Started) for one in seen) < count:
        assert time.monotonic() < deadline, seen
        seen += executor.observe(1.0)
    return {one.attempt_id: one for one in seen if not isinstance(one, Started)}


def test_every_poison_is_refused_among_good_documents(poison: ModuleType, leaves_nothing: None) -> None:
    inputs = poison.poison_inputs()
    documents = [document for one in inputs.values() for document in (one.work, GOOD)]
    with InspectorPool(2, Limits(), 1024, 2.0) as pool:
        assert pool.ready(60)
        pool.inspect([GOOD])
        before_bytes = psutil.Process().memory_info().rss
        answers = pool.inspect(documents)
        assert psutil.Process().memory_info().rss - before_bytes < GROWTH_BYTES_MAX
        assert pool.ready(10)
        assert all(isinstance(answer, Findings) for answer in pool.inspect([GOOD] * 20))
    assert all(isinstance(answer, Findings) for answer in answers[1::2])
    for (name, one), answer in zip(inputs.items(), answers[::2], strict=True):
        assert isinstance(answer, Rejection), name
        assert answer.code in one.codes | BY_THE_POOL, (name, answer)
        assert len(answer.detail) > 20


def test_poison_that_reaches_a_worker_costs_only_its_own_attempt(poison: ModuleType, executor: LocalExecutor) -> None:
    inputs = [one.work for one in poison.poison_inputs().values()]
    works = [work for one in inputs for work in (one, GOOD)]
    before_bytes = psutil.Process().memory_info().rss
    for number, work in enumerate(works):
        executor.start(Order(f"job{number}/0.1", number, f"job{number}", "aer", work, 2_000_000, 1024))
    finals = _finals(executor, len(works))
    for number, work in enumerate(works):
        final = finals[f"job{number}/0.1"]
        if work is GOOD:
            assert isinstance(final, Succeeded), final
        else:
            # Some of it is measured away by the inspector only, and runs to an end within its time.
            assert isinstance(final, Succeeded) or (isinstance(final, Failed) and final.kind != "fault"), final
    assert psutil.Process().memory_info().rss - before_bytes < GROWTH_BYTES_MAX


def test_work_without_end_is_ended(poison: ModuleType, executor: LocalExecutor) -> None:
    works = list(poison.endless_works().values())
    for number, work in enumerate(works):
        executor.start(Order(f"job{number}/0.1", number, "job", "aer", work, 500_000, 1024))
    limited = _finals(executor, len(works))
    assert [one.kind for one in limited.values() if isinstance(one, Failed)] == ["timeout"] * len(works)
    for number, work in enumerate(works):
        executor.start(again := Order(f"job{number}/0.2", number, "job", "aer", work, 600_000_000, 1024))
        while executor.pid_of(*again.key) is None:
            executor.observe(1.0)
        executor.stop(*again.key)
        [stopped] = _finals(executor, 1).values()
        assert isinstance(stopped, Stopped)
        assert stopped.used_us > 0


def test_work_that_needs_the_whole_machine_gets_its_part(poison: ModuleType, executor: LocalExecutor) -> None:
    for number, work in enumerate(poison.hungry_works().values()):
        executor.start(Order(f"job{number}/0.1", number, "job", "aer-statevector", work, 60_000_000, 512))
    for final in _finals(executor, len(poison.hungry_works())).values():
        assert isinstance(final, Failed)
        assert (final.kind, final.fields) == ("memory", {"memory_mib": 512})
