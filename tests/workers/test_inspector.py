"""The pool: many askers, hostile documents, neighbours unharmed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from backends.findings import Findings
from backends.limits import Limits
from backends.rejected import Rejection
from workers.child import Child
from workers.inspector import InspectorPool, InspectorUnavailable
from workers.questions import Answer

Until = Callable[..., bool]
Make = Callable[..., InspectorPool]


@pytest.fixture
def make(oddities: None, leaves_nothing: None) -> Iterator[Make]:
    """Pools with the odd measure; closed afterwards, and nothing of them may be left."""
    pools: list[InspectorPool] = []

    def make(processes: int = 2, *, timeout_s: float = 5.0, measure: str = "oddities:measure") -> InspectorPool:
        pools.append(InspectorPool(processes, Limits(), 256, timeout_s, measure=measure))
        pools[-1].start()
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
        pool.close()


def work(deed: str, **how: Any) -> bytes:
    return orjson.dumps({"do": deed, **how})


def words(answers: list[Answer]) -> list[str]:
    return [answer.code if isinstance(answer, Rejection) else "found" for answer in answers]


GOOD = b""


def test_a_pool_is_warm_before_the_first_question(make: Make) -> None:
    pool = make(2)
    assert pool.ready(30)
    assert len(set(pool.pids())) == 2
    pool.start()
    assert pool.inspect([]) == []
    [findings] = pool.inspect([GOOD])
    assert isinstance(findings, Findings)


def test_answers_come_in_the_order_of_the_questions(make: Make) -> None:
    pool = make(2)
    answers = pool.inspect([GOOD, work("reject"), GOOD] * 100)
    assert words(answers) == ["found", "circuit_invalid", "found"] * 100
    rejection = answers[1]
    assert isinstance(rejection, Rejection)
    assert rejection.fields == {"gate": "foo", "size": "1" + "0" * 30}


def test_it_starts_by_itself_when_asked(oddities: None, leaves_nothing: None) -> None:
    pool = InspectorPool(1, Limits(), 256, measure="oddities:measure")
    assert not pool.ready()
    assert words(pool.inspect([GOOD])) == ["found"]
    pool.close()


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        (work("segfault"), "decoder_crashed"),
        (work("end", code=3), "decoder_crashed"),
        (work("kill", number=9), "decoder_crashed"),
        (work("panic"), "decoder_crashed"),
        (work("raise", words="bug"), "decoder_crashed"),
        (work("say nonsense"), "decoder_crashed"),
        (work("allocate", mib=300), "decoder_memory"),
        (work("abort like cpp"), "decoder_memory"),
        (work("spin"), "decoder_timeout"),
        (work("sleep", s=60), "decoder_timeout"),
    ],
)
def test_a_poisoned_document_is_refused_and_its_neighbours_are_measured(make: Make, deed: bytes, code: str) -> None:
    pool = make(2, timeout_s=0.5)
    assert pool.ready(30)
    answers = pool.inspect([GOOD, GOOD, deed, GOOD, deed, GOOD])
    assert words(answers) == ["found", "found", code, "found", code, "found"]
    rejection = answers[2]
    assert isinstance(rejection, Rejection)
    assert "send" in rejection.detail
    assert pool.ready(10)
    assert words(pool.inspect([GOOD] * 10)) == ["found"] * 10


def test_refusals_name_their_limits(make: Make) -> None:
    pool = make(1, timeout_s=0.25)
    crashed, short, long = pool.inspect([work("segfault"), work("allocate", mib=300), work("spin")])
    assert isinstance(crashed, Rejection)
    assert "SIGSEGV" in crashed.detail
    assert isinstance(short, Rejection)
    assert short.fields == {"memory_mib": 256}
    assert isinstance(long, Rejection)
    assert long.fields == {"timeout_s": 0.25}
    assert "longer than 0.25 s" in long.detail


def test_a_crash_that_does_not_repeat_is_no_refusal(make: Make, tmp_path: Path) -> None:
    pool = make(1)
    assert words(pool.inspect([GOOD, work("die once", mark=str(tmp_path / "died")), GOOD])) == ["found"] * 3


def test_the_time_limit_counts_from_the_start_of_the_document(make: Make) -> None:
    pool = make(1, timeout_s=1.0)
    assert pool.ready(30)
    assert words(pool.inspect([work("sleep", s=0.15)] * 10)) == ["found"] * 10
    began_s = time.monotonic()
    assert words(pool.inspect([work("spin")])) == ["decoder_timeout"]
    assert 1.0 <= time.monotonic() - began_s < 2.0


def test_behind_a_hanging_document_nobody_waits_while_others_are_free(make: Make) -> None:
    pool = make(2, timeout_s=3.0)
    assert pool.ready(30)
    answers: list[Answer] = []
    hanging = threading.Thread(target=lambda: answers.extend(pool.inspect([work("spin"), *[GOOD] * 20])))
    hanging.start()
    began_s = time.monotonic()
    assert words(pool.inspect([GOOD] * 50)) == ["found"] * 50
    assert time.monotonic() - began_s < 2.0
    hanging.join(10)
    assert words(answers) == ["decoder_timeout"] + ["found"] * 20


def test_a_slow_document_is_not_tried_twice_at_once(make: Make, tmp_path: Path) -> None:
    pool = make(2)
    assert pool.ready(30)
    assert words(pool.inspect([work("mark and sleep", folder=str(tmp_path), s=0.6)])) == ["found"]
    assert len(list(tmp_path.iterdir())) == 1


def test_many_threads_ask_at_once_among_crashes(make: Make) -> None:
    pool = make(2)
    assert pool.ready(30)
    poison = work("segfault")
    wrong: list[list[str]] = []

    def ask(number: int) -> None:
        for turn in range(8):
            asked = [GOOD, poison, GOOD, work("reject")] if (number + turn) % 7 == 0 else [GOOD, GOOD, work("reject")]
            right = {GOOD: "found", poison: "decoder_crashed"}
            if words(pool.inspect(asked)) != [right.get(one, "circuit_invalid") for one in asked]:
                wrong.append(words(pool.inspect(asked)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []


def test_idle_children_that_are_killed_are_replaced_unasked(make: Make, until: Until) -> None:
    pool = make(2)
    assert pool.ready(30)
    before = set(pool.pids())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: len(pool.pids()) == 2 and not before & set(pool.pids()))


def test_a_child_frozen_before_it_began_convicts_nobody(make: Make) -> None:
    pool = make(1, timeout_s=0.5)
    assert pool.ready(30)
    os.kill(pool.pids()[0], signal.SIGSTOP)
    assert words(pool.inspect([GOOD] * 3)) == ["found"] * 3


def test_children_that_are_always_lost_before_they_begin_are_an_outage(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Child.post

    def kill_and_post(child: Child, message: bytes) -> None:
        child.kill()
        post(child, message)

    pool = make(2)
    assert pool.ready(30)
    with monkeypatch.context() as patch:
        patch.setattr(Child, "post", kill_and_post)
        with pytest.raises(InspectorUnavailable, match="again and again"):
            pool.inspect([GOOD])
    assert words(pool.inspect([GOOD])) == ["found"]


def test_children_killed_from_outside_cost_nobody_an_answer(make: Make) -> None:
    pool = make(2)
    assert pool.ready(30)
    parent = psutil.Process(pool.pids()[0]).parent()
    assert parent is not None
    for _ in range(3):
        for pid in pool.pids():
            with contextlib.suppress(ProcessLookupError):  # killed a round ago; nobody has called for it since
                os.kill(pid, signal.SIGKILL)
        assert words(pool.inspect([GOOD] * 6)) == ["found"] * 6
    parent.kill()
    assert words(pool.inspect([GOOD] * 6)) == ["found"] * 6


def test_a_child_that_has_grown_is_replaced(make: Make, until: Until) -> None:
    pool = make(1)
    assert pool.ready(30)
    before = pool.pids()
    for _ in range(3):
        pool.inspect([work("grow", mib=100)])
    assert until(lambda: pool.pids() not in ((), before))


def test_without_its_decoders_it_says_so(make: Make) -> None:
    pool = make(1, measure="no_such_module:measure")
    assert not pool.ready(0.05)
    with pytest.raises(InspectorUnavailable, match="No module named 'no_such_module'"):
        pool.inspect([GOOD])


def test_closing_answers_those_who_wait(make: Make) -> None:
    pool = make(1, timeout_s=30)
    assert pool.ready(30)
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            pool.inspect([work("spin"), GOOD])
        except InspectorUnavailable as error:
            raised.append(error)

    waiting = [threading.Thread(target=ask) for _ in range(2)]
    for thread in waiting:
        thread.start()
    began_s = time.monotonic()
    pool.close()
    for thread in waiting:
        thread.join(10)
    assert time.monotonic() - began_s < 3
    assert [str(error) for error in raised] == ["the inspector is closed"] * 2
    with pytest.raises(InspectorUnavailable, match="closed"):
        pool.inspect([GOOD])


def test_closing_while_it_starts_is_quick(oddities: None, leaves_nothing: None) -> None:
    with InspectorPool(2, Limits(), 256) as pool:
        began_s = time.monotonic()
    assert not pool.ready()
    assert time.monotonic() - began_s < 3


@pytest.mark.parametrize(("processes", "memory_mib", "timeout_s"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_impossible_sizes_are_refused(processes: int, memory_mib: int, timeout_s: float) -> None:
    with pytest.raises(ValueError, match="processes"):
        InspectorPool(processes, Limits(), memory_mib, timeout_s)
