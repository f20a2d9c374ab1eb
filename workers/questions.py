"""The inspector's queue: documents of many callers, dealt out in fair batches, each answered once.

Not thread-safe: the pool holds a lock around it. A document may be dealt out twice (given back because its batch got
stuck, or because the child over it died); the first answer counts.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backends.findings import Findings
from backends.rejected import Rejection

_BATCH_MAX = 64
_BATCH_BYTES_MAX = 4 << 20
_SHARE = 16
"""How many documents of one caller go into a batch before the next caller's turn."""

Asks = Literal["findings", "routes"]


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """{"findings": …, "ideal": …}: what was found, and where the router would run it (backends/route_document.py)."""

    document: Mapping[str, Any]


Answer = Findings | Routes | Rejection


@dataclass(eq=False, slots=True)
class Call:
    """One caller and the documents it waits for."""

    answers: list[Answer | None]
    missing: int
    asks: Asks = "findings"
    waiting: deque[Question] = field(default_factory=deque)
    done: threading.Event = field(default_factory=threading.Event)
    trouble: str | None = None
    """Why it gets no answers."""

    def fail(self, reason: str) -> None:
        """It gets none."""
        self.trouble = reason
        self.done.set()


@dataclass(eq=False, slots=True)
class Question:
    """One document."""

    call: Call
    index: int
    work: bytes
    suspect: bool = False
    """A child died over it; it gets one more try, alone."""
    innocent_deaths: int = 0
    """How many children were lost with it in hand before they began."""

    @property
    def open(self) -> bool:
        """Whether anybody still waits for the answer."""
        return self.call.trouble is None and self.call.answers[self.index] is None


class QuestionQueue:
    """What waits, by caller."""

    def __init__(self, dealers: int) -> None:
        """`dealers`: how many take from it; a batch leaves the others their part."""
        self._dealers = dealers
        self._calls: deque[Call] = deque()
        self._length = 0

    def __len__(self) -> int:
        """Documents that wait; answered ones among them vanish when their turn comes."""
        return self._length

    def ask(self, works: Sequence[bytes], asks: Asks = "findings") -> Call:
        """A new caller at the end of the queue."""
        call = Call([None] * len(works), len(works), asks)
        call.waiting.extend(Question(call, index, work) for index, work in enumerate(works))
        self._calls.append(call)
        self._length += len(works)
        return call

    def take(self) -> list[Question]:
        """The next batch: callers in turn, a fair part of what waits, a suspect always alone."""
        batch: list[Question] = []
        room = _BATCH_BYTES_MAX
        most = min(_BATCH_MAX, -(-self._length // self._dealers))
        while self._calls and len(batch) < most:
            call = self._calls.popleft()
            dealt = self._deal(call, most - len(batch), room, fresh=not batch)
            batch += dealt
            room -= sum(len(question.work) for question in dealt)
            if call.waiting and not dealt:
                self._calls.appendleft(call)  # what comes next there does not fit in; it goes first next time
                break
            if call.waiting:
                self._calls.append(call)
            if batch and batch[-1].suspect:
                break
        return batch

    def give_back(self, questions: Sequence[Question]) -> None:
        """To the front of their callers' queues: they have waited already."""
        for question in reversed(questions):
            call = question.call
            if question.open:
                if not call.waiting:
                    self._calls.appendleft(call)
                call.waiting.appendleft(question)
                self._length += 1

    def settle(self, question: Question, answer: Answer) -> None:
        """The answer to one document; a second one changes nothing."""
        call = question.call
        if question.open:
            call.answers[question.index] = answer
            call.missing -= 1
            if call.missing == 0:
                call.done.set()

    def give_up(self, reason: str) -> None:
        """No answers for anybody who waits here."""
        for call in self._calls:
            call.fail(reason)
        self._calls.clear()
        self._length = 0

    def _deal(self, call: Call, most: int, room: int, *, fresh: bool) -> list[Question]:
        dealt: list[Question] = []
        while call.waiting and len(dealt) < min(most, _SHARE):
            question = call.waiting[0]
            if question.open:
                first = fresh and not dealt
                if not first and (question.suspect or len(question.work) > room):
                    break
                dealt.append(question)
                room -= len(question.work)
            call.waiting.popleft()
            self._length -= 1
            if question.open and question.suspect:
                break
        return dealt
