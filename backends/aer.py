"""The backends that Aer provides: chooses the method, runs every PUB with its own seed, shapes the result."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backends import engine, results, seeds
from backends.catalogue import BackendSpec
from backends.compiled import compiled
from backends.engine import Method
from backends.estimate import resolve
from backends.estimating import estimate_pub
from backends.findings import CircuitFindings
from backends.limits import Limits
from backends.measure import findings_of, measure, stochastic, trajectories
from backends.port import Execution
from backends.rejected import Rejected
from backends.sampling import sample_pub
from backends.work import Pub, SamplerPub, Work


@dataclass(frozen=True, slots=True)
class AerBackend:
    """One method of Aer, or Aer's choice among them, under a name of the catalogue."""

    spec: BackendSpec

    @property
    def version(self) -> str:
        """Aer's version."""
        return engine.VERSION

    def run(self, work: Work, limits: Limits) -> Execution:
        """Run all PUBs, each with its own seed made from the work's; a pause between two PUBs leaves nothing behind.

        The work is measured first, so what would not end well is refused before it begins.
        """
        measure(work, limits)
        # Processor time, not the clock on the wall: neighbours on the machine must not change the bill.
        started_ns = time.process_time_ns()
        seed = seeds.choose() if work.seed is None else work.seed
        pubs: list[Mapping[str, Any]] = []
        methods: dict[str, None] = {}
        shots = 0
        for position, pub in enumerate(work.pubs):
            part, spent, how = self.part(pub, limits, seeds.of_pub(seed, position), f"PUB {position}")
            methods[how["method"]] = None
            pubs.append(part)
            shots += spent
        metadata = {
            "engine": self.spec.engine,
            "engine_version": self.version,
            "method": "/".join(methods) or self.spec.method,
            "seed": seed,
        }
        qpu_us = max(1, (time.process_time_ns() - started_ns) // 1000)
        return Execution(results.encode(work.primitive, pubs, metadata), qpu_us, shots)

    def part(
        self, pub: Pub, limits: Limits, seed: int, where: str = "the PUB"
    ) -> tuple[Mapping[str, Any], int, dict[str, str]]:
        """One PUB that has been measured: its part of the result, the shots it took, and by which method."""
        found = findings_of(pub.circuit, limits, "the circuit")
        method: Method = resolve(self.spec.method, found)
        if method == "stabilizer" and not found.clifford:
            detail = f"{self.spec.name} runs Clifford circuits only, {where} has other gates; choose another"
            raise Rejected("backend_infeasible", detail, {"backend": self.spec.name})
        made, spent = self._pub(pub, found, method, seed)
        return made, spent, {"engine": self.spec.engine, "engine_version": self.version, "method": method}

    def _pub(self, pub: Pub, found: CircuitFindings, method: Method, seed: int) -> tuple[Mapping[str, Any], int]:
        """One PUB's part of the result, and the shots it took."""
        ready = compiled(pub.circuit, self.spec, method)
        about: dict[str, Any] = {"circuit_metadata": pub.circuit.circuit.metadata or {}}
        if isinstance(pub, SamplerPub):
            sampled = sample_pub(pub, ready, method, seed)
            return results.sampler_pub(sampled, pub.shape, pub.shots, about), math.prod(pub.shape) * pub.shots
        evs = estimate_pub(pub, ready, method, seed)
        stds = np.full(evs.shape, pub.precision)
        spent = 0
        if stochastic(found):
            runs = trajectories(pub.precision)
            about |= {"sampling": "trajectories", "trajectories": runs}
            spent = runs * math.prod(pub.values.shape[:-1])
        elif pub.precision > 0:
            # One value comes back from NumPy as a bare float.
            evs = np.asarray(np.random.default_rng(seed).normal(evs, pub.precision))
            about["sampling"] = "exact value plus Gaussian noise of the target precision"
        else:
            about["sampling"] = "exact value"
        return results.estimator_pub(evs, stds, pub.precision, about), spent


@cache
def backend(spec: BackendSpec) -> AerBackend:
    """The backend of a catalogue entry."""
    return AerBackend(spec)
