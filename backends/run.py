"""From a work document to a result document on one backend: what a worker's child process calls."""

from __future__ import annotations

from backends import threads  # noqa: F401 - before the libraries it bounds

# isort: split
import math
from dataclasses import replace

import orjson

from backends import aer, ideal
from backends.allowance import budget, within
from backends.catalogue import catalogue, spec_of
from backends.limits import Limits
from backends.port import Backend, Execution
from backends.rejected import Rejected
from backends.trust import reference
from backends.trust.oversight import UNWATCHED, Oversight
from backends.trust.shadow import shadows
from backends.trust.watch import installed, watching
from backends.work import decode

__all__ = ["Execution", "backend_of", "execute", "warm_up"]

_BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1];'


def execute(
    work: bytes, backend: str, limits: Limits, oversight: Oversight = UNWATCHED, seconds: float = math.inf
) -> Execution:
    """Decode and run a work document; the same document with the same seed gives the same bytes, watched or not.

    `seconds` is the job's time limit: engines that may give up do so in time for the next one.

    Raises `Rejected` for what the sender has to mend (every code of `decode` and `measure`, unknown_backend,
    backend_infeasible), MemoryError when the engine ran out of memory; anything else is a bug.
    """
    chosen, decoded = backend_of(backend), decode(work, limits)
    if decoded.only_devices and chosen.spec.engine != "device":
        detail = f"{backend} is no device and does not honour {', '.join(decoded.only_devices)}; leave the options out"
        raise Rejected("option_invalid", detail, {"backend": backend, "option": decoded.only_devices[0]})
    with watching(oversight) as watch, within(seconds):
        execution = chosen.run(decoded, limits)
        if not watch.parts:
            return execution
        engines = {**installed(), **reference.unless(oversight.quarantined)}
    return replace(execution, afterwards=lambda: shadows(watch.parts, engines, budget()))


def backend_of(name: str) -> Backend:
    """The backend of that name; refuses with unknown_backend."""
    spec = spec_of(name)
    if spec is None:
        names = ", ".join(each.name for each in catalogue())
        raise Rejected("unknown_backend", f'there is no backend "{name}"; choose one of {names}', {"backend": name})
    if spec.engine == "device":
        # Compilers take a while to load; who never runs on a device never waits for them.
        from backends.devices import backend as devices

        return devices.backend(spec)
    return ideal.backend(spec) if spec.engine == "router" else aer.backend(spec)


def warm_up() -> None:
    """Run one small work of each primitive, so that nobody's first job pays for what libraries load on first use."""
    for primitive, end, pub in (
        ("sampler", " measure q -> c;", {"circuit": 0, "parameter_values": None, "shots": 1}),
        ("estimator", "", {"circuit": 0, "parameter_values": None, "observables": ["ZZ"], "precision": 0.0}),
    ):
        circuit = {"format": "openqasm2", "content": _BELL + end}
        work = {"v": 1, "primitive": primitive, "circuits": [circuit], "pubs": [pub], "seed": 0}
        for name in ("ideal", "aer"):
            execute(orjson.dumps(work), name, Limits())
