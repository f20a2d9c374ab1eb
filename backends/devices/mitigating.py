"""Mitigated PUBs on a device: every circuit that mitigation asks for is scheduled, simulated with noise, and billed.

The twin is run for the first parameter set; what helped there is applied to all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from backends import seeds
from backends.allowance import budget
from backends.devices import choosing
from backends.devices.compiling import Compiled, calibrated_of
from backends.devices.model import Device
from backends.devices.noise import noise_of
from backends.devices.roads import How, Noisy
from backends.devices.scheduling import schedule
from backends.estimating import pairs_of
from backends.measure import trajectories
from backends.mitigation.applying import estimate, sampling
from backends.mitigation.measuring import terms_of
from backends.mitigation.options import MitigationOptions
from backends.mitigation.trying import Recipe
from backends.program import Unflat
from backends.programming import template_of
from backends.registers import Bits
from backends.rejected import Rejected
from backends.work import EstimatorPub, SamplerPub

Values = NDArray[np.float64]
Heard = Callable[[float, int, How | None], None]
"""Told of each run: the length of its schedule, its shots, and how it was simulated."""
_STRINGS_MOST = 4_096
"""How many bit strings of corrected distributions a PUB's metadata carries."""


@dataclass(slots=True)
class DeviceRunner:
    """Runs circuits over the device's gates; each with a seed of its own."""

    device: Device
    heard: Heard
    seed: int
    ran: int = 0

    def __call__(self, circuits: Sequence[QuantumCircuit], shots: int) -> list[Mapping[str, int]]:
        """Counts of bit strings, classical bit 0 last."""
        return [_counts(self.bits(circuit, shots)) for circuit in circuits]

    def bits(self, circuit: QuantumCircuit, shots: int) -> Bits:
        """Outcomes of one circuit, shape (shots, clbits)."""
        template = template_of(circuit, dt_ns=self.device.dt_ns or 0.0)
        if isinstance(template, Unflat):
            raise Rejected("backend_infeasible", f"{self.device.name} runs no such circuit: {template.reason}", {})
        noisy = Noisy(schedule(template.program, self.device), template.program.clbits, noise_of(self.device))
        self.ran += 1
        sampled = choosing.sample(noisy, shots, seeds.of_pub(self.seed, self.ran), budget())
        self.heard(noisy.schedule.length_ns, shots, sampled.how)
        return sampled.bits


def mitigated_samples(
    pub: SamplerPub, made: Compiled, device: Device, options: MitigationOptions, seed: int, heard: Heard
) -> tuple[Bits, dict[str, Any]]:
    """Outcomes of all parameter sets, shape (sets, shots, clbits), and what to tell about them."""
    sets = math.prod(pub.shape)
    values = pub.values.reshape(sets, pub.values.shape[-1])
    bits = np.zeros((sets, pub.shots, made.circuit.num_clbits), dtype=np.uint8)
    run = DeviceRunner(device, heard, seed)
    recipe: Recipe | None = None
    about: dict[str, Any] = {}
    corrected: list[dict[str, float] | None] = []
    for index in range(sets):
        bound = made.made.bind(values[index].tolist())
        own = seeds.of_pub(seed, index)
        found = sampling(bound, calibrated_of(device), options, run, pub.shots, own, recipe)
        if recipe is None:
            recipe, about = found.recipe, {"mitigation": dict(found.report)}
        copies = found.circuits[: pub.shots]
        each, more = divmod(pub.shots, len(copies))
        parts = [run.bits(copy, each + (number < more)) for number, copy in enumerate(copies)]
        bits[index] = np.concatenate(parts)
        corrected.append(found.quasi_distribution(_counts(bits[index])))
    return bits, about | _told(corrected)


def mitigated_values(
    pub: EstimatorPub, made: Compiled, device: Device, options: MitigationOptions, seed: int, heard: Heard
) -> tuple[Values, Values, dict[str, Any]]:
    """Values and standard errors of the PUB's shape, and what to tell about them.

    Standard errors of sums are those of independent terms; terms measured together are not quite.
    """
    sets = math.prod(pub.values.shape[:-1])
    values = pub.values.reshape(sets, pub.values.shape[-1])
    shots = trajectories(pub.precision)
    run = DeviceRunner(device, heard, seed)
    evs, stds = np.zeros(math.prod(pub.shape)), np.zeros(math.prod(pub.shape))
    recipe: Recipe | None = None
    about: dict[str, Any] = {}
    for index, (targets, positions) in enumerate(pairs_of(pub, sets)):
        wanted = sorted({label for position in positions for label, _ in pub.observables.sums[position]})
        terms = terms_of([pub.observables.labels[label] for label in wanted], made.places)
        bound = made.made.bind(values[index].tolist())
        own = seeds.of_pub(seed, index)
        found = estimate(bound, terms, calibrated_of(device), options, run, shots, own, recipe)
        if recipe is None:
            recipe, about = found.recipe, {"mitigation": dict(found.report)}
        place = {label: number for number, label in enumerate(wanted)}
        for target, position in zip(targets, positions, strict=True):
            chosen = [(place[label], weight) for label, weight in pub.observables.sums[position]]
            evs[target] = sum(weight * found.values[number] for number, weight in chosen)
            stds[target] = math.sqrt(sum((weight * found.stds[number]) ** 2 for number, weight in chosen))
    about["sampling"] = f"{shots} shots for each group of terms that are measured together and each factor of noise"
    return evs.reshape(pub.shape), stds.reshape(pub.shape), about


def _counts(bits: Bits) -> dict[str, int]:
    found, counts = np.unique(bits[:, ::-1], axis=0, return_counts=True)
    return {"".join(map(str, row)): int(count) for row, count in zip(found.tolist(), counts.tolist(), strict=True)}


def _told(corrected: Sequence[dict[str, float] | None]) -> dict[str, Any]:
    """The corrected distributions, unless they are too many."""
    kept = [each for each in corrected if each is not None]
    if not kept:
        return {}
    if sum(len(each) for each in kept) > _STRINGS_MOST:
        return {"quasi_distributions": None, "quasi_distributions_left_out": f"more than {_STRINGS_MOST} bit strings"}
    return {"quasi_distributions": kept}
