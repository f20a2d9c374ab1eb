"""The inspector's queue: fair between callers, a suspect alone, one answer each."""

from __future__ import annotations

from backends.rejected import Rejection
from workers.questions import Question, QuestionQueue

NO = Rejection("circuit_invalid", "no", {})


def _works(batch: list[Question]) -> list[bytes]:
    return [question.work for question in batch]


def test_one_caller_is_dealt_out_to_all_children() -> None:
    queue = QuestionQueue(dealers=2)
    queue.ask([b"a", b"b", b"c"])
    assert _works(queue.take()) == [b"a", b"b"]
    assert _works(queue.take()) == [b"c"]
    assert queue.take() == []
    assert len(queue) == 0


def test_a_large_caller_does_not_hold_up_a_small_one() -> None:
    queue = QuestionQueue(dealers=1)
    queue.ask([b"big"] * 1000)
    queue.ask([b"small"])
    batch = _works(queue.take())
    assert len(batch) == 64
    assert batch.index(b"small") == 16
    assert len(queue) == 1001 - 64


def test_a_batch_is_not_too_heavy_and_a_heavy_document_goes_alone() -> None:
    queue = QuestionQueue(dealers=1)
    queue.ask([b"x" * (3 << 20), b"y" * (3 << 20), b"z" * (8 << 20), b"a", b"b"])
    assert [len(work) for work in _works(queue.take())] == [3 << 20]
    assert [len(work) for work in _works(queue.take())] == [3 << 20]
    assert [len(work) for work in _works(queue.take())] == [8 << 20]
    assert _works(queue.take()) == [b"a", b"b"]


def test_a_suspect_is_tried_alone_and_first() -> None:
    queue = QuestionQueue(dealers=1)
    queue.ask([b"a", b"b", b"c", b"d"])
    batch = queue.take()
    batch[1].suspect = True
    queue.give_back(batch[1:])
    assert _works(queue.take()) == [b"b"]
    assert _works(queue.take()) == [b"c", b"d"]


def test_a_suspect_behind_others_waits_for_its_own_batch() -> None:
    queue = QuestionQueue(dealers=1)
    queue.ask([b"a", b"b", b"c"])
    batch = queue.take()
    batch[1].suspect = True
    queue.give_back(batch)
    assert [_works(queue.take()) for _ in range(3)] == [[b"a"], [b"b"], [b"c"]]


def test_a_caller_whose_suspect_did_not_fit_in_comes_first_next_time() -> None:
    queue = QuestionQueue(dealers=1)
    queue.ask([b"a"])
    before = queue.take()
    queue.ask([b"b", b"c"])
    batch = queue.take()
    batch[0].suspect = True
    queue.give_back(batch)
    queue.give_back(before)
    queue.ask([b"x"])
    assert [_works(queue.take()) for _ in range(3)] == [[b"a"], [b"b"], [b"x", b"c"]]


def test_a_caller_that_gets_much_back_has_one_turn_at_a_time() -> None:
    queue = QuestionQueue(dealers=1)
    queue.ask([b"big"] * 64)
    batch = queue.take()
    queue.ask([b"small"])
    queue.give_back(batch)
    assert _works(queue.take()).index(b"small") == 16


def test_the_first_answer_counts_and_the_last_one_wakes_the_caller() -> None:
    queue = QuestionQueue(dealers=1)
    call = queue.ask([b"a", b"b"])
    first, second = queue.take()
    queue.settle(first, NO)
    queue.settle(first, Rejection("other", "other", {}))
    assert not call.done.is_set()
    queue.settle(second, NO)
    assert call.done.is_set()
    assert call.answers == [NO, NO]


def test_what_was_answered_meanwhile_is_not_dealt_again() -> None:
    queue = QuestionQueue(dealers=1)
    call = queue.ask([b"a", b"b", b"c"])
    batch = queue.take()
    queue.give_back(batch[1:])
    queue.settle(batch[1], NO)
    assert _works(queue.take()) == [b"c"]
    queue.give_back(batch[:2])
    assert _works(queue.take()) == [b"a"]
    assert len(queue) == 0
    assert call.missing == 2


def test_giving_up_wakes_everybody_who_waits() -> None:
    queue = QuestionQueue(dealers=1)
    calls = [queue.ask([b"a"]), queue.ask([b"b"])]
    queue.give_up("closed")
    assert [(call.trouble, call.done.is_set()) for call in calls] == [("closed", True)] * 2
    assert len(queue) == 0
    assert queue.take() == []
