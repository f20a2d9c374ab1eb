"""What mitigation costs in circuits and shots, from the options alone: a quote needs it before anything has run.

Import-light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from backends.mitigation.options import MitigationOptions

CALIBRATION_SHOTS = 4096
"""Shots of each of the two circuits that measure readout errors."""
CALIBRATION_CIRCUITS = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """Circuits and shots that run on the device, all together."""

    circuits: int
    shots: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.circuits + other.circuits, self.shots + other.shots)


NOTHING = Cost(0, 0)


def plain_cost(bases: int, shots: int, sets: int = 1) -> Cost:
    """Without mitigation: each parameter set in each measurement basis."""
    return Cost(bases * sets, bases * sets * shots)


def cost_of(options: MitigationOptions, bases: int, shots: int, sets: int = 1) -> Cost:
    """At most this much: what is left out because the twin shows no gain is not run for the result.

    `bases`: measurement bases of one parameter set (1 for a sampler); `shots`: for each of them, divided among twirled
    copies; `sets`: parameter sets.
    """
    if not options:
        return plain_cost(bases, shots, sets)
    factors = len(options.zne.factors) if options.zne else 1
    copies = max(1, options.twirls)
    shared = -(-shots // copies) * copies
    result = Cost(bases * sets * factors * copies, bases * sets * factors * shared)
    found = result + twin_cost(options, bases, shots)
    return found + Cost(CALIBRATION_CIRCUITS, CALIBRATION_CIRCUITS * CALIBRATION_SHOTS) if options.readout else found


def folded_shots(options: MitigationOptions, bases: int, shots: int, sets: int = 1) -> int:
    """By how many shots of the circuit as sent the folded circuits of extrapolation are longer, twin among them.

    A factor of 3 is a circuit three times as long: each of its shots counts 2 here.
    """
    if not options.zne:
        return 0
    copies = max(1, options.twirls)
    shared = -(-shots // copies) * copies
    return bases * (sets + 1) * math.ceil(shared * sum(factor - 1 for factor in options.zne.factors))


def twin_cost(options: MitigationOptions, bases: int, shots: int) -> Cost:
    """The runs of the twin: as it is, then with each method that changes the circuit."""
    copies = max(1, options.twirls)
    shared = -(-shots // copies) * copies
    runs = Cost(bases, bases * shots)
    if options.decoupling:
        runs += Cost(bases, bases * shots)
    if options.twirls:
        runs += Cost(bases * copies, bases * shared)
    if options.zne:
        more = len(options.zne.factors) - 1
        runs += Cost(bases * copies * more, bases * shared * more)
    return runs
