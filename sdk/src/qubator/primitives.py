"""Qiskit's primitives, version 2, run by the service. Drop-in for StatevectorSampler and StatevectorEstimator."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.primitives.base import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers import BitArray, DataBin, SamplerPubResult
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

    def _run(self, pubs: Sequence[Any], settled: Mapping[int, Any] | None = None) -> PrimitiveJob:
        if not pubs:
            return EmptyJob(list((settled or {}).values()))
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
            category=options.category,
        )
        kind = self._kind
        job = self.client.submit_encoded(lambda qpy: request_body(encode_pubs(pubs, kind, terms, qpy), kind, terms))
        return PrimitiveJob(job, [pub.circuit.metadata for pub in pubs], settled)


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
            raise ValueError(
                f"An invalid Sampler pub-like was given ({type(pubs)}). If you want to run a single circuit, you need "
                "to wrap it with `[]` like `sampler.run([circuit])` instead of `sampler.run(circuit)`."
            )
        coerced = [SamplerPub.coerce(pub, self.default_shots if shots is None else shots) for pub in pubs]
        settled = {place: _unmeasured(pub) for place, pub in enumerate(coerced) if measures_nothing(pub.circuit)}
        if settled:
            bare = any(not coerced[place].circuit.cregs for place in settled)
            warnings.warn(
                f"One of your circuits has no {'output classical registers' if bare else 'measurements'} and so "
                f"{'the result will be empty' if bare else 'all its bits will be 0'}. Did you mean to add measurement "
                "instructions?",
                UserWarning,
                stacklevel=2,
            )
        return self._run([pub for place, pub in enumerate(coerced) if place not in settled], settled)


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
                f"An invalid Estimator pub-like was given ({type(pubs)}). If you want to run a single pub, you need "
                "to wrap it with `[]` like `estimator.run([(circuit, observables, param_values)])`."
            )
        chosen = self.default_precision if precision is None else precision
        return self._run([EstimatorPub.coerce(pub, chosen) for pub in pubs])


def measures_nothing(circuit: QuantumCircuit) -> bool:
    """Whether no instruction of the circuit can set a classical bit: there is nothing to run for a sampler."""
    if not circuit.cregs:
        return True
    if "measure" in circuit.count_ops():
        return False
    return all(not each.clbits and not each.is_control_flow() and each.name != "store" for each in circuit.data)


def _unmeasured(pub: SamplerPub) -> SamplerPubResult:
    bits = {
        register.name: BitArray(np.zeros((*pub.shape, pub.shots, -(-register.size // 8)), np.uint8), register.size)
        for register in pub.circuit.cregs
    }
    metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
    return SamplerPubResult(DataBin(**bits, shape=pub.shape), metadata=metadata)


def _seed_of(seed: Any) -> int | None:
    if seed is None:
        return None
    integers = getattr(seed, "integers", None)
    return int(integers(2**31)) if callable(integers) else int(seed)
