"""Clifford circuits and what is close to them: Clifford+T, mirrors, repetition and surface codes with faults."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache, partial

import numpy as np
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from benchmarks.circuit_suite.entry import Certain, Entry, rng_of


def entries() -> Iterator[Entry]:
    """All of them."""
    for qubits, turns in ((6, 4), (10, 6), (14, 8), (18, 10), (22, 12), (36, 4), (50, 6), (80, 4)):
        name = f"clifford_t_{qubits}_{turns}"
        yield Entry(name, "clifford_t", partial(clifford_t, name, qubits, turns))
    for qubits, layers in ((6, 6), (10, 8), (14, 8), (18, 8), (22, 8), (26, 6), (36, 3)):
        name = f"mirror_{qubits}_{layers}"
        yield Entry(name, "mirror", partial(mirror, name, qubits, layers), Certain(mirrored(name, qubits, layers)[1]))
    for distance, rounds in ((3, 2), (5, 3), (9, 4), (17, 5)):
        name = f"repetition_{distance}_{rounds}"
        yield Entry(name, "repetition_code", partial(repetition, name, distance, rounds))
    for distance, rounds in ((3, 2), (5, 3), (7, 3)):
        name = f"surface_{distance}_{rounds}"
        yield Entry(name, "surface_code", partial(surface, name, distance, rounds))


def clifford_t(name: str, qubits: int, turns: int) -> QuantumCircuit:
    """Random Clifford layers all to all, with `turns` T gates strewn in."""
    rng = rng_of(name)
    circuit = QuantumCircuit(qubits)
    layers = 6
    strewn = sorted(rng.integers(0, layers, turns).tolist())
    for layer in range(layers):
        for qubit in range(qubits):
            for gate in rng.choice(["h", "s", "sx", "x"], 2):
                getattr(circuit, gate)(qubit)
        order = rng.permutation(qubits).tolist()
        for left, right in zip(order[::2], order[1::2], strict=False):
            circuit.cx(left, right)
        for _ in range(strewn.count(layer)):
            circuit.t(int(rng.integers(qubits)))
    circuit.h(circuit.qubits)
    circuit.measure_all()
    return circuit


def mirror(name: str, qubits: int, layers: int) -> QuantumCircuit:
    """Layers, a random Pauli, and the layers back with the signs of turns such that one outcome is certain."""
    return mirrored(name, qubits, layers)[0]


@cache
def mirrored(name: str, qubits: int, layers: int) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """The circuit and its only outcome.

    A Pauli Q is pushed through the way back: g'·Q = Q'·g, where a Clifford gate g stays and changes Q, and a turn about
    Z changes its sign where Q anticommutes with Z.
    """
    rng = rng_of(name)
    there: list[tuple[str, tuple[int, ...], float]] = []
    for layer in range(layers):
        for qubit in range(qubits):
            there += [("h", (qubit,), 0.0), ("rz", (qubit,), rng.uniform(-math.pi, math.pi)), ("h", (qubit,), 0.0)]
            there.append(("rz", (qubit,), rng.uniform(-math.pi, math.pi)))
        there += [("cz", (place, place + 1), 0.0) for place in range(layer % 2, qubits - 1, 2)]
    circuit = QuantumCircuit(qubits)
    for gate, where, turn in there:
        getattr(circuit, gate)(*((turn,) if gate == "rz" else ()), *where)
    x, z = rng.integers(0, 2, qubits), rng.integers(0, 2, qubits)
    for qubit in range(qubits):
        if x[qubit]:
            circuit.x(qubit)
        if z[qubit]:
            circuit.z(qubit)
    for gate, where, turn in reversed(there):
        match gate:
            case "rz":
                circuit.rz(turn if x[where[0]] else -turn, where[0])
            case "h":
                circuit.h(where[0])
                x[where[0]], z[where[0]] = z[where[0]], x[where[0]]
            case _:
                circuit.cz(*where)
                z[where[0]] ^= x[where[1]]
                z[where[1]] ^= x[where[0]]
    circuit.measure_all()
    return circuit, tuple(x.tolist())


def repetition(name: str, distance: int, rounds: int) -> QuantumCircuit:
    """A bit-flip code with Pauli noise: a coin of its own is tossed for every data qubit and round, and flips it.

    One ancilla serves all coins, one each syndrome; both are measured and reset.
    """
    rng = rng_of(name)
    check, coin = distance, 2 * distance - 1
    syndrome = ClassicalRegister(rounds * (distance - 1), "syndrome")
    toss, final = ClassicalRegister(1, "toss"), ClassicalRegister(distance, "final")
    circuit = QuantumCircuit(QuantumRegister(2 * distance, "q"), syndrome, toss, final)
    circuit.h(0)
    for place in range(1, distance):
        circuit.cx(0, place)
    for turn in range(rounds):
        for place in range(distance):
            circuit.ry(2 * math.asin(math.sqrt(rng.uniform(0.02, 0.12))), coin)
            circuit.measure(coin, toss[0])
            circuit.reset(coin)
            with circuit.if_test((toss[0], 1)):
                circuit.x(place)
        for place in range(distance - 1):
            circuit.cx(place, check + place)
            circuit.cx(place + 1, check + place)
            circuit.measure(check + place, syndrome[turn * (distance - 1) + place])
            circuit.reset(check + place)
    circuit.measure(range(distance), final)
    return circuit


def surface(name: str, distance: int, rounds: int) -> QuantumCircuit:
    """A rotated surface code: seeded Pauli faults strike between rounds, each round measures all stabilisers."""
    rng = rng_of(name)
    checks = _checks(distance)
    places = distance * distance
    final = ClassicalRegister(places, "final")
    circuit = QuantumCircuit(
        QuantumRegister(places + len(checks), "q"), ClassicalRegister(rounds * len(checks), "syndrome"), final
    )
    for turn in range(rounds):
        for place in range(places):
            if rng.random() < 0.1:
                getattr(circuit, str(rng.choice(["x", "y", "z"])))(place)
        for index, (kind, around) in enumerate(checks):
            ancilla = places + index
            if kind == "x":
                circuit.h(ancilla)
            for place in around:
                circuit.cx(*((ancilla, place) if kind == "x" else (place, ancilla)))
            if kind == "x":
                circuit.h(ancilla)
            circuit.measure(ancilla, turn * len(checks) + index)
            circuit.reset(ancilla)
    circuit.measure(range(places), final)
    return circuit


def _checks(distance: int) -> list[tuple[str, list[int]]]:
    """The stabilisers of a rotated surface code: kind and data qubits."""
    checks = []
    for row in range(distance + 1):
        for column in range(distance + 1):
            around = [
                r * distance + c
                for r in (row - 1, row)
                for c in (column - 1, column)
                if 0 <= r < distance and 0 <= c < distance
            ]
            kind = "x" if (row + column) % 2 else "z"
            border = "z" if column in (0, distance) else "x"
            if len(around) == 4 or (len(around) == 2 and kind == border):
                checks.append((kind, around))
    assert len(checks) == distance * distance - 1
    assert all(len(np.intersect1d(a, b)) % 2 == 0 for kind, a in checks for other, b in checks if kind != other)
    return checks
