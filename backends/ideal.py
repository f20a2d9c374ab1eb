"""The backend without noise that picks an engine for every program by itself: reduce, route, run, put together again.

What no program can express (loops of unknown length, computed conditions) and random circuits under an estimator go to
Aer, as before. Equal seeds give equal bytes: no clock has a say in who answers (docs/decisions/0012).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import aer, results, seeds, sweep
from backends.allowance import budget
from backends.catalogue import BackendSpec, spec_of
from backends.engines.port import FIDELITY_MIN, Expected, How, Pauli, Sampled
from backends.estimating import pairs_of
from backends.limits import Limits
from backends.measure import findings_of, measure, stochastic
from backends.paulis import pauli_of
from backends.plain import plain
from backends.port import Execution
from backends.program import Program, Unflat
from backends.programming import Template, template_of
from backends.reductions import Factor, Reduced, factors, join
from backends.registers import Bits, Register, registers_of
from backends.rejected import Rejected
from backends.router import routing
from backends.router.simplest import forms
from backends.trust import watch
from backends.trust.watch import installed
from backends.work import Circuit, EstimatorPub, Pub, SamplerPub, Work

VERSION = "2"
_NO_BITS: Bits = np.zeros((0, 0), dtype=np.uint8)
WHOLE_UP_TO = 12
"""Programs of so few qubits are evaluated whole, however small the light cones of single terms are."""


@dataclass(slots=True)
class Told:
    """What the result says about how a PUB came about."""

    hows: dict[How, None] = field(default_factory=dict)
    steps: dict[str, None] = field(default_factory=dict)
    tried: dict[str, None] = field(default_factory=dict)
    error: float = 0.0
    """How far any answer may be from the truth: a total variation distance, or the largest error of a value."""
    fidelity: float = 1.0
    """A lower bound for the least faithful answer, all its parts together."""

    def heard(self, routed: routing.Routed[Sampled] | routing.Routed[Expected]) -> None:
        """Note who answered a part."""
        self.hows[routed.answer.how] = None
        self.tried.update(dict.fromkeys(routed.tried))

    def about(self) -> dict[str, Any]:
        """For the PUB's metadata."""
        shown: dict[str, Any] = {
            "engines": [
                {"engine": how.engine, "version": how.version, "method": how.method, "fidelity_at_least": how.fidelity}
                | ({"note": how.note} if how.note else {})
                for how in self.hows
            ],
            "reductions": list(self.steps),
            "error_bound": self.error,
            "fidelity_at_least": self.fidelity,
        }
        return shown | ({"tried_before": list(self.tried)} if self.tried else {})


