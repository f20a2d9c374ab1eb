"""A state as a Clifford frame around a small dense state: C (|w> on the active qubits, |0> on the others).

Clifford gates change the frame alone. A turn about a Pauli product is seen from inside the frame as one about another
product. Where that only looks at resting qubits (has no X or Y on them), the dense state turns; where it would flip
one, that qubit becomes active, and the frame takes up the rest such that it stays a factor of its own. So the dense
state has at most as many qubits as there were turns, however wide the circuit is.

After T. Yoder, A generalization of the stabilizer formalism for simulating arbitrary quantum circuits, 2012.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.engines.port import Budget, GaveUp, Pauli

Product = tuple[int, int, int]
"""(x, z, k): i^k X^x Z^z, the bits of x and z counting qubits; Hermitian if k is the parity of x & z."""

BYTES_PER_AMPLITUDE = 80
GATE_S, ROW_S, TURN_S, AMPLITUDE_S = 1.2e-6, 4e-7, 3e-5, 3e-8
"""What a Clifford gate takes, a row that a new active qubit changes, a turn, and its pass over the dense state."""


def times(left: Product, right: Product) -> Product:
    """The product of two Pauli products."""
    return left[0] ^ right[0], left[1] ^ right[1], (left[2] + right[2] + 2 * (left[1] & right[0]).bit_count()) & 3


class FrameState:
    """`xs` and `zs` hold what X and Z of each qubit look like from inside; `dense` is the `active` qubits' state."""

    __slots__ = ("_bytes_max", "_dense_mask", "_seconds_max", "active", "dense", "seconds", "xs", "zs")

    def __init__(self, width: int, budget: Budget) -> None:
        self.xs: list[Product] = [(1 << qubit, 0, 0) for qubit in range(width)]
        self.zs: list[Product] = [(0, 1 << qubit, 0) for qubit in range(width)]
        self.active: list[int] = []
        self.dense: NDArray[np.complex128] = np.ones(1, dtype=np.complex128)
        self.seconds = 0.0
        self._dense_mask = 0
        self._seconds_max = budget.seconds
        self._bytes_max = budget.memory_bytes

    def clifford(self, name: str, qubits: Sequence[int]) -> None:
        """One of h, s, sdg, x, y, z, sx, sxdg, cx, cz, swap."""
        self._spend(GATE_S)
        xs, zs = self.xs, self.zs
        one = qubits[0]
        match name:
            case "h":
                xs[one], zs[one] = zs[one], xs[one]
            case "s":
                xs[one] = _phased(times(xs[one], zs[one]), 3)
            case "sdg":
                xs[one] = _phased(times(xs[one], zs[one]), 1)
            case "sx":
                zs[one] = _phased(times(zs[one], xs[one]), 3)
            case "sxdg":
                zs[one] = _phased(times(zs[one], xs[one]), 1)
            case "x":
                zs[one] = _phased(zs[one], 2)
            case "y":
                xs[one], zs[one] = _phased(xs[one], 2), _phased(zs[one], 2)
            case "z":
                xs[one] = _phased(xs[one], 2)
            case "cx":
                other = qubits[1]
                xs[one], zs[other] = times(xs[one], xs[other]), times(zs[one], zs[other])
            case "cz":
                other = qubits[1]
                xs[one], xs[other] = times(xs[one], zs[other]), times(zs[one], xs[other])
            case "swap":
                other = qubits[1]
                xs[one], xs[other] = xs[other], xs[one]
                zs[one], zs[other] = zs[other], zs[one]
            case _:
                raise KeyError(name)

    def seen(self, pauli: Pauli) -> Product:
        """What a Pauli product looks like from inside the frame."""
        found: Product = (0, 0, 0)
        for qubit, letter in pauli:
            if letter != "Z":
                found = times(found, self.xs[qubit])
            if letter != "X":
                found = times(found, self.zs[qubit])
            if letter == "Y":
                found = _phased(found, 1)
        return found

    def turn(self, pauli: Pauli, angle: float) -> None:
        """exp(-i angle/2 P)."""
        product = self.seen(pauli)
        flipped = product[0] & ~self._dense_mask
        if flipped:
            self._activate(product, (flipped & -flipped).bit_length() - 1, angle)
        else:
            self._spend(TURN_S + AMPLITUDE_S * len(self.dense))
            self.dense = math.cos(angle / 2) * self.dense - 1j * math.sin(angle / 2) * self._acted(product)

    def _activate(self, product: Product, qubit: int, angle: float) -> None:
        """A turn that would flip a resting qubit: with D the rest of the product, controlled by that qubit, it is D
        times a turn of that qubit alone times D, and D does nothing to |0>.
        """
        size = 2 * len(self.dense)
        self._spend(TURN_S + ROW_S * 2 * len(self.xs) + AMPLITUDE_S * size)
        if BYTES_PER_AMPLITUDE * size > self._bytes_max:
            raise MemoryError(f"{len(self.active) + 1} active qubits")
        bit = 1 << qubit
        x, z, phase = product
        about_y = bool(z & bit)
        rest = (x ^ bit, z & ~bit, phase + 3 * about_y)
        self.xs = [_controlled(row, bit, rest) for row in self.xs]
        self.zs = [_controlled(row, bit, rest) for row in self.zs]
        self.active.append(qubit)
        self._dense_mask |= bit
        raised = math.sin(angle / 2) * (1 if about_y else -1j)
        self.dense = np.concatenate([math.cos(angle / 2) * self.dense, raised * self.dense])

    def value(self, pauli: Pauli) -> float:
        """The expectation value of a product."""
        product = self.seen(pauli)
        if product[0] & ~self._dense_mask:
            return 0.0
        self._spend(TURN_S + AMPLITUDE_S * len(self.dense))
        return float(np.vdot(self.dense, self._acted(product)).real)

    def restricted(self, product: Product) -> Product:
        """What a product that flips no resting qubit does to the dense state, whose qubits count from 0."""
        x, z, phase = product
        inner_x = inner_z = 0
        for place, qubit in enumerate(self.active):
            inner_x |= (x >> qubit & 1) << place
            inner_z |= (z >> qubit & 1) << place
        return inner_x, inner_z, phase

    def flips_resting(self, product: Product) -> int:
        """The resting qubits that a product flips, as a mask."""
        return product[0] & ~self._dense_mask

    def _acted(self, product: Product) -> NDArray[np.complex128]:
        return acted(self.restricted(product), self.dense)

    def _spend(self, seconds: float) -> None:
        """Counted by formula and not by a clock, so that answers are the same everywhere."""
        self.seconds += seconds
        if self.seconds > self._seconds_max:
            raise GaveUp(f"its work exceeds {self._seconds_max:.2g} s, at {len(self.active)} active qubits")


def acted(product: Product, state: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """A product times a dense state, bit 0 of whose index is qubit 0."""
    x, z, phase = product
    places = np.arange(len(state))
    if x:
        places ^= x
    found = state[places] if x else state
    signs = 1.0 - 2.0 * (np.bitwise_count(places & z) & 1)
    return np.asarray((1, 1j, -1, -1j)[phase % 4] * signs * found)


def _phased(product: Product, quarters: int) -> Product:
    return product[0], product[1], product[2] + quarters


def _controlled(row: Product, bit: int, rest: Product) -> Product:
    """A product between two times `rest` controlled by the qubit of `bit`."""
    x, z, _ = row
    apart = ((x & rest[1]).bit_count() + (z & rest[0]).bit_count()) & 1
    if x & bit:
        return _phased(times(times(row, (0, bit, 0)), rest), 2) if apart else times(row, rest)
    return times(row, (0, bit, 0)) if apart else row
