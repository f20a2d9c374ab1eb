"""From a work document to a result document on one backend: what a worker's child process calls."""

from __future__ import annotations

from backends import threads  # noqa: F401 - before the libraries it bounds

# isort: split
from backends import aer
from backends.catalogue import catalogue, spec_of
from backends.limits import Limits
from backends.port import Backend, Execution
from backends.rejected import Rejected
from backends.work import decode

__all__ = ["Execution", "backend_of", "execute"]


def execute(work: bytes, backend: str, limits: Limits) -> Execution:
    """Decode and run a work document; the same document with the same seed gives the same bytes.

    Raises `Rejected` for what the sender has to mend (every code of `decode` and `measure`, unknown_backend,
    backend_infeasible), MemoryError when the engine ran out of memory; anything else is a bug.
    """
    return backend_of(backend).run(decode(work, limits), limits)


def backend_of(name: str) -> Backend:
    """The backend of that name; refuses with unknown_backend."""
    spec = spec_of(name)
    if spec is None:
        names = ", ".join(each.name for each in catalogue())
        raise Rejected("unknown_backend", f'there is no backend "{name}"; choose one of {names}', {"backend": name})
    return aer.backend(spec)
