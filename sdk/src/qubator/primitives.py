"""Qiskit's primitives, version 2, run by the service. Drop-in for StatevectorSampler and StatevectorEstimator."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.primitives.base import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qubator.client import Client
from qubator.options import EstimatorOptions, PrimitiveOptions, SamplerOptions
from qubator.primitive_job import EmptyJob, PrimitiveJob
from qubator.remote_backend import RemoteBackend, find_backend
from qubator.submission import JobTerms, Primitive, encode_pubs, request_body

_default_clients: dict[tuple[int, tuple[str | None, ...]], Client] = {}


def default_client() -> Client:
    """The client made from the environment or the profile file, one per process and setting."""
    words = ("QUBATOR_URL", "QUBATOR_TOKEN", "QUBATOR_PROFILE", "XDG_CONFIG_HOME", "HOME")
    key = (os.getpid(), tuple(os.environ.get(word) for word in words))
    client = _default_clients.get(key)
    return client if client is not None else _default_clients.setdefault(key, Client())


class _Primitive:
    """What both primitives share: the client, the options, and the road of a list of PUBs to a job."""

    _kind: Primitive
    _options: Any

    def __init__(self, client: Client | None, options: PrimitiveOptions) -> None:
        self._client = client
        self._options = options
        self._found: dict[str, RemoteBackend] = {}

    @property
    def client(self) -> Client:
        """The client in use; the default one is made at first use."""
        return self._client if self._client is not None else default_client()

    @property
    def seed(self) -> Any:
        """The seed or generator given."""
        return self._options.seed

    @property
    def backend(self) -> RemoteBackend:
        """The backend to compile for (asks the service once)."""
        name = self._options.backend
        if name not in self._found:
            self._found[name] = find_backend(self.client, name)
        return self._found[name]

    @property
    def _backend(self) -> RemoteBackend:
        return self.backend

    def _run(self, pubs: Sequence[Any]) -> PrimitiveJob:
        if not pubs:
            return EmptyJob()
        options = self._options
        terms = JobTerms(
            seed=_seed_of(options.seed),
            backend=options.backend,
            priority=options.priority,
            tags=options.tags,
            metadata=options.metadata,
            name=options.name,
            time_limit_s=options.time_limit_s,
            max_cost=options.max_cost,
            project=options.project,
        )
        body = request_body(encode_pubs(pubs, self._kind, terms), self._kind, terms)
        job = self.client.submit_body(body)
        return PrimitiveJob(job, [pub.circuit.metadata for pub in pubs])


class SamplerV2(_Primitive, BaseSamplerV2):  # type: ignore[misc]  # qiskit has no types
    """Samples circuits at the service. Shots: those of the PUB, else of the run, else `options.default_shots`.

        sampler = SamplerV2()                      # client from the environment or the profile
        counts = sampler.run([circuit]).result()[0].data.meas.get_counts()

    `run` returns once the service has accepted the job; refusals (bad circuit, no budget) are raised by `run`.
    `backend` and any further option of SamplerOptions can be given as keywords.
    """

    _kind = "sampler"

    def __init__(
        self,
        client: Client | None = None,
        *,
        backend: str = "auto",
        default_shots: int = 1024,
        seed: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(client, SamplerOptions(seed=seed, backend=backend, default_shots=default_shots, **options))

    @property
    def options(self) -> SamplerOptions:
        """The mutable options."""
        options: SamplerOptions = self._options
        return options

    @property
    def default_shots(self) -> int:
        """Shots where neither PUB nor run names any."""
        return self.options.default_shots

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> PrimitiveJob:
        """Submit one job of all `pubs`; an empty list gives an empty result without a call."""
        if isinstance(pubs, QuantumCircuit):
            raise ValueError("a circuit is no list of PUBs: wrap it with `[]` like `sampler.run([circuit])`")
        coerced = [SamplerPub.coerce(pub, self.default_shots if shots is None else shots) for pub in pubs]
        if any(len(pub.circuit.cregs) == 0 for pub in coerced):
            warnings.warn(
                "One of your circuits has no output classical registers and so the result will be empty. "
                "Did you mean to add measurement instructions?",
                UserWarning,
                stacklevel=2,
            )
        return self._run(coerced)


class EstimatorV2(_Primitive, BaseEstimatorV2):  # type: ignore[misc]  # qiskit has no types
    """Expectation values at the service. Precision: that of the PUB, else of the run, else
    `options.default_precision` (0: exact).

        estimator = EstimatorV2()
        value = estimator.run([(circuit, observable, values)]).result()[0].data.evs
    """

    _kind = "estimator"

    def __init__(
        self,
        client: Client | None = None,
        *,
        backend: str = "auto",
        default_precision: float = 0.0,
        seed: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            client, EstimatorOptions(seed=seed, backend=backend, default_precision=default_precision, **options)
        )

    @property
    def options(self) -> EstimatorOptions:
        """The mutable options."""
        options: EstimatorOptions = self._options
        return options

    @property
    def default_precision(self) -> float:
        """Precision where neither PUB nor run names any."""
        return self.options.default_precision

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob:
        """Submit one job of all `pubs`; an empty list gives an empty result without a call."""
        if isinstance(pubs, QuantumCircuit):
            raise ValueError(
                "a circuit is no list of PUBs: wrap it with `[]` like `estimator.run([(circuit, observables)])`"
            )
        chosen = self.default_precision if precision is None else precision
        return self._run([EstimatorPub.coerce(pub, chosen) for pub in pubs])


def _seed_of(seed: Any) -> int | None:
    if seed is None:
        return None
    integers = getattr(seed, "integers", None)
    return int(integers(2**31)) if callable(integers) else int(seed)
