"""A simulated device as a backend: compile, schedule, simulate the noise, and bill what the device would."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np

from backends import ideal, results, seeds
from backends.allowance import budget
from backends.catalogue import BackendSpec
from backends.circuits import Circuit
from backends.devices import billing, choosing
from backends.devices.compiling import Compiled, compiled
from backends.devices.drifting import calibrated_on
from backends.devices.estimating import Estimates, estimate, groups_of
from backends.devices.keeping import Kept
from backends.devices.mitigating import mitigated_samples, mitigated_values
from backends.devices.model import Device
from backends.devices.noise import noise_of
from backends.devices.reading import device_of
from backends.devices.roads import How, Noisy
from backends.devices.scheduling import schedule
from backends.limits import Limits
from backends.measure import measure, trajectories
from backends.mitigation.options import MitigationOptions
from backends.observables import Observables
from backends.port import Execution
from backends.programming import template_of
from backends.registers import registers_of
from backends.work import EstimatorPub, Pub, SamplerPub, Work

VERSION = "1"


@dataclass(slots=True)
class Told:
    """What comes together over one PUB: runs to be billed, and how they were done; `kept` is of the whole work."""

    kept: Kept
    runs: list[tuple[float, int]] = field(default_factory=list)
    hows: dict[How, None] = field(default_factory=dict)

    def heard(self, length_ns: float, shots: int, how: How | None) -> None:
        """Note a run."""
        self.runs.append((length_ns, shots))
        if how is not None:
            self.hows[how] = None


@dataclass(frozen=True, slots=True)
class DeviceBackend:
    """One device under its name of the catalogue."""

    spec: BackendSpec

    @property
    def version(self) -> str:
        """The simulation's own; engines tell theirs with each result."""
        return VERSION

    def run(self, work: Work, limits: Limits) -> Execution:
        """Run all PUBs, each with its own seed made from the work's, on the device as calibrated today or as asked."""
        measure(work, limits)
        device = self.device(work)
        seed = seeds.choose() if work.seed is None else work.seed
        parts: list[Mapping[str, Any]] = []
        runs: list[tuple[float, int]] = []
        kept = Kept()
        for position, pub in enumerate(work.pubs):
            told = Told(kept)
            own = seeds.of_pub(seed, position)
            made = compiled(pub.circuit, device, work.compilation)
            if work.mitigation:
                parts.append(_mitigated(pub, made, device, work.mitigation, own, told))
            elif work.noise:
                parts.append(_noisy(pub, made, device, own, told))
            else:
                parts.append(_ideal(pub, made, device, limits, own, told))
            runs += told.runs
        qpu_us = billing.job_us(device, runs)
        metadata = {
            "engine": self.spec.engine,
            "engine_version": self.version,
            "method": "noisy" if work.noise else "ideal twin",
            "seed": seed,
            "compiled_circuits": kept.texts,
            "device": {"name": device.name, "kind": device.kind, "calibrated": device.calibrated},
            "qpu": {
                "billed_us": qpu_us,
                "job_overhead_us": device.overheads.job_us,
                "rep_delay_ns": device.overheads.rep_delay_ns,
                "reset_ns": device.overheads.reset_ns,
            },
        }
        return Execution(results.encode(work.primitive, parts, metadata), qpu_us, sum(shots for _, shots in runs))

    def device(self, work: Work) -> Device:
        """The device at the calibration that the work asks for."""
        stated = device_of(self.spec.name)
        assert stated is not None
        day = datetime.now(UTC).date() if work.calibration == "today" else work.calibration
        return calibrated_on(stated, day)


@cache
def backend(spec: BackendSpec) -> DeviceBackend:
    """The backend of a catalogue entry."""
    return DeviceBackend(spec)


def _mitigated(
    pub: Pub, made: Compiled, device: Device, options: MitigationOptions, seed: int, told: Told
) -> Mapping[str, Any]:
    if isinstance(pub, EstimatorPub):
        evs, stds, about = mitigated_values(pub, made, device, options, seed, told.heard)
        return results.estimator_pub(evs, stds, pub.precision, _about(pub, made, told) | about)
    bits, about = mitigated_samples(pub, made, device, options, seed, told.heard)
    packed = ideal.packed(pub, registers_of(made.circuit), bits)
    return results.sampler_pub(packed, pub.shape, pub.shots, _about(pub, made, told) | about)


