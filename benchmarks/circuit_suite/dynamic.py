"""Circuits that measure on their way: teleportation, Fourier transforms by feed-forward, resets, repeated tries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from benchmarks.circuit_suite.entry import Certain, Entry, rng_of


def entries() -> Iterator[Entry]:
    """All of them."""
    for hops in (2, 4, 8, 16):
        name = f"teleport_{hops}"
        yield Entry(name, "teleport", partial(teleport, name, hops))
    for width in (5, 9, 14):
        name = f"feed_forward_qft_{width}"
        yield Entry(name, "feed_forward_qft", partial(feed_forward_qft, name, width), Certain(_phase_bits(name, width)))
    for width, rounds in ((4, 3), (8, 3), (12, 4)):
        name = f"conditional_reset_{width}"
        yield Entry(name, "conditional_reset", partial(conditional_reset, name, width, rounds))
    for tries in (3, 6):
        name = f"repeat_until_{tries}"
        yield Entry(name, "repeat_until", partial(repeat_until, name, tries))


def teleport(name: str, hops: int) -> QuantumCircuit:
    """A random state passed on through `hops` Bell pairs, with corrections by outcomes."""
    rng = rng_of(name)
    qubits = QuantumRegister(2 * hops + 1, "q")
    heard = [ClassicalRegister(2, f"m{hop}") for hop in range(hops)]
    final = ClassicalRegister(1, "final")
    circuit = QuantumCircuit(qubits, *heard, final)
    circuit.ry(rng.uniform(0.3, 2.8), 0)
    circuit.rz(rng.uniform(0.3, 2.8), 0)
    for hop in range(hops):
        here, middle, there = 2 * hop, 2 * hop + 1, 2 * hop + 2
        circuit.h(middle)
        circuit.cx(middle, there)
        circuit.cx(here, middle)
        circuit.h(here)
        circuit.measure([here, middle], heard[hop])
        with circuit.if_test((heard[hop][1], 1)):
            circuit.x(there)
        with circuit.if_test((heard[hop][0], 1)):
            circuit.z(there)
    circuit.measure(2 * hops, final)
    return circuit


def _phase_bits(name: str, width: int) -> tuple[int, ...]:
    return tuple(rng_of(name).integers(0, 2, width).tolist())


def feed_forward_qft(name: str, width: int) -> QuantumCircuit:
    """A Fourier state of a number, transformed back qubit by qubit: each outcome turns the qubits that follow."""
    bits = _phase_bits(name, width)
    number = sum(bit << place for place, bit in enumerate(bits))
    circuit = QuantumCircuit(width, width)
    for place in range(width):
        circuit.h(place)
        circuit.p(2 * math.pi * number / 2 ** (place + 1), place)
    for place in range(width):
        for earlier in range(place):
            with circuit.if_test((circuit.clbits[earlier], 1)):
                circuit.p(-math.pi / 2 ** (place - earlier), place)
        circuit.h(place)
        circuit.measure(place, place)
    return circuit


def conditional_reset(name: str, width: int, rounds: int) -> QuantumCircuit:
    """Random layers; after each, one qubit is measured and flipped back to 0 where it was 1, another is reset."""
    rng = rng_of(name)
    circuit = QuantumCircuit(width, rounds + width)
    for turn in range(rounds):
        for qubit in range(width):
            circuit.ry(rng.uniform(-math.pi, math.pi), qubit)
        for place in range(turn % 2, width - 1, 2):
            circuit.cx(place, place + 1)
        flipped, cleared = rng.permutation(width)[:2].tolist()
        circuit.measure(flipped, turn)
        with circuit.if_test((circuit.clbits[turn], 1)):
            circuit.x(flipped)
        circuit.reset(cleared)
    circuit.measure(range(width), range(rounds, rounds + width))
    return circuit


def repeat_until(name: str, tries: int) -> QuantumCircuit:
    """A gate that succeeds by chance: tried again as long as the ancillas tell that it failed."""
    rng = rng_of(name)
    circuit = QuantumCircuit(3, 2 * tries + 1)
    circuit.ry(rng.uniform(0.5, 2.5), 2)
    for turn in range(tries):
        if turn == 0:
            _try(circuit, turn)
        else:
            with circuit.if_test((circuit.clbits[2 * turn - 2], 1)):
                _try(circuit, turn)
    circuit.h(2)
    circuit.measure(2, 2 * tries)
    return circuit


def _try(circuit: QuantumCircuit, turn: int) -> None:
    circuit.h([0, 1])
    circuit.ccx(0, 1, 2)
    circuit.s(2)
    circuit.ccx(0, 1, 2)
    circuit.h([0, 1])
    circuit.measure([0, 1], circuit.clbits[2 * turn : 2 * turn + 2])
    circuit.reset([0, 1])
