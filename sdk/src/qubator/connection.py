"""The HTTP road to the service: lazy, kept alive, one pool per process, retried only where a repeat is harmless."""

from __future__ import annotations

import json
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from qubator.errors import QubatorError, Unavailable, from_problem
from qubator.profile import Settings
from qubator.retry import RETRY_STATUSES, RetryPolicy, parse_retry_after

if TYPE_CHECKING:
    import httpx

_SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: its status and its JSON body, or the text of a CSV."""

    status: int
    body: Any


class Connection:
    """Sends requests with the bearer token. Safe to share between threads, and across fork: every process opens its
    own sockets on first use and never touches those it inherited."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeout_s: float = 30.0,
        policy: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        on_wait: Callable[[QubatorError, float], None] | None = None,
    ) -> None:
        self.settings = settings
        self.timeout_s = timeout_s
        self.policy = policy or RetryPolicy()
        self._transport = transport
        # Told before the first pause of a request: why, and for how many seconds at most it will be tried again.
        self.on_wait = on_wait
        self._sleep, self._clock, self._draw = sleep, clock, draw
        # Keyed by process id and filled without a lock: a lock held by another thread at the moment of a fork would
        # stay locked in the child for ever, while dict.setdefault is atomic.
        self._pools: dict[int, httpx.Client] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pools": {}}

    def __deepcopy__(self, memo: dict[int, Any]) -> Connection:
        return self

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: object = None,
        key: str | None = None,
        repeatable: bool | None = None,
        wait_s: float = 0.0,
    ) -> Reply:
        """Send one request and return its answer, or raise the QubatorError it amounts to.

        `body` is JSON-encoded unless it is bytes already. `key` is the Idempotency-Key. `repeatable` says whether a
        request may be sent again when it is unknown if the first was carried out; it defaults to True for safe methods
        and for requests with a key. A request that surely did nothing (refused connection, 429, 503) is always
        retried. `wait_s` is how long the server was asked to hold the answer; it is added to the read time-out.
        """
        import httpx

        may_repeat = repeatable if repeatable is not None else method in _SAFE_METHODS or key is not None
        content = body if isinstance(body, bytes) or body is None else encode_json(body)
        headers = {"Idempotency-Key": key} if key else {}
        if content is not None:
            headers["Content-Type"] = "application/json"
        timeout = httpx.Timeout(self.timeout_s, read=self.timeout_s + wait_s, connect=min(10.0, self.timeout_s))
        failures = 0
        give_up_at = 0.0
        while True:
            retry_after_s = None
            try:
                response = self._pool().request(
                    method, path, params=params, content=content, headers=headers, timeout=timeout
                )
            except httpx.TransportError as error:
                failure: QubatorError = self._unreachable(error)
                never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                again = never_sent or (may_repeat and not isinstance(error, httpx.UnsupportedProtocol))
            else:
                if response.is_success:
                    return Reply(response.status_code, self._decoded(response))
                retry_after_s = parse_retry_after(response.headers.get("Retry-After"))
                failure = self._refusal(response, retry_after_s)
                again = response.status_code in RETRY_STATUSES and (may_repeat or response.status_code in (429, 503))
            failures += 1
            if failures == 1:
                give_up_at = self._clock() + self.policy.total_s
            delay_s = self.delay_s(failures, retry_after_s)
            if not again or self._clock() + delay_s >= give_up_at:
                raise failure
            if failures == 1 and self.on_wait is not None:
                self.on_wait(failure, self.policy.total_s)
            self._sleep(delay_s)

    def lines(self, path: str, last_event_id: int | None = None) -> Iterator[str]:
        """The lines of an event stream as they come, after an event if one is named; once, without a second try."""
        import httpx

        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        try:
            with self._pool().stream("GET", path, headers=headers, timeout=self.timeout_s) as response:
                if not response.is_success:
                    response.read()
                    raise self._refusal(response, parse_retry_after(response.headers.get("Retry-After")))
                yield from response.iter_lines()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def now(self) -> float:
        """The monotonic clock, in seconds."""
        return self._clock()

    def delay_s(self, failures: int, retry_after_s: float | None) -> float:
        """How long to wait after the `failures`-th failure in a row."""
        return self.policy.delay_s(failures, retry_after_s, self._draw)

    def pause(self, delay_s: float) -> None:
        """Sleep for `delay_s` seconds."""
        self._sleep(delay_s)

    def close(self) -> None:
        """Close this process's sockets; a later request opens new ones."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _pool(self) -> httpx.Client:
        pid = os.getpid()
        pool = self._pools.get(pid)
        if pool is not None:
            return pool
        made = self._open()
        pool = self._pools.setdefault(pid, made)
        if pool is not made:
            made.close()
        return pool

    def _open(self) -> httpx.Client:
        import httpx

        from qubator import __version__

        token = self.settings.token
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        # Loading the certificate store takes 20 ms; a plain-text address never needs it (and redirects, which could
        # lead to https, are not followed), so it gets a context that trusts nobody.
        verify: ssl.SSLContext | bool = True
        if self.settings.url.startswith("http://"):
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx.Client(
            base_url=self.settings.url,
            headers={"User-Agent": f"qubator/{__version__}", "Accept": "application/json", **authorization},
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=60.0),
            transport=self._transport,
            verify=verify,
            follow_redirects=False,
        )

    def _unreachable(self, error: Exception) -> Unavailable:
        reason = str(error) or type(error).__name__
        return Unavailable(f"no answer from {self.settings.url}: {reason}", code="unreachable")

    def _decoded(self, response: httpx.Response) -> Any:
        if not response.content:
            return None
        if response.headers.get("Content-Type", "").startswith("text/csv"):
            return response.text
        try:
            return json.loads(response.content)
        except ValueError:
            raise QubatorError(
                f"{self.settings.url} answered, but not with JSON: is this the address of a Qubator service?",
                code="not_a_qubator_service",
                status=response.status_code,
            ) from None

    def _refusal(self, response: httpx.Response, retry_after_s: float | None) -> QubatorError:
        if response.is_redirect:
            target = response.headers.get("Location", "elsewhere")
            return QubatorError(
                f"{self.settings.url} redirects to {target}: use that address instead",
                code="redirected",
                status=response.status_code,
            )
        try:
            problem = json.loads(response.content)
        except ValueError:
            problem = None
        return from_problem(response.status_code, problem, retry_after_s)


def segment(identifier: str) -> str:
    """An id as one segment of a path, whatever somebody typed."""
    return quote(identifier, safe="")


def encode_json(value: object) -> bytes:
    """Compact JSON bytes. Raises ValueError on NaN or infinity, which JSON cannot carry."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