def _noisy(pub: Pub, made: Compiled, device: Device, seed: int, told: Told) -> Mapping[str, Any]:
    if isinstance(pub, EstimatorPub):
        found = estimate(pub, made, device, seed)
        for length_ns, shots in found.runs:
            told.heard(length_ns, shots, None)
        told.hows |= found.hows
        about = _about(pub, made, told) | {"sampling": _sampling(found, pub)}
        return results.estimator_pub(found.evs, found.stds, pub.precision, about)
    sets = math.prod(pub.shape)
    values = pub.values.reshape(sets, pub.values.shape[-1])
    bits = np.zeros((sets, pub.shots, made.template.program.clbits), dtype=np.uint8)
    noise = noise_of(device)
    for index, program in enumerate(made.programs(values)):
        noisy = Noisy(schedule(program, device), program.clbits, noise)
        sampled = choosing.sample(noisy, pub.shots, seeds.of_pub(seed, index), budget())
        told.heard(noisy.schedule.length_ns, pub.shots, sampled.how)
        bits[index] = sampled.bits
    packed = ideal.packed(pub, registers_of(made.circuit), bits)
    return results.sampler_pub(packed, pub.shape, pub.shots, _about(pub, made, told))


def _sampling(found: Estimates, pub: EstimatorPub) -> str:
    if pub.precision == 0:
        return f"exact value of the noisy circuit, misreading included; billed as {billing.EXACT_SHOTS} shots a group"
    return f"{found.shots} shots for each of up to {found.groups} groups of terms that are measured together"


def _ideal(pub: Pub, made: Compiled, device: Device, limits: Limits, seed: int, told: Told) -> Mapping[str, Any]:
    """The same compiled circuit without noise, billed as if it had run."""
    bare = _bare(pub.circuit, made)
    twin: Pub = replace(pub, circuit=bare)
    if isinstance(twin, EstimatorPub):
        twin = replace(twin, observables=_spread(twin.observables, made))
    answer, _, _ = ideal.pub_part(twin, limits, seed)
    part = dict(answer)
    sets = math.prod(pub.values.shape[:-1])
    values = pub.values.reshape(sets, pub.values.shape[-1])
    if isinstance(pub, SamplerPub):
        each = pub.shots
    else:
        groups = len(groups_of(pub.observables.labels, range(len(pub.observables.labels))))
        each = groups * (trajectories(pub.precision) if pub.precision else billing.EXACT_SHOTS)
    for program in made.programs(values):
        told.heard(schedule(program, device).length_ns, each, None)
    part["metadata"] = {**part["metadata"], **_about(pub, made, told), "simulation": [{"method": "ideal twin"}]}
    return part


def _bare(circuit: Circuit, made: Compiled) -> Circuit:
    """The compiled circuit in the place of the original, remembered with it."""
    key = f"twin/{id(made)}"
    known = circuit.notes.get(key)
    if not isinstance(known, Circuit):
        known = circuit.notes[key] = Circuit(made.circuit, circuit.key)
        # Compiling may lose parameters that cancel: values come for those of the original.
        known.notes["program"] = template_of(made.circuit, parameters=made.parameters)
    return known


def _spread(observables: Observables, made: Compiled) -> Observables:
    """Observables of the original's qubits on those of the device."""
    labels = []
    for label in observables.labels:
        letters = ["I"] * made.circuit.num_qubits
        for qubit, letter in enumerate(reversed(label)):
            letters[-1 - made.places[qubit]] = letter
        labels.append("".join(letters))
    return replace(observables, labels=tuple(labels))


def _about(pub: Pub, made: Compiled, told: Told) -> dict[str, Any]:
    """For the PUB's metadata: how it was simulated, what was compiled, how long it would run."""
    lengths = [length_ns for length_ns, _ in told.runs]
    return {
        "circuit_metadata": pub.circuit.circuit.metadata or {},
        "simulation": [how.about() for how in told.hows],
        "compiled": {**made.about(), **told.kept.place(made)},
        "schedule_ns": {
            "shortest": round(min(lengths, default=0.0), 2),
            "longest": round(max(lengths, default=0.0), 2),
        },
    }