@dataclass(frozen=True, slots=True)
class IdealBackend:
    """The router under a name of the catalogue."""

    spec: BackendSpec

    @property
    def version(self) -> str:
        """The router's own; engines tell theirs with each result."""
        return VERSION

    def run(self, work: Work, limits: Limits) -> Execution:
        """Run all PUBs, each with its own seed made from the work's."""
        measure(work, limits)
        # Processor time, not the clock on the wall: neighbours on the machine must not change the bill.
        started_ns = time.process_time_ns()
        seed = seeds.choose() if work.seed is None else work.seed
        parts: list[Mapping[str, Any]] = []
        names: dict[str, str] = {}
        shots = 0
        for position, pub in enumerate(work.pubs):
            part, spent, versions = pub_part(pub, limits, seeds.of_pub(seed, position))
            names |= versions
            parts.append(part)
            shots += spent
        metadata = {
            "engine": "/".join(names) or "none",
            "engine_version": "/".join(names.values()),
            "method": "routed",
            "router_version": VERSION,
            "seed": seed,
        }
        qpu_us = max(1, (time.process_time_ns() - started_ns) // 1000)
        return Execution(results.encode(work.primitive, parts, metadata), qpu_us, shots)


@cache
def backend(spec: BackendSpec) -> IdealBackend:
    """The backend of a catalogue entry."""
    return IdealBackend(spec)


def pub_part(pub: Pub, limits: Limits, seed: int) -> tuple[Mapping[str, Any], int, Mapping[str, str]]:
    """One PUB's part of the result, the shots it took, and the engines' versions by their names."""
    template = template_for(pub.circuit)
    found = findings_of(pub.circuit, limits, "the circuit")
    if isinstance(template, Unflat) or (isinstance(pub, EstimatorPub) and stochastic(found)):
        part, spent, engine = _on_aer(pub, limits, seed)
        return part, spent, {engine["engine"]: engine["engine_version"]}
    told = Told()
    part, spent = _pub(pub, template, seed, told)
    return part, spent, {how.engine: how.version for how in told.hows}


def template_for(circuit: Circuit) -> Template | Unflat:
    """The circuit's program, written on the first call and remembered with the circuit."""
    known = circuit.notes.get("program")
    if not isinstance(known, Template | Unflat):
        written = plain(circuit.circuit)
        known = circuit.notes["program"] = written[1] if written else template_of(circuit.circuit)
    return known


def _pub(pub: Pub, template: Template, seed: int, told: Told) -> tuple[Mapping[str, Any], int]:
    """One PUB's part of the result, and the shots it took."""
    about: dict[str, Any] = {"circuit_metadata": pub.circuit.circuit.metadata or {}}
    if isinstance(pub, SamplerPub):
        if sweep.takes(template, math.prod(pub.shape)) and watch.usable(sweep.NAME):
            told.hows[sweep.HOW] = None
            registers = sweep.sampled(pub, template, seed)
        else:
            registers = _sampled(pub, template, seed, told)
        spent = math.prod(pub.shape) * pub.shots
        return results.sampler_pub(registers, pub.shape, pub.shots, about | told.about()), spent
    if sweep.takes(template, math.prod(pub.values.shape[:-1])) and watch.usable(sweep.NAME):
        told.hows[sweep.HOW] = None
        evs, told.error = sweep.estimated(pub, template)
    else:
        evs = _estimated(pub, template, told)
    about["sampling"] = "exact value"
    if pub.precision > 0:
        # One value comes back from NumPy as a bare float.
        evs = np.asarray(np.random.default_rng(seed).normal(evs, pub.precision))
        about["sampling"] = "exact value plus Gaussian noise of the target precision"
    stds = np.full(evs.shape, pub.precision)
    return results.estimator_pub(evs, stds, pub.precision, about | told.about()), 0


def _on_aer(pub: Pub, limits: Limits, seed: int) -> tuple[Mapping[str, Any], int, dict[str, str]]:
    spec = spec_of("aer")
    assert spec is not None
    return aer.backend(spec).part(pub, limits, seed)


def _sampled(pub: SamplerPub, template: Template, seed: int, told: Told) -> dict[str, tuple[int, NDArray[np.uint8]]]:
    """All registers; equal parameter sets are sampled in one go, for their shots are as independent in one run."""
    sets = math.prod(pub.shape)
    values = pub.values.reshape(sets, pub.values.shape[-1])
    alike: dict[bytes, list[int]] = {}
    for index in range(sets):
        alike.setdefault(values[index].tobytes(), []).append(index)
    bits = np.zeros((sets, pub.shots, template.program.clbits), dtype=np.uint8)
    firsts = [indices[0] for indices in alike.values()]
    # A PUB may have no parameter set at all, and then has no shots.
    drawn_at_once = pub.shots * max(map(len, alike.values()), default=0)
    fixed = None if template.binding.places else _reduced(pub.circuit, template, drawn_at_once)
    for program, indices in zip(template.programs(values[firsts]), alike.values(), strict=True):
        worth_a_try = fixed or forms(program, drawn_at_once, installed(), budget())
        drawn = _first_of(worth_a_try, pub.shots * len(indices), seeds.of_pub(seed, indices[0]), told)
        bits[indices] = drawn.reshape(len(indices), pub.shots, -1)
    return packed(pub, registers_of(pub.circuit.circuit), bits)


def packed(
    pub: SamplerPub, registers: Sequence[Register], bits: NDArray[np.uint8]
) -> dict[str, tuple[int, NDArray[np.uint8]]]:
    """All registers out of zeros and ones of shape (parameter sets, shots, clbits)."""
    found = {}
    for register in registers:
        chosen = bits[:, :, list(register.slots)]
        together = np.packbits(chosen, axis=2, bitorder="little")[:, :, ::-1]
        found[register.name] = (len(register.slots), together.reshape((*pub.shape, pub.shots, register.bytes)))
    return found


def _reduced(circuit: Circuit, template: Template, shots: int) -> tuple[Reduced, ...]:
    """What is left of a circuit without parameters, remembered with it for as many shots."""
    key = f"reduced for {shots}"
    known = circuit.notes.get(key)
    if not isinstance(known, tuple):
        known = circuit.notes[key] = forms(template.program, shots, installed(), budget())
    return known


def _first_of(worth_a_try: Sequence[Reduced], shots: int, seed: int, told: Told) -> Bits:
    """Outcomes by the first form that some engine can run."""
    for reduced in worth_a_try[:-1]:
        try:
            return sample_reduced(reduced, shots, seed, told)
        except Rejected as no:
            told.tried[no.detail] = None
            told.steps.clear()
    return sample_reduced(worth_a_try[-1], shots, seed, told)


def sample_reduced(reduced: Reduced, shots: int, seed: int, told: Told) -> Bits:
    """Outcomes of a program, shape (shots, clbits): each independent part on the engine that suits it."""
    told.steps.update(dict.fromkeys(reduced.steps))
    told.error = max(told.error, reduced.error)
    alike: dict[Program, list[int]] = {}
    for number, part in enumerate(reduced.parts):
        alike.setdefault(part.program, []).append(number)
    drawn: list[Bits] = [_NO_BITS] * len(reduced.parts)
    fidelity = 1.0
    for program, numbers in alike.items():
        # Equal parts are drawn together: their shots are as independent in one run.
        routed = routing.sample(program, shots * len(numbers), seeds.of_pub(seed, numbers[0]), installed(), budget())
        told.heard(routed)
        watch.sampled(program, routed.answer)
        fidelity *= routed.answer.how.fidelity ** len(numbers)
        for number, bits in zip(numbers, np.split(routed.answer.bits, len(numbers)), strict=True):
            drawn[number] = bits
    if fidelity < FIDELITY_MIN:
        detail = f"the parts of the circuit have a fidelity of {fidelity:.3f} only together"
        raise Rejected("backend_infeasible", detail, {"fidelity": fidelity})
    told.fidelity = min(told.fidelity, fidelity)
    return join(reduced, drawn, shots)


def _estimated(pub: EstimatorPub, template: Template, told: Told) -> NDArray[np.float64]:
    """Exact expectation values of the PUB's broadcast shape."""
    sets = math.prod(pub.values.shape[:-1])
    values = pub.values.reshape(sets, pub.values.shape[-1])
    evs = np.zeros(math.prod(pub.shape))
    paulis = [pauli_of(label) for label in pub.observables.labels]
    for program, (targets, sums) in zip(template.programs(values), pairs_of(pub, sets), strict=True):
        wanted = sorted({label for position in sums for label, _ in pub.observables.sums[position]})
        found = dict(zip(wanted, _values(program, [paulis[label] for label in wanted], told), strict=True))
        for target, position in zip(targets, sums, strict=True):
            terms = pub.observables.sums[position]
            evs[target] = sum(weight * found[label][0] for label, weight in terms)
            told.error = max(told.error, sum(abs(weight) * found[label][1] for label, weight in terms))
    return evs.reshape(pub.shape)


def _values(program: Program, paulis: Sequence[Pauli], told: Told) -> list[tuple[float, float]]:
    """The values of Pauli products and how far each may be off: by their own light cones where these are smaller than
    the whole.
    """
    if program.qubits > WHOLE_UP_TO:
        cones = [factors(program, pauli) for pauli in paulis]
        if max((one.program.qubits for _, parts in cones for one in parts), default=0) <= program.qubits // 2:
            return _products(cones, told)
    routed = routing.expectation(program, paulis, installed(), budget())
    told.heard(routed)
    watch.valued(program, paulis, routed.answer)
    told.fidelity = min(told.fidelity, routed.answer.how.fidelity)
    return [(value, routed.answer.error) for value in routed.answer.values]


def _products(cones: Sequence[tuple[int, Sequence[Factor]]], told: Told) -> list[tuple[float, float]]:
    known: dict[Factor, tuple[float, float]] = {}
    told.steps["light cone of each term"] = None
    values = []
    for sign, parts in cones:
        product, error = float(sign), 0.0
        for one in parts:
            if one not in known:
                pauli = tuple((qubit, "Z") for qubit in one.support)
                routed = routing.expectation(one.program, [pauli], installed(), budget())
                told.heard(routed)
                watch.valued(one.program, [pauli], routed.answer)
                told.fidelity = min(told.fidelity, routed.answer.how.fidelity)
                known[one] = (routed.answer.values[0], routed.answer.error)
            value, off = known[one]
            # |ab - a'b'| <= |a - a'| + |b - b'| for numbers of at most one.
            product, error = product * value, error + off
        values.append((product, error))
    return values
