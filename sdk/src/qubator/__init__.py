"""Qubator client: run circuits on an incubation zone's shared backends, and see what they cost.

    from qubator import Client, SamplerV2, EstimatorV2

Names are loaded on first use: `import qubator` alone reads neither Qiskit nor the HTTP stack.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qubator.client import Client
    from qubator.errors import (
        AuthError,
        BatchRefused,
        Conflict,
        JobCancelled,
        JobFailed,
        NotConfigured,
        NotFound,
        QubatorError,
        RateLimited,
        Refused,
        Unavailable,
        WaitTimeout,
    )
    from qubator.job import Job
    from qubator.money import Money
    from qubator.primitives import EstimatorV2, SamplerV2
    from qubator.quota import Quota
    from qubator.quotes import Quote
    from qubator.remote_backend import RemoteBackend
    from qubator.routes import Route
    from qubator.session import Batch, Session
    from qubator.submission import Submission

__version__ = "0.1.0"

_HOMES = {
    "Client": "client",
    "Job": "job",
    "Money": "money",
    "Quota": "quota",
    "Quote": "quotes",
    "Route": "routes",
    "Batch": "session",
    "RemoteBackend": "remote_backend",
    "Session": "session",
    "Submission": "submission",
    "SamplerV2": "primitives",
    "EstimatorV2": "primitives",
    "QubatorError": "errors",
    "AuthError": "errors",
    "BatchRefused": "errors",
    "Conflict": "errors",
    "JobCancelled": "errors",
    "JobFailed": "errors",
    "NotConfigured": "errors",
    "NotFound": "errors",
    "RateLimited": "errors",
    "Refused": "errors",
    "Unavailable": "errors",
    "WaitTimeout": "errors",
}

__all__ = [
    "AuthError",
    "Batch",
    "BatchRefused",
    "Client",
    "Conflict",
    "EstimatorV2",
    "Job",
    "JobCancelled",
    "JobFailed",
    "Money",
    "NotConfigured",
    "NotFound",
    "QubatorError",
    "Quota",
    "Quote",
    "RateLimited",
    "Refused",
    "RemoteBackend",
    "Route",
    "SamplerV2",
    "Session",
    "Submission",
    "Unavailable",
    "WaitTimeout",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'qubator' has no attribute {name!r}")
    found = getattr(import_module(f"qubator.{home}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
