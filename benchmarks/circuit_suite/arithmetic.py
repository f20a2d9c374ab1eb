"""Sums over a superposition of numbers: most qubits follow, few branch, and every outcome can be checked by adding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Bits, Entry, Lawful, rng_of


def entries() -> Iterator[Entry]:
    """All of them."""
    for width, branching in ((3, 3), (6, 4), (9, 6), (14, 7), (19, 8), (30, 9)):
        name = f"adder_{2 * width + 2}"
        yield Entry(name, "adder", partial(adder, name, width, branching), _adder_law(name, width, branching))
    for width, branching in ((5, 3), (10, 6), (16, 8), (24, 8)):
        name = f"constant_adder_{width}"
        law = _constant_law(name, width, branching)
        yield Entry(name, "modular_constant", partial(constant_adder, name, width, branching), law)
    for width in (2, 3, 4, 6):
        name = f"product_{width}"
        yield Entry(name, "product", partial(product, width), _product_law(width))


def adder(name: str, width: int, branching: int) -> QuantumCircuit:
    """a, b → a, a + b by ripple carry (Cuccaro's), with `branching` of a's bits in superposition and b a number.

    Qubit 0 is the carry in; b and a alternate above it; the highest qubit is the carry out. All are measured, the bits
    of a first, then those of the sum.
    """
    circuit = QuantumCircuit(2 * width + 2, 2 * width + 1)
    a, b = [2 + 2 * place for place in range(width)], [1 + 2 * place for place in range(width)]
    places, addend, base = _adder_numbers(name, width, branching)
    for place in range(width):
        if place in places:
            circuit.h(a[place])
        elif base >> place & 1:
            circuit.x(a[place])
        if addend >> place & 1:
            circuit.x(b[place])
    _ripple(circuit, [0, *a], b, 2 * width + 1)
    circuit.measure([*a, *b, 2 * width + 1], range(2 * width + 1))
    return circuit


def constant_adder(name: str, width: int, branching: int) -> QuantumCircuit:
    """x → x + k modulo 2^width by phases between two Fourier transforms, `branching` bits of x in superposition."""
    places, constant, base = _adder_numbers(name, width, branching)
    circuit = QuantumCircuit(width, width)
    for place in range(width):
        if place in places:
            circuit.h(place)
        elif base >> place & 1:
            circuit.x(place)
    _fourier(circuit, width)
    for place in range(width):
        circuit.p(2 * math.pi * constant / 2 ** (place + 1), place)
    _fourier_back(circuit, width)
    circuit.measure(range(width), range(width))
    return circuit


def product(width: int) -> QuantumCircuit:
    """x, y → x · y for x in full superposition and y in that of two bits, by controlled shifted additions."""
    circuit = QuantumCircuit(5 * width + 1, 4 * width)
    x, y = list(range(width)), list(range(width, 2 * width))
    total, row, carry = list(range(2 * width, 4 * width)), list(range(4 * width, 5 * width)), 5 * width
    circuit.h(x)
    circuit.h(y[:2])
    if width > 2:
        circuit.x(y[2:])
    for place in range(width):
        for other in range(width):
            circuit.ccx(x[place], y[other], row[other])
        _ripple(circuit, [carry, *row], total[place : place + width], total[place + width])
        for other in range(width):
            circuit.ccx(x[place], y[other], row[other])
    circuit.measure([*x, *y, *total], range(4 * width))
    return circuit


def number(bits: Bits) -> NDArray[np.int64]:
    """Columns as a number, lowest first."""
    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[1], dtype=np.int64))


def _adder_numbers(name: str, width: int, branching: int) -> tuple[list[int], int, int]:
    """Which bits branch, the number that is added, and the bits that do not branch."""
    rng = rng_of(name)
    places = sorted(rng.permutation(width)[:branching].tolist())
    addend, base = (int(drawn) for drawn in rng.integers(0, 1 << width, 2))
    return places, addend, base & ~sum(1 << place for place in places)


def _adder_law(name: str, width: int, branching: int) -> Lawful:
    places, addend, base = _adder_numbers(name, width, branching)
    kept = sum(1 << place for place in range(width) if place not in places)

    def holds(bits: Bits) -> NDArray[np.bool_]:
        a = number(bits[:, :width])
        return (number(bits[:, width:]) == a + addend) & ((a & kept) == base)

    return Lawful(holds, lambda bits: bits[:, places])


def _constant_law(name: str, width: int, branching: int) -> Lawful:
    places, constant, base = _adder_numbers(name, width, branching)
    kept = sum(1 << place for place in range(width) if place not in places)

    def before(bits: Bits) -> NDArray[np.int64]:
        return (number(bits) - constant) % (1 << width)

    def free(bits: Bits) -> Bits:
        return ((before(bits)[:, None] >> np.array(places)) & 1).astype(np.uint8)

    return Lawful(lambda bits: (before(bits) & kept) == base, free)


def _product_law(width: int) -> Lawful:
    def holds(bits: Bits) -> NDArray[np.bool_]:
        x, y = number(bits[:, :width]), number(bits[:, width : 2 * width])
        high = ((1 << width) - 1) & ~3
        return (number(bits[:, 2 * width :]) == x * y) & ((y & high) == high)

    return Lawful(holds, lambda bits: bits[:, : width + min(2, width)])


def _ripple(circuit: QuantumCircuit, a: Sequence[int], b: Sequence[int], out: int) -> None:
    """b + a into b and `out`; a[0] is the carry in, a[1:] the number."""
    steps = list(zip(a[:-1], b, a[1:], strict=True))
    for carry, other, mine in steps:
        circuit.cx(mine, other)
        circuit.cx(mine, carry)
        circuit.ccx(carry, other, mine)
    circuit.cx(a[-1], out)
    for carry, other, mine in reversed(steps):
        circuit.ccx(carry, other, mine)
        circuit.cx(mine, carry)
        circuit.cx(carry, other)


def _fourier(circuit: QuantumCircuit, width: int) -> None:
    """The transform without its final swaps: qubit j holds the phase of x / 2^(j + 1)."""
    for target in reversed(range(width)):
        circuit.h(target)
        for control in reversed(range(target)):
            circuit.cp(math.pi / 2 ** (target - control), control, target)


def _fourier_back(circuit: QuantumCircuit, width: int) -> None:
    for target in range(width):
        for control in range(target):
            circuit.cp(-math.pi / 2 ** (target - control), control, target)
        circuit.h(target)
