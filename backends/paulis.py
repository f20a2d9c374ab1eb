"""Expectation values of Pauli labels in a dense state."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from qiskit._accelerate.pauli_expval import expval_pauli_no_x, expval_pauli_with_x

_PHASES = (1, -1j, -1, 1j)


def expectation(state: NDArray[np.complex128], width: int, label: str, lines: Mapping[int, int]) -> float:
    """The value of one label in a normalised state of `width` busy qubits.

    `lines` maps the circuit's busy qubits to the state's, in rising order; every other qubit is in |0>.
    """
    flips, signs, ys = masks(label)
    if len(lines) < len(label):
        narrowed = _narrow(flips, signs, lines)
        if narrowed is None:
            return 0.0
        flips, signs = narrowed
    if flips:
        return float(expval_pauli_with_x(state, width, signs, flips, _PHASES[ys % 4], flips.bit_length() - 1))
    return float(expval_pauli_no_x(state, width, signs)) if signs else 1.0


def pauli_of(label: str) -> tuple[tuple[int, str], ...]:
    """A label as a product of Pauli operators: (qubit, letter) for each qubit that it acts on."""
    return tuple((qubit, letter) for qubit, letter in enumerate(reversed(label)) if letter != "I")


def narrow(label: str, lines: Mapping[int, int]) -> str | None:
    """A label over the busy qubits only; None where an idle qubit makes its value 0."""
    letters = ["I"] * len(lines)
    for qubit, letter in enumerate(reversed(label)):
        if qubit in lines:
            letters[lines[qubit]] = letter
        elif letter in "XY":
            return None
    return "".join(reversed(letters))


@lru_cache(maxsize=65_536)
def masks(label: str) -> tuple[int, int, int]:
    """A label as the bits it flips (X, Y), the bits it signs (Y, Z) and its number of Ys."""
    flips = int(label.translate(_FLIPS), 2)
    signs = int(label.translate(_SIGNS), 2)
    return flips, signs, label.count("Y")


def _narrow(flips: int, signs: int, lines: Mapping[int, int]) -> tuple[int, int] | None:
    """Masks over the busy qubits; None where an idle qubit is flipped."""
    narrowed_flips = narrowed_signs = covered = 0
    for qubit, line in lines.items():
        covered |= 1 << qubit
        narrowed_flips |= (flips >> qubit & 1) << line
        narrowed_signs |= (signs >> qubit & 1) << line
    return None if flips & ~covered else (narrowed_flips, narrowed_signs)


_FLIPS = str.maketrans("IXYZ", "0110")
_SIGNS = str.maketrans("IXYZ", "0011")
