"""Expectation values as a device tells them: terms measured together in groups, misread as outcomes are.

Terms that agree wherever both act form a group; each group is one circuit with rotations into its basis. With precision
0 the values are those that infinitely many shots would give.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import seeds
from backends.allowance import budget
from backends.devices import billing, choosing, density
from backends.devices.compiling import Compiled
from backends.devices.model import Device
from backends.devices.noise import noise_of
from backends.devices.roads import How, Noisy
from backends.devices.scheduling import schedule
from backends.estimating import pairs_of
from backends.measure import trajectories
from backends.program import Op, Program
from backends.rejected import Rejected
from backends.work import EstimatorPub

Values = NDArray[np.float64]
_AT_ONCE = 8_192
_TURNS: Mapping[str, tuple[str, ...]] = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}


@dataclass(frozen=True, slots=True)
class Group:
    """Labels (by position) measured together, and the letter in which each of the original's qubits is measured."""

    labels: tuple[int, ...]
    basis: tuple[tuple[int, str], ...]


@dataclass(slots=True, eq=False)
class Estimates:
    """Values and standard errors of the PUB's shape, and what was run for them."""

    evs: Values
    stds: Values
    shots: int
    groups: int = 0
    runs: list[tuple[float, int]] = field(default_factory=list)
    hows: dict[How, None] = field(default_factory=dict)


def groups_of(labels: Sequence[str], wanted: Iterable[int]) -> tuple[Group, ...]:
    """The wanted labels in groups, each put into the first that agrees with it; identities are in none."""
    bases: list[dict[int, str]] = []
    members: list[list[int]] = []
    for position in wanted:
        letters = {q: letter for q, letter in enumerate(reversed(labels[position])) if letter != "I"}
        if not letters:
            continue
        for basis, inside in zip(bases, members, strict=True):
            if all(basis.get(qubit, letter) == letter for qubit, letter in letters.items()):
                basis.update(letters)
                inside.append(position)
                break
        else:
            bases.append(letters)
            members.append([position])
    return tuple(
        Group(tuple(inside), tuple(sorted(basis.items()))) for basis, inside in zip(bases, members, strict=True)
    )


def estimate(pub: EstimatorPub, made: Compiled, device: Device, seed: int) -> Estimates:
    """All values of a PUB. Refuses with precision_out_of_range exact values of too many qubits."""
    sets = math.prod(pub.values.shape[:-1])
    values = pub.values.reshape(sets, pub.values.shape[-1])
    size = math.prod(pub.shape)
    shots = trajectories(pub.precision) if pub.precision else 0
    found = Estimates(np.zeros(size), np.zeros(size), shots)
    labels, sums = pub.observables.labels, pub.observables.sums
    known: dict[tuple[int, ...], tuple[Group, ...]] = {}
    pairs = pairs_of(pub, sets)
    for index, (program, (targets, positions)) in enumerate(zip(made.programs(values), pairs, strict=True)):
        wanted = tuple(sorted({label for position in positions for label, _ in sums[position]}))
        if wanted not in known:
            known[wanted] = groups_of(labels, wanted)
        groups = known[wanted]
        found.groups = max(found.groups, len(groups))
        weights = np.zeros((len(targets), len(labels)))
        for row, position in enumerate(positions):
            for label, weight in sums[position]:
                weights[row, label] += weight
        identities = [label for label in wanted if not labels[label].strip("I")]
        evs = weights[:, identities].sum(axis=1)
        variances = np.zeros(len(targets))
        for number, group in enumerate(groups):
            own = seeds.of_pub(seeds.of_pub(seed, index), number)
            noisy, qubits = _measured(program, made, group, device)
            mean, variance = _evaluated(noisy, qubits, group, labels, weights[:, group.labels], found, own)
            evs += mean
            variances += variance
        found.evs[targets] = evs
        found.stds[targets] = np.sqrt(variances)
    found.evs, found.stds = found.evs.reshape(pub.shape), found.stds.reshape(pub.shape)
    return found


def _measured(program: Program, made: Compiled, group: Group, device: Device) -> tuple[Noisy, list[int]]:
    """The circuit, turned into the group's basis and measured; the device's qubits in the order of the bits added."""
    qubits = [made.places[qubit] for qubit, _ in group.basis]
    ending: list[Op] = [Op("barrier", tuple(range(program.qubits)))]
    for qubit, (_, letter) in zip(qubits, group.basis, strict=True):
        ending += [Op(name, (qubit,)) for name in _TURNS[letter]]
    ending += [Op("measure", (qubit,), (), (program.clbits + bit,)) for bit, qubit in enumerate(qubits)]
    whole = Program(program.qubits, program.clbits + len(qubits), (*program.operations, *ending))
    return Noisy(schedule(whole, device), whole.clbits, noise_of(device)), qubits


def _evaluated(
    noisy: Noisy,
    qubits: list[int],
    group: Group,
    labels: Sequence[str],
    weights: Values,
    found: Estimates,
    seed: int,
) -> tuple[Values, Values]:
    """Each observable's part from this group: its mean, and the variance of that mean."""
    if not found.shots:
        if not choosing.is_exact(noisy):
            detail = (
                f"the compiled circuit has {len(noisy.lines)} busy qubits; exact values with noise are told of "
                f"{density.QUBITS_MAX} at most, sampled ones at any width: give a precision such as 0.02"
            )
            raise Rejected("precision_out_of_range", detail, {"precision": 0.0, "qubits_max": density.QUBITS_MAX})
        found.runs.append((noisy.schedule.length_ns, billing.EXACT_SHOTS))
        found.hows[density.how()] = None
        odds = density.read_probabilities(noisy, qubits)
        outcomes = (np.arange(len(odds))[:, None] >> np.arange(len(qubits))) & 1
        exact = np.array([odds @ signs for signs in _signs(outcomes, group, labels)])
        return weights @ exact, np.zeros(len(weights))
    sampled = choosing.sample(noisy, found.shots, seed, budget())
    found.runs.append((noisy.schedule.length_ns, found.shots))
    found.hows[sampled.how] = None
    added = sampled.bits[:, noisy.clbits - len(qubits) :]
    total, squares = np.zeros(len(weights)), np.zeros(len(weights))
    for start in range(0, found.shots, _AT_ONCE):
        some = added[start : start + _AT_ONCE]
        shown = np.zeros((len(weights), len(some)))
        for column, signs in enumerate(_signs(some, group, labels)):
            shown += weights[:, column, None] * signs
        total += shown.sum(axis=1)
        squares += np.square(shown).sum(axis=1)
    mean = total / found.shots
    variance = np.clip(squares / found.shots - mean**2, 0.0, None) / max(1, found.shots - 1)
    return mean, variance


def _signs(outcomes: NDArray[Any], group: Group, labels: Sequence[str]) -> Iterator[Values]:
    """For each label of the group, what it is worth in each outcome: 1 or -1."""
    columns = {qubit: column for column, (qubit, _) in enumerate(group.basis)}
    for position in group.labels:
        acted = [columns[qubit] for qubit, letter in enumerate(reversed(labels[position])) if letter != "I"]
        yield 1.0 - 2.0 * (outcomes[:, acted].sum(axis=1) & 1)
