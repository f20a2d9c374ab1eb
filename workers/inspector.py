"""The inspector: payloads are decoded and measured in warm, capped children, never in the process that asks.

Many threads may ask at once. Each child has a thread of its own here that hands it batches and waits; a child that dies
or hangs takes nothing with it but the document it was at, and that one is refused.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from backends.findings import Findings
from backends.limits import Limits
from backends.rejected import Rejection
from workers import frames
from workers.child import Child, ForkServer, cause_of_death
from workers.frames import Frame
from workers.questions import Answer, Asks, Question, QuestionQueue, Routes

logger = logging.getLogger(__name__)

_FRAME_BYTES_MAX = 16 << 20
_GROWTH_BYTES_MAX = 256 << 20
_BIRTH_S_MAX = 120.0
_BACKOFF_S = (0.05, 0.2, 1.0, 5.0)
_MISBIRTHS_MAX = 3
_INNOCENT_DEATHS_MAX = 8
_TURN_S = 0.2
_IDLE_S = 1.0
"""How often a child without work is looked at: it may have been killed."""
_SLOW_S = 0.2
_ALIKE_BYTES_MAX = 1024
"""Longer findings, of many circuits, are not remembered."""


class InspectorUnavailable(Exception):  # noqa: N818 - the state, as callers report it
    """No child can be had, or the pool is closed: nothing is known about the work."""


@dataclass(slots=True)
class _Measurer:
    """One warm child: what it weighed when it was born."""

    child: Child
    pid: int
    weight_bytes: int


@dataclass(slots=True)
class _Turn:
    """One batch at a child: what is not answered yet, the first of it at work since `began_s`."""

    open: deque[Question]
    began_s: float
    begun: bool = False
    """The child has the batch in hand. Before that, whatever happens to it is no document's doing."""
    shared: bool = False
    """The others have gone back to the queue."""


