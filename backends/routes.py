"""What the backend `ideal` would do with decoded work: for every PUB the parts that are left of its circuit, and where
each would run. Nothing is run; about 20 µs an operation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from backends import sweep
from backends.engines.port import Budget, Engine
from backends.findings import CircuitFindings, Findings
from backends.ideal import WHOLE_UP_TO, template_for
from backends.limits import Limits
from backends.measure import findings_of, stochastic
from backends.paulis import pauli_of
from backends.program import Program, Unflat
from backends.reductions import factors
from backends.rejected import Rejected
from backends.router.foretelling import Foretold, foretell
from backends.router.simplest import forms
from backends.trust.watch import installed
from backends.work import EstimatorPub, Pub, SamplerPub, Work

LOOKED_AT = 40_000
"""Operations: of longer work no routes are told, for looking would take longer than a second."""
_CONES_LOOKED_AT = 16
_DENSE = ("statevector", "qulacs")
_MICRO = 1_000_000
_LONGEST_US = 10**15


@dataclass(frozen=True, slots=True)
class PartRoute:
    """A part, and how often just it is run (in one go, for parameter sets and equal parts)."""

    times: int
    foretold: Foretold


@dataclass(frozen=True, slots=True)
class PubRoute:
    """How a PUB would run: by the "router", by the "sweep" of many small states, or by "aer", which `why` explains.

    Parts are those of the first parameter set. `seconds` are expected, for all sets and terms; infinite where nothing
    is expected to run it. Without parts nothing needs to be simulated.
    """

    circuit: int
    by: str
    why: str = ""
    reductions: tuple[str, ...] = ()
    parts: tuple[PartRoute, ...] = ()
    sets: int = 1
    seconds: float = 0.0

    @property
    def memory_bytes(self) -> int:
        """Below this no engine can run some part."""
        return max((part.foretold.memory_bytes for part in self.parts), default=0)

    @property
    def sure(self) -> bool:
        """Whether every part has an engine that surely answers."""
        return all(part.foretold.sure for part in self.parts)


def routes_of(work: Work, limits: Limits, budget: Budget) -> tuple[PubRoute, ...] | None:
    """One route for every PUB, in order; None for work that is too long to be looked at."""
    index = {id(circuit): number for number, circuit in enumerate(work.circuits)}
    operations = [findings_of(circuit, limits, "the circuit").operations for circuit in work.circuits]
    if sum(operations[index[id(pub.circuit)]] for pub in work.pubs) > LOOKED_AT:
        return None
    known: dict[tuple[int, int, int], PubRoute] = {}
    routes = []
    for pub in work.pubs:
        number = index[id(pub.circuit)]
        # PUBs of one circuit that differ in their angles alone take the same way.
        alike = (number, pub.shots, math.prod(pub.shape)) if isinstance(pub, SamplerPub) else None
        route = known.get(alike) if alike else None
        if route is None:
            route = _route(pub, number, limits, budget)
            if alike:
                known[alike] = route
        routes.append(route)
    return tuple(routes)


def routed(findings: Findings, routes: tuple[PubRoute, ...] | None) -> Findings:
    """The findings with what the routes tell of each circuit; as they are where there are none."""
    if routes is None:
        return findings
    circuits = list(findings.circuits)
    for route in routes:
        if route.by == "router":
            circuits[route.circuit] = _with(circuits[route.circuit], route)
    return replace(findings, circuits=tuple(circuits))


def _with(found: CircuitFindings, route: PubRoute) -> CircuitFindings:
    seconds = route.seconds if math.isfinite(route.seconds) else _LONGEST_US / _MICRO
    return replace(
        found,
        routed_us=min(_LONGEST_US, found.routed_us + max(1, round(seconds * _MICRO))),
        routed_mib=max(found.routed_mib, -(-route.memory_bytes >> 20)),
        unsure=found.unsure or not route.sure,
    )


def _route(pub: Pub, circuit: int, limits: Limits, budget: Budget) -> PubRoute:
    try:
        written = template_for(pub.circuit)
    except Rejected as no:
        return PubRoute(circuit, "aer", no.detail)
    if isinstance(written, Unflat):
        return PubRoute(circuit, "aer", written.reason)
    if isinstance(pub, EstimatorPub) and stochastic(findings_of(pub.circuit, limits, "the circuit")):
        return PubRoute(circuit, "aer", "its state is random: values are averaged over runs")
    sets = math.prod(pub.shape if isinstance(pub, SamplerPub) else pub.values.shape[:-1])
    if sweep.takes(written, sets):
        return PubRoute(circuit, "sweep", "many parameter sets of few qubits run as one array", sets=sets)
    if not sets:
        return PubRoute(circuit, "router", sets=0)
    engines = installed()
    program = next(written.programs(pub.values.reshape(sets, pub.values.shape[-1])[:1]))
    repeats = sets if written.binding.places else 1
    if isinstance(pub, SamplerPub):
        route = _sampled(program, pub.shots * (sets // repeats), engines, budget)
    else:
        route = _estimated(program, pub, engines, budget)
    return replace(route, circuit=circuit, sets=sets, seconds=route.seconds * repeats)


def _sampled(program: Program, shots: int, engines: Mapping[str, Engine], budget: Budget) -> PubRoute:
    reduced = forms(program, shots, engines, budget)[0]
    counts: dict[Program, int] = {}
    for part in reduced.parts:
        counts[part.program] = counts.get(part.program, 0) + 1
    parts = [PartRoute(times, foretell(one, shots * times, engines, budget)) for one, times in counts.items()]
    seconds = sum(part.foretold.seconds for part in parts)
    return PubRoute(0, "router", reductions=reduced.steps, parts=tuple(parts), seconds=seconds)


def _estimated(program: Program, pub: EstimatorPub, engines: Mapping[str, Engine], budget: Budget) -> PubRoute:
    """By the light cones of the terms where these are small, as a run would, else whole."""
    labels = pub.observables.labels
    if program.qubits > WHOLE_UP_TO and labels:
        looked_at = labels[:: -(-len(labels) // _CONES_LOOKED_AT)]
        counts: dict[Program, int] = {}
        for label in looked_at:
            for one in factors(program, pauli_of(label))[1]:
                counts[one.program] = counts.get(one.program, 0) + 1
        if max((one.qubits for one in counts), default=0) <= program.qubits // 2:
            parts = [PartRoute(times, foretell(one, 1, engines, budget)) for one, times in counts.items()]
            seconds = sum(part.foretold.seconds for part in parts) * len(labels) / len(looked_at)
            return PubRoute(0, "router", reductions=("light cone of each term",), parts=tuple(parts), seconds=seconds)
    whole = foretell(program, 1, engines, budget)
    seconds = whole.seconds + pub.observables.terms * _term_s(whole)
    return PubRoute(0, "router", parts=(PartRoute(1, whole),), seconds=seconds)


def _term_s(whole: Foretold) -> float:
    """Evaluating one Pauli product in the final state."""
    best = min(whole.candidates, key=lambda one: one.predicted.seconds, default=None)
    if best is not None and best.engine.name.endswith(_DENSE):
        return 1e-6 + 3e-9 * 2.0 ** min(whole.features.traits.busy, 40)
    return 2e-5 * whole.features.traits.busy
