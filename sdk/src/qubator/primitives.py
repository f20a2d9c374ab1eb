"""Qiskit's primitives, version 2, run by the service. Drop-in for StatevectorSampler and StatevectorEstimator."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.primitives.base import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qubator.client import Client
from qubator.options import EstimatorOptions, PrimitiveOptions, SamplerOptions, in_our_words
from qubator.primitive_job import PrimitiveJob
from qubator.pub_runs import measures_nothing, submit_pubs
from qubator.remote_backend import RemoteBackend, find_backend
from qubator.session import Session
from qubator.submission import Primitive

_default_clients: dict[tuple[int, tuple[str | None, ...]], Client] = {}


def default_client() -> Client:
    """The client made from the environment or the profile file, one per process and setting."""
    words = ("QUBATOR_URL", "QUBATOR_TOKEN", "QUBATOR_PROFILE", "XDG_CONFIG_HOME", "HOME")
    key = (os.getpid(), tuple(os.environ.get(word) for word in words))
    client = _default_clients.get(key)
    return client if client is not None else _default_clients.setdefault(key, Client())


Mode = Client | RemoteBackend | Session
"""Where a primitive may run: at a service, on one of its backends, or in a session."""


class _Primitive:
    """What both primitives share: the client, the options, and the road of a list of PUBs to a job."""

    _kind: Primitive
    _options: Any

    def __init__(self, options: type[PrimitiveOptions], modes: Sequence[object], given: Mapping[str, Any]) -> None:
        self._client: Client | None = None
        self._session: Session | None = None
        self._found: dict[str, RemoteBackend] = {}
        self._options = options()
        for mode in modes:
            self._settle_in(mode)
        self._options.update(**given)

    def _settle_in(self, mode: object) -> None:
        """Take client, backend and session from what was given as the place to run."""
        match mode:
            case None:
                return
            case Client():
                self._client = mode
            case RemoteBackend():
                self._client = mode.client
                self._options.backend = mode.asked
                self._found[mode.asked] = mode
            case Session():
                self._client = mode.client
                self._session = mode
                self._options.backend = mode.backend_name
            case str():
                self._options.backend = mode
            case _:
                raise TypeError(
                    f"{type(mode).__name__} is no place to run: give a qubator Client, one of its backends, "
                    "a Session, or a backend's name"
                )

    @property
    def client(self) -> Client:
        """The client in use; the default one is made at first use."""
        return self._client if self._client is not None else default_client()

    @property
    def mode(self) -> Session | None:
        """The session in use, if any."""
        return self._session

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
        options = self._options
        if self._session is not None:
            self._session.check_open()
            options = replace(options, tags=[*options.tags, self._session.tag])
        return submit_pubs(self.client, self._kind, options, pubs)


class SamplerV2(_Primitive, BaseSamplerV2):  # type: ignore[misc]  # qiskit has no types
    """Samples circuits at the service. Shots: those of the PUB, else of the run, else `options.default_shots`.

        sampler = SamplerV2()                      # client from the environment or the profile
        counts = sampler.run([circuit]).result()[0].data.meas.get_counts()

    `run` returns once the service has accepted the job; refusals (bad circuit, no budget) are raised by `run`.
    `mode` is a Client, a backend of `client.backend()`, or a Session; `backend` such a backend or its name. Options can
    be given as keywords or, as to Qiskit's own primitives, in a mapping `options`.
    """

    _kind = "sampler"

    def __init__(
        self,
        mode: Mode | None = None,
        *,
        backend: RemoteBackend | str | None = None,
        options: Mapping[str, Any] | None = None,
        **further: Any,
    ) -> None:
        super().__init__(SamplerOptions, (mode, backend), {**in_our_words(options), **further})

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
        silent = [pub.circuit for pub in coerced if measures_nothing(pub.circuit)]
        if silent:
            bare = not all(circuit.cregs for circuit in silent)
            warnings.warn(
                f"One of your circuits has no {'output classical registers' if bare else 'measurements'} and so "
                f"{'the result will be empty' if bare else 'all its bits will be 0'}. Did you mean to add measurement "
                "instructions?",
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
        mode: Mode | None = None,
        *,
        backend: RemoteBackend | str | None = None,
        options: Mapping[str, Any] | None = None,
        **further: Any,
    ) -> None:
        super().__init__(EstimatorOptions, (mode, backend), {**in_our_words(options), **further})

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
