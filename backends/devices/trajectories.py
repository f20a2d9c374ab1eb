"""Any circuit: the twirled noise drawn beforehand, and each pattern of errors run as a circuit of its own on Aer.

Shots that draw the same errors (above all none) share one run. A run is a dense state, a matrix product state or a
tableau, whichever suits the circuit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backends import engine, seeds
from backends.devices.frames import BIAS
from backends.devices.noise import LETTERS
from backends.devices.roads import How, Noisy, Sampled
from backends.devices.scheduling import IDLE
from backends.engines.lowering import cliffordised, lowered
from backends.engines.on_aer import KNOWN, THRESHOLD, AerMethod, OnAer, blank, columns, write
from backends.program import Clause, Op
from backends.registers import Bits

_DRAWN_AT_ONCE = 4_000_000
_RUN_AT_ONCE = 64
_NAMES = {
    "statevector": "trajectories on a dense state",
    "matrix_product_state": "trajectories on a matrix product state",
    "stabilizer": "trajectories on a tableau",
}

Pattern = tuple[tuple[int, int], ...]
"""Errors of one shot: (location, which of its errors), locations ascending; the errors count from 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """Where an error may strike: after the operation at `after`, on these lines; `odds` of each of its errors.

    `around` stands for a misread outcome: a flip before the measurement and one after it.
    """

    after: int
    lines: tuple[int, ...]
    odds: NDArray[np.float64]
    condition: tuple[Clause, ...] = ()
    around: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The circuit over an engine's gates, and where errors may strike."""

    operations: tuple[Op, ...]
    locations: tuple[Location, ...]
    width: int
    clbits: int


def plan_of(noisy: Noisy, method: AerMethod, order: Sequence[int] | None = None) -> Plan:
    """Write a circuit down for a method; `order` lists lines as they stand in a matrix product state."""
    place = {line: at for at, line in enumerate(order)} if order else {line: line for line in noisy.lines.values()}
    operations: list[Op] = []
    locations: list[Location] = []
    for op in noisy.schedule.operations:
        if op.name != IDLE and noisy.concerns(op):
            local = op._replace(qubits=tuple([place[noisy.lines[qubit]] for qubit in op.qubits]))
            operations += _over(local, method)
            if op.name == "measure" and op.clbits[0] in noisy.steering:
                odds = np.array([sum(noisy.noise.flips(op.qubits[0])) / 2])
                locations.append(Location(len(operations) - 1, local.qubits, odds, (), around=True))
        for qubits, channel in noisy.noise.of(op):
            lines = tuple([place[noisy.lines[qubit]] for qubit in qubits])
            locations.append(Location(len(operations) - 1, lines, channel.paulis[1:], op.condition))
    return Plan(tuple(operations), tuple(locations), max(1, len(noisy.lines)), noisy.clbits)


def _over(op: Op, method: AerMethod) -> Iterable[Op]:
    return lowered(cliffordised((op,)) if method == "stabilizer" else (op,), KNOWN[method])


def draw(locations: Sequence[Location], shots: int, rng: np.random.Generator) -> dict[Pattern, list[int]]:
    """For every pattern of errors the shots that drew it, in the order of their first shots."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(shots)]
    if locations:
        likely = np.array([location.odds.sum() for location in locations])
        # What an error is, once there is one: the first of the cumulative odds that a draw stays below.
        most = max(len(location.odds) for location in locations)
        bounds = np.ones((len(locations), most))
        for number, location in enumerate(locations):
            bounds[number, : len(location.odds)] = np.cumsum(location.odds) / max(likely[number], 1e-300)
        rows = max(1, _DRAWN_AT_ONCE // len(locations))
        for start in range(0, shots, rows):
            struck = rng.random((min(rows, shots - start), len(locations))) < likely
            which_shot, where = np.nonzero(struck)
            kinds = (rng.random(len(where))[:, None] >= bounds[where]).sum(axis=1)
            kinds = np.minimum(kinds, [len(locations[place].odds) - 1 for place in where.tolist()])
            for shot, place, kind in zip(which_shot.tolist(), where.tolist(), kinds.tolist(), strict=True):
                found[start + shot].append((place, kind + 1))
    alike: dict[Pattern, list[int]] = {}
    for shot, errors in enumerate(found):
        alike.setdefault(tuple(errors), []).append(shot)
    return alike


def struck(plan: Plan, pattern: Pattern) -> Iterator[Op]:
    """The circuit with a pattern's errors in it."""
    done = 0
    for place, kind in pattern:
        location = plan.locations[place]
        upto = location.after if location.around else location.after + 1
        yield from plan.operations[done:upto]
        done = max(done, upto)
        if location.around:
            flip = Op("x", location.lines)
            yield from (flip, plan.operations[done], flip)
            done += 1
            continue
        for number, line in enumerate(location.lines):
            letter = LETTERS[(kind >> 2 * number) & 3]
            if letter != "I":
                yield Op(letter.lower(), (line,), (), (), location.condition)
    yield from plan.operations[done:]


def how(method: AerMethod, operations: Sequence[Op] = ()) -> How:
    """Trajectories by a method."""
    fidelity = OnAer(method).how(operations).fidelity
    return How(_NAMES[method], "aer", engine.VERSION, BIAS, fidelity)


def sample(noisy: Noisy, shots: int, seed: int, method: AerMethod, order: Sequence[int] | None = None) -> Sampled:
    """Draw errors for every shot, run each pattern, misread. Raises Unsuited and MemoryError as engines do."""
    plan = plan_of(noisy, method, order)
    rng = np.random.default_rng(seed)
    alike = draw(plan.locations, shots, rng)
    bits: Bits = np.zeros((shots, noisy.clbits), dtype=np.uint8)
    if any(op.name == "measure" for op in plan.operations):
        single = [(pattern, rows) for pattern, rows in alike.items() if len(rows) == 1]
        for start in range(0, len(single), _RUN_AT_ONCE):
            some = single[start : start + _RUN_AT_ONCE]
            outcomes = _run(plan, [pattern for pattern, _ in some], 1, method, seeds.of_pub(seed, start))
            bits[[rows[0] for _, rows in some]] = np.concatenate(outcomes)
        for number, (pattern, rows) in enumerate(alike.items()):
            if len(rows) > 1:
                (outcome,) = _run(plan, [pattern], len(rows), method, seeds.of_pub(seed, -1 - number))
                bits[rows] = outcome
    noisy.misread(bits, rng, but=noisy.steering)
    return Sampled(bits, how(method, plan.operations))


def _run(plan: Plan, patterns: Sequence[Pattern], shots: int, method: AerMethod, seed: int) -> list[Bits]:
    """Outcomes of the circuit with each pattern's errors, shapes (shots, clbits)."""
    steered = any(op.condition for op in plan.operations)
    circuits = []
    for pattern in patterns:
        circuit = blank(plan.width, plan.clbits)
        write(circuit, struck(plan, pattern), registers=steered)
        circuits.append(circuit)
    results = engine.execute(
        circuits,
        method,
        qubits=plan.width,
        clbits=plan.clbits,
        shots=shots,
        seed=seed,
        memory=True,
        threshold=THRESHOLD,
    )
    return [columns(result["data"]["memory"], plan.clbits) for result in results]