class InspectorPool:
    """`processes` children that measure works. See `inspect`."""

    def __init__(
        self,
        processes: int,
        limits: Limits,
        memory_mib: int,
        timeout_s: float = 5.0,
        *,
        planned: tuple[int, float] = (4096, 60.0),
        measure: str = "workers.measurer:measure_work",
    ) -> None:
        """`memory_mib`: what one document may take; `timeout_s`: how long, from its own start. `planned`: the memory
        (MiB) and time (s) that a job has. `measure`: import path of (work, limits, budget) -> Findings, for a child.
        """
        if processes < 1 or memory_mib < 1 or timeout_s <= 0:
            raise ValueError(f"processes {processes}, memory {memory_mib} MiB, timeout {timeout_s} s")
        self._processes = processes
        self._memory_mib = memory_mib
        self._timeout_s = timeout_s
        self._options = {
            "measure": measure,
            "limits": limits.to_json(),
            "memory_mib": memory_mib,
            "planned": planned,
            "timeout_s": timeout_s,
            "slow_s": _SLOW_S,
        }
        self._server = ForkServer((measure.partition(":")[0], "workers.measurer"))
        self._changed = threading.Condition()
        self._queue = QuestionQueue(processes)
        self._warm: dict[int, int] = {}
        self._misbirths = 0
        self._threads: list[threading.Thread] = []
        self._closing = False

    def start(self) -> None:
        """Start the children; returns at once. May be repeated."""
        with self._changed:
            if self._threads or self._closing:
                return
            self._threads = [
                threading.Thread(target=self._attend, args=(number,), name=f"inspector-{number}", daemon=True)
                for number in range(self._processes)
            ]
            for thread in self._threads:
                thread.start()

    def ready(self, timeout_s: float = 0.0) -> bool:
        """Whether every child is warm; waits up to `timeout_s` for it."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._warm) >= self._processes, timeout_s)

    def pids(self) -> tuple[int, ...]:
        """The children that are warm."""
        with self._changed:
            return tuple(self._warm.values())

    def inspect(self, works: Sequence[bytes]) -> list[Findings | Rejection]:
        """Findings or a rejection for each work, in order. Blocks; may be called from many threads.

        Besides the decoders' own: decoder_crashed, decoder_timeout, decoder_memory. Raises InspectorUnavailable.
        """
        return [answer for answer in self._asked(works, "findings") if not isinstance(answer, Routes)]

    def routes(self, work: bytes) -> Routes | Rejection:
        """Where the router would run a work's circuits, or a rejection. As `inspect`."""
        (answer,) = self._asked([work], "routes")
        assert not isinstance(answer, Findings)
        return answer

    def _asked(self, works: Sequence[bytes], asks: Asks) -> list[Answer]:
        if not works:
            return []
        self.start()
        with self._changed:
            if self._closing:
                raise InspectorUnavailable("the inspector is closed")
            call = self._queue.ask(works, asks)
            self._changed.notify_all()
        while not call.done.wait(_TURN_S * 5):
            if not all(thread.is_alive() for thread in self._threads):
                raise InspectorUnavailable("the inspector has broken down")
        if call.trouble is not None:
            raise InspectorUnavailable(call.trouble)
        return [answer for answer in call.answers if answer is not None]

    def close(self) -> None:
        """End every child; calls that wait raise InspectorUnavailable. Returns when all is gone. May be repeated."""
        with self._changed:
            self._closing = True
            self._queue.give_up("the inspector is closed")
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._server.close()

    def __enter__(self) -> InspectorPool:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # One thread per child.

    def _attend(self, number: int) -> None:
        measurer: _Measurer | None = None
        while not self._closing:
            measurer = measurer or self._birth(number)
            if measurer is None:
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._closing or len(self._queue) > 0, _IDLE_S)
                batch = self._queue.take()
            stays = self._ask(measurer, batch) if batch else measurer.child.receive() is not None
            if not stays:
                self._bury(number, measurer)
                measurer = None
        if measurer is not None:
            self._bury(number, measurer)

    def _birth(self, number: int) -> _Measurer | None:
        try:
            child = self._server.spawn(
                "workers.measurer:run", self._options, file_bytes_max=0, frame_bytes_max=_FRAME_BYTES_MAX
            )
        except OSError as error:
            self._misbirth(str(error))
            return None
        hello = self._hello(child)
        if hello is None:
            child.close()
            self._server.exit_code(0, 0)  # hears why the server could not start, if that is it
            self._misbirth(self._server.failure or "the inspector's processes end before they are ready")
            return None
        child.met(hello.header["pid"])
        with self._changed:
            self._misbirths = 0
            self._warm[number] = hello.header["pid"]
            self._changed.notify_all()
        return _Measurer(child, hello.header["pid"], hello.header["rss"])

    def _hello(self, child: Child) -> Frame | None:
        deadline = time.monotonic() + _BIRTH_S_MAX
        while not self._closing and time.monotonic() < deadline:
            _wait(child, _TURN_S)
            arrived = child.receive()
            if arrived is None:
                return None
            for frame in arrived:
                return frame
        return None

    def _misbirth(self, reason: str) -> None:
        with self._changed:
            self._misbirths += 1
            rounds = self._misbirths // self._processes
            if rounds >= _MISBIRTHS_MAX and not self._warm:
                logger.error("the inspector is unavailable: %s", reason)
                self._queue.give_up(f"the inspector is unavailable: {reason}")
            self._changed.wait_for(lambda: self._closing, _BACKOFF_S[min(rounds, len(_BACKOFF_S) - 1)])

    def _bury(self, number: int, measurer: _Measurer) -> None:
        measurer.child.kill()
        measurer.child.close()
        with self._changed:
            self._warm.pop(number, None)

    # One batch.

    def _ask(self, measurer: _Measurer, batch: list[Question]) -> bool:
        """Have the batch answered; False when the child must be replaced. What it leaves goes back to the queue."""
        lengths = [len(question.work) for question in batch]
        works = b"".join(question.work for question in batch)
        asks = [question.call.asks for question in batch]
        measurer.child.post(frames.encode({"is": "batch", "lengths": lengths, "asks": asks}, works))
        turn = _Turn(deque(batch), time.monotonic())
        while not self._closing:
            spent_s = time.monotonic() - turn.began_s
            if spent_s >= self._timeout_s:
                if turn.begun:
                    self._refuse(turn, self._timed_out())
                else:
                    self._acquit(turn)
                return False
            if spent_s >= _SLOW_S:
                self._share(turn)
            _wait(measurer.child, (self._timeout_s if turn.shared else _SLOW_S) - spent_s)
            arrived = measurer.child.receive()
            if arrived is None:
                self._died(measurer, turn)
                return False
            for frame in arrived:
                goes_on = self._believe(measurer, turn, frame)
                if goes_on is not None:
                    return goes_on
        with self._changed:
            for question in turn.open:
                question.call.fail("the inspector is closed")
        return False

    def _believe(self, measurer: _Measurer, turn: _Turn, frame: Frame) -> bool | None:
        """One frame of the child: None to go on listening, else whether the child can stay after this batch."""
        header = frame.header
        if header["is"] == "begun":
            turn.begun, turn.began_s = True, time.monotonic()
            return None
        if header["is"] == "end":
            self._share(turn, all_of_it=True)
            rss = header.get("rss")
            return isinstance(rss, int) and rss <= measurer.weight_bytes + _GROWTH_BYTES_MAX
        answer = self._read(frame, turn.open[0].call.asks) if turn.open else None
        if answer is None:
            self._refuse(turn, self._crashed("it answered nonsense"))
            return False
        self._settle(turn.open.popleft(), answer)
        turn.began_s = time.monotonic()
        if header["is"] in ("found", "rejected"):
            return None
        self._share(turn, all_of_it=True)
        return False

    def _read(self, frame: Frame, asks: Asks) -> Answer | None:
        header = frame.header
        try:
            match header["is"]:
                case "found" if asks == "routes":
                    return Routes(orjson.loads(frame.body))
                case "found":
                    return (_alike if len(frame.body) <= _ALIKE_BYTES_MAX else _findings)(frame.body)
                case "rejected":
                    return Rejection(str(header["code"]), str(header["detail"]), dict(header["fields"]))
                case "memory":
                    return self._out_of_memory()
                case "broke":
                    return self._crashed(str(header["reason"]))
        except (LookupError, TypeError, ValueError):
            pass
        return None

    def _died(self, measurer: _Measurer, turn: _Turn) -> None:
        code = self._server.exit_code(measurer.pid, 0.2)
        measurer.child.receive_errors()
        death = cause_of_death(code, measurer.child.error_tail)
        printed = measurer.child.error_tail.decode("utf-8", "replace").strip()
        logger.warning("inspector process %s: %s%s", measurer.pid, death.reason, f"\n{printed}" if printed else "")
        if not turn.begun:
            self._acquit(turn)
        elif death.kind == "memory":
            self._refuse(turn, self._out_of_memory())
        elif death.kind == "cpu":
            self._refuse(turn, self._timed_out())
        elif turn.open and not turn.open[0].suspect:
            turn.open[0].suspect = True
            with self._changed:
                self._queue.give_back([turn.open.popleft()])
            self._share(turn, all_of_it=True)
        else:
            self._refuse(turn, self._crashed(death.reason))

    def _acquit(self, turn: _Turn) -> None:
        """The child was lost before it looked at any document; they go to another one, but not for ever."""
        first = turn.open.popleft()
        self._share(turn, all_of_it=True)
        first.innocent_deaths += 1
        with self._changed:
            if first.innocent_deaths > _INNOCENT_DEATHS_MAX:
                first.call.fail("the inspector's processes are lost again and again before they begin")
            self._queue.give_back([first])
            self._changed.notify_all()

    def _refuse(self, turn: _Turn, rejection: Rejection) -> None:
        """The document at work is the culprit; the others are innocent."""
        if turn.open:
            self._settle(turn.open.popleft(), rejection)
        self._share(turn, all_of_it=True)

    def _share(self, turn: _Turn, *, all_of_it: bool = False) -> None:
        """Leave what has not begun to the other children; the present one may still answer it first."""
        if not turn.shared:
            turn.shared = True
            with self._changed:
                self._queue.give_back(list(turn.open)[0 if all_of_it else 1 :])
                self._changed.notify_all()

    def _settle(self, question: Question, answer: Answer) -> None:
        with self._changed:
            self._queue.settle(question, answer)

    # Its own refusals.

    def _timed_out(self) -> Rejection:
        detail = (
            f"decoding this work took longer than {self._timeout_s:g} s; send smaller circuits, or fewer at a time, "
            "without deeply nested definitions"
        )
        return Rejection("decoder_timeout", detail, {"timeout_s": self._timeout_s})

    def _out_of_memory(self) -> Rejection:
        detail = (
            f"decoding this work needed more than {self._memory_mib} MiB of memory; send smaller circuits, or fewer "
            "at a time, without deeply nested definitions"
        )
        return Rejection("decoder_memory", detail, {"memory_mib": self._memory_mib})

    def _crashed(self, reason: str) -> Rejection:
        detail = (
            f"the decoder crashed on this work ({reason}); it is damaged, or nested deeper than the decoder bears. "
            "Load it with the library that wrote it, simplify it and send it again"
        )
        return Rejection("decoder_crashed", detail, {})


def _findings(body: bytes) -> Findings:
    return Findings.from_json(orjson.loads(body))


# The jobs of a batch are often alike but for their angles, and then so is what is found.
_alike = lru_cache(maxsize=1024)(_findings)


def _wait(child: Child, timeout_s: float) -> None:
    """Until the child has something to say, at most for a moment: the pool may be closing."""
    poll = select.poll()
    poll.register(child.connection, select.POLLIN | (select.POLLOUT if child.unsent else 0))
    if child.errors >= 0:
        poll.register(child.errors, select.POLLIN)
    poll.poll(min(max(0.0, timeout_s), _TURN_S) * 1000)
    child.receive_errors()
    child.flush()
