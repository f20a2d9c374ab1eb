"""The client: submit circuits, follow jobs, see the quota. Opens no socket before the first call."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from qubator import batches
from qubator.connection import Connection, encode_json, segment
from qubator.device_options import (
    CompilationOptions,
    DynamicalDecouplingOptions,
    ResilienceOptions,
    TwirlingOptions,
)
from qubator.errors import QubatorError, Refused
from qubator.events import follow
from qubator.job import Job
from qubator.money import Money
from qubator.operators import Operators, micros
from qubator.profile import resolve
from qubator.quota import Quota
from qubator.quotes import Quote
from qubator.retry import RetryPolicy
from qubator.routes import Route
from qubator.submission import GENERAL, JobTerms, Primitive, Submission

if TYPE_CHECKING:
    import httpx

    from qubator.primitives import EstimatorV2, SamplerV2
    from qubator.remote_backend import RemoteBackend

T = TypeVar("T")
Encode = Callable[[int | None], Mapping[str, Any]]


class Client:
    """One service, one caller. Arguments come before QUBATOR_URL, QUBATOR_TOKEN and QUBATOR_PROFILE, and those before
    the profile file that `qubator login` writes.

    Share it between threads and keep it over a fork: sockets are opened per process, on first use. `timeout_s` bounds
    one try; `retry_for_s` how long failing tries are repeated (0: never). No job is ever submitted twice by a retry.
    `anonymous` allows a client without a token, for what the service tells everybody.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        profile: str | None = None,
        *,
        timeout_s: float = 30.0,
        retry_for_s: float = 60.0,
        anonymous: bool = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            resolve(url, token, profile, anonymous=anonymous),
            timeout_s=timeout_s,
            policy=RetryPolicy(total_s=retry_for_s),
            transport=transport,
        )

        self._qpy_version: int | None = None

    @property
    def url(self) -> str:
        """The service's address."""
        return self._connection.settings.url

    @property
    def connection(self) -> Connection:
        """The road to the service, for calls this class has no word for."""
        return self._connection

    @property
    def operators(self) -> Operators:
        """Administrative calls: projects, members, tokens, funders, programmes, grants."""
        return Operators(self._connection)

    def submit(
        self,
        circuit_or_pubs: Any,
        *,
        primitive: Primitive | None = None,
        shots: int | None = None,
        precision: float | None = None,
        seed: int | None = None,
        backend: str = "auto",
        priority: int = 0,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        name: str | None = None,
        time_limit_s: float | None = None,
        max_cost: int | Money | None = None,
        project: str | None = None,
        category: str = GENERAL,
        quote: str | Quote | None = None,
        noise: bool = True,
        calibration: str | None = None,
        compilation: CompilationOptions | Mapping[str, Any] | None = None,
        dynamical_decoupling: DynamicalDecouplingOptions | Mapping[str, Any] | None = None,
        twirling: TwirlingOptions | Mapping[str, Any] | None = None,
        resilience: ResilienceOptions | Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit one job and return at once.

        `circuit_or_pubs`: a QuantumCircuit, OpenQASM 2 or 3 text, QPY bytes, a Path, a PUB tuple whose first member is
        any of these, or a list of them. `primitive` is found from the PUBs when None (observables or a precision make
        it an estimator). `max_cost` in micro-units: the job is refused when its ceiling is above. `category` is the
        kind of workload that programmes may pay differently for. `quote` is one that was given for just this job: its
        price and terms are honoured until it expires. On devices, `noise` False asks for the ideal twin and
        `calibration` for the figures of a day ("2026-11-20") or "stated"; `compilation`, `dynamical_decoupling`,
        `twirling` and `resilience` say how circuits are compiled and errors mitigated. The same `idempotency_key` with
        the same arguments gives the same job, for ever; by default each call is a new job.

        Raises TypeError or ValueError for what can't be a job, Refused for what the service does not take.
        """
        terms = JobTerms(
            primitive=primitive, shots=shots, precision=precision, seed=seed, backend=backend, priority=priority,
            tags=tags, metadata=metadata or {}, name=name, time_limit_s=time_limit_s, max_cost=max_cost,
            project=project, category=category, quote=quote, noise=noise, calibration=calibration,
            compilation=compilation, dynamical_decoupling=dynamical_decoupling, twirling=twirling,
            resilience=resilience,
        )  # fmt: skip
        submission = _submission(circuit_or_pubs, terms)
        return self.submit_encoded(lambda version: submission.to_json(qpy_version=version), idempotency_key)

    def submit_encoded(self, encode: Encode, idempotency_key: str | None = None) -> Job:
        """Submit the body that `encode` makes for a QPY version (None: Qiskit's default).

        A service older than this Qiskit names the newest version it reads; the body is made anew in that one, now and
        from then on.
        """
        return self._in_readable_qpy(encode, lambda body: self.submit_body(body, idempotency_key))

    def submit_body(self, body: Mapping[str, Any], idempotency_key: str | None = None) -> Job:
        """Submit a ready JobRequest of the HTTP API."""
        reply = self._connection.request("POST", "/v1/jobs", body=body, key=idempotency_key or new_key())
        return Job(self._connection, reply.body)

    @overload
    def submit_many(
        self, submissions: Iterable[Any], *, refusals: Literal["raise"] = ..., idempotency_key: str | None = ...,
        **terms: Any,
    ) -> list[Job]: ...  # fmt: skip
    @overload
    def submit_many(
        self, submissions: Iterable[Any], *, refusals: Literal["return"], idempotency_key: str | None = ...,
        **terms: Any,
    ) -> list[Job | QubatorError]: ...  # fmt: skip
    def submit_many(
        self,
        submissions: Iterable[Any],
        *,
        refusals: Literal["raise", "return"] = "raise",
        idempotency_key: str | None = None,
        **terms: Any,
    ) -> list[Job] | list[Job | QubatorError]:
        """Submit many jobs in few requests; every member is one job.

        Members are `Submission`s with terms of their own, or anything `submit` takes, under the common `terms` (the
        keywords of `submit`). A list as a member is one job of several PUBs. Every job is accepted or refused by
        itself: with refusals="return" the refusal stands at the job's place, else BatchRefused is raised at the end
        and carries the accepted jobs.
        """
        shared = JobTerms(**terms)
        made = (each if isinstance(each, Submission) else _submission(each, shared) for each in submissions)
        outcomes = batches.submit_all(self._connection, made, idempotency_key or new_key())
        return outcomes if refusals == "return" else batches.raise_refusals(outcomes)

    def wait_all(self, jobs: Iterable[Job], timeout: float | None = None, *, progress: bool = False) -> list[Job]:
        """Block until all `jobs` have ended, at most `timeout` seconds (then WaitTimeout)."""
        return batches.wait_all(self._connection, list(jobs), timeout, progress=progress)

    def quote(self, circuit_or_pubs: Any, **terms: Any) -> Quote:
        """What a job would cost, who would pay, and how long it would wait; arguments as in `submit`. Nothing is
        submitted; `client.submit(…, quote=…)` with the same arguments is held to this price while the quote lasts."""
        submission = _submission(circuit_or_pubs, JobTerms(**terms))
        return self._in_readable_qpy(lambda version: submission.to_json(qpy_version=version), self.quote_body)

    def quote_body(self, body: Mapping[str, Any]) -> Quote:
        """The quote of a ready JobRequest of the HTTP API."""
        answer = self._connection.request("POST", "/v1/quotes", body=encode_json(body), repeatable=True).body
        return Quote.from_json(answer)

    def route(self, circuit_or_pubs: Any, **terms: Any) -> Route:
        """Where a job would run, on which engines and for how long; arguments as in `submit`. Nothing is submitted."""
        submission = _submission(circuit_or_pubs, JobTerms(**terms))
        return self._in_readable_qpy(lambda version: submission.to_json(qpy_version=version), self.route_body)

    def route_body(self, body: Mapping[str, Any]) -> Route:
        """The route of a ready JobRequest of the HTTP API."""
        answer = self._connection.request("POST", "/v1/route", body=encode_json(body), repeatable=True).body
        return Route.from_json(answer)

    def job(self, job_id: str) -> Job:
        """One job. Raises NotFound, also for another project's job."""
        return Job(self._connection, self._connection.request("GET", f"/v1/jobs/{segment(job_id)}").body)

    def jobs(
        self,
        *,
        state: str | Sequence[str] | None = None,
        backend: str | None = None,
        tag: str | None = None,
        primitive: Primitive | None = None,
        since: datetime | int | None = None,
        until: datetime | int | None = None,
        project: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Job]:
        """Jobs, newest first, read page by page as you go; at most `limit`. Times: datetime, or µs since 1970."""
        asked = {
            "state": state if state is None or isinstance(state, str) else list(state),
            "backend": backend,
            "tag": tag,
            "primitive": primitive,
            "since_us": micros(since),
            "until_us": micros(until),
            "project": project,
        }
        params: dict[str, Any] = {word: value for word, value in asked.items() if value is not None}
        left = limit
        while left is None or left > 0:
            params["limit"] = 100 if left is None else min(left, 500)
            body = self._connection.request("GET", "/v1/jobs", params=params).body
            for record in body["jobs"]:
                yield Job(self._connection, record)
            params["cursor"] = body.get("next_cursor")
            if params["cursor"] is None:
                return
            left = None if left is None else left - len(body["jobs"])

    def events(self, after: int | None = None) -> Iterator[dict[str, Any]]:
        """What happens to the project's jobs, and warnings that its grants run out, as it happens; without an end.

        Each is the event's data with its name in `event` ("job" or "quota_warning") and its number in `seq`. It begins
        now, or after the event numbered `after` (0: with the first there was). A connection that breaks is made anew.
        """
        return follow(self._connection, after)

    def quota(self, project: str = "me") -> Quota:
        """What is settled, in flight, committed and available, in total and per grant, and how long it will last."""
        return Quota.from_json(self._connection.request("GET", f"/v1/projects/{segment(project)}/balance").body)

    def statement(self, month: str | None = None, *, project: str = "me") -> dict[str, Any]:
        """The account statement of a project, as the service writes it: as of now, or of a month ("2026-11")."""
        return dict(self._connection.request("GET", _statement_path(project, month)).body)

    def statement_csv(self, month: str, *, project: str = "me") -> str:
        """The statement of a month ("2026-11") as CSV."""
        params = {"format": "csv"}
        return str(self._connection.request("GET", _statement_path(project, month), params=params).body)

    def focus(self, month: str, *, version: str = "1.3", project: str = "me") -> str:
        """Cost and usage of a month as CSV in FOCUS, the open specification of FinOps; `version` is 1.2 or 1.3."""
        path = f"/v1/projects/{segment(project)}/focus/{segment(month)}"
        return str(self._connection.request("GET", path, params={"version": version}).body)

    def backends(self) -> list[dict[str, Any]]:
        """All backends with their states and limits."""
        body = self._connection.request("GET", "/v1/backends").body
        return list(body["backends"] if isinstance(body, Mapping) else body)

    def backend_record(self, name: str, *, calibration: str | None = None) -> dict[str, Any]:
        """What the service says of one backend; of a device with all its figures, as of today, of a day
        ("2026-11-20"), or "stated"."""
        params = {} if calibration is None else {"calibration": calibration}
        return dict(self._connection.request("GET", f"/v1/backends/{segment(name)}", params=params).body)

    def backend(self, name: str = "auto") -> RemoteBackend:
        """One backend as Qiskit's BackendV2: to compile for, to run on, to give to a primitive. "auto" leaves the
        choice to the service, job by job. Raises LookupError when there is none of that name."""
        from qubator.remote_backend import find_backend

        return find_backend(self, name)

    def ledger_key(self) -> str:
        """The public keys that sign the ledger, as a file: keep it, and receipts can be checked offline."""
        return str(self.connection.request("GET", "/v1/ledger/key").body["text"])

    def me(self) -> dict[str, Any]:
        """Who this token is."""
        return dict(self._connection.request("GET", "/v1/me").body)

    def service_version(self) -> dict[str, Any]:
        """The service's version."""
        return dict(self._connection.request("GET", "/v1/version").body)

    def sampler(self, **options: Any) -> SamplerV2:
        """A SamplerV2 on this client; keywords as in SamplerV2."""
        from qubator.primitives import SamplerV2

        return SamplerV2(self, **options)

    def estimator(self, **options: Any) -> EstimatorV2:
        """An EstimatorV2 on this client; keywords as in EstimatorV2."""
        from qubator.primitives import EstimatorV2

        return EstimatorV2(self, **options)

    def _in_readable_qpy(self, encode: Encode, send: Callable[[Mapping[str, Any]], T]) -> T:
        try:
            return send(encode(self._qpy_version))
        except Refused as refusal:
            newest = refusal.fields.get("version_max")
            if refusal.code != "payload_unsupported" or not isinstance(newest, int) or newest == self._qpy_version:
                raise
            self._qpy_version = newest
        return send(encode(newest))

    def close(self) -> None:
        """Close this process's sockets; a later call opens new ones."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Client:
        return self

    def __repr__(self) -> str:
        return f"<qubator.Client {self.url}>"


def new_key() -> str:
    """A fresh Idempotency-Key."""
    return uuid.uuid4().hex


def _statement_path(project: str, month: str | None) -> str:
    home = f"/v1/projects/{segment(project)}"
    return f"{home}/statement" if month is None else f"{home}/statements/{segment(month)}"


def _submission(circuit_or_pubs: Any, terms: JobTerms) -> Submission:
    if isinstance(circuit_or_pubs, Submission):
        return circuit_or_pubs
    return Submission(circuit_or_pubs, **{word: getattr(terms, word) for word in JobTerms.__dataclass_fields__})
