"""Final states of one circuit at many parameter sets at once: dense, small, in NumPy.

The array has a row for each basis state and a column for each parameter set, so a gate is a few operations on rows
whatever the number of sets, and an open angle is one more row. Five qubits and sixty gates take 6 µs a set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.matrices import matrix_of
from backends.program import Op

Numbers = NDArray[np.float64]
States = NDArray[np.complex128]
Factor = complex | NDArray[np.complex128]
Entries = Mapping[tuple[int, int], Factor]
"""The entries of a matrix that are not zero, each one number or one for every set."""

_Params = tuple[float | Numbers, ...]


def zero_states(width: int, sets: int) -> States:
    """Every set in |0…0>."""
    states = np.zeros((1 << width, sets), dtype=complex)
    states[0] = 1.0
    return states


def apply(states: States, op: Op, angles: Mapping[int, Numbers]) -> None:
    """One gate on all columns, in place; `angles` are those of its parameters that differ from set to set."""
    rows = _rows(len(states).bit_length() - 1, op.qubits)
    if angles:
        params = tuple(angles.get(place, number.real) for place, number in enumerate(op.params))
        entries = _open_entries(op, params, states.shape[1])
    else:
        entries = _entries(matrix_of(op))
    changed: dict[int, dict[int, Factor]] = {}
    for (row, column), factor in entries.items():
        changed.setdefault(row, {})[column] = factor
    changed = {row: factors for row, factors in changed.items() if not _stays(row, factors)}
    before = {column: states[rows[column]] for factors in changed.values() for column in factors}
    for row, factors in changed.items():
        parts = [before[column] if _is_one(factor) else before[column] * factor for column, factor in factors.items()]
        states[rows[row]] = sum(parts[1:], parts[0])


def _stays(row: int, factors: Mapping[int, Factor]) -> bool:
    return factors.keys() == {row} and _is_one(factors[row])


def _is_one(factor: Factor) -> bool:
    return isinstance(factor, complex) and factor == 1


@lru_cache(maxsize=4096)
def _rows(width: int, qubits: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """For each value of these qubits (the first lowest) the basis states that have it, in one order of the rest."""
    rest = [qubit for qubit in range(width) if qubit not in qubits]
    base = np.zeros(1 << len(rest), dtype=np.int64)
    for place, qubit in enumerate(rest):
        base |= ((np.arange(len(base)) >> place) & 1) << qubit
    return tuple(
        base + sum(((value >> place) & 1) << qubit for place, qubit in enumerate(qubits))
        for value in range(1 << len(qubits))
    )


def _entries(matrix: NDArray[np.complex128]) -> Entries:
    return {(int(row), int(column)): complex(matrix[row, column]) for row, column in np.argwhere(matrix)}


def _open_entries(op: Op, params: _Params, sets: int) -> Entries:
    """As `_entries` where parameters are open: by formula for common gates, else from the matrix of every set."""
    name = op.name
    if name in ("rx", "ry", "rz", "p"):
        return _turn(name, params[0])
    if name in ("crx", "cry", "crz", "cp"):
        inner = _turn("p" if name == "cp" else name[1:], params[0])
        return {(0, 0): 1 + 0j, (2, 2): 1 + 0j} | {(1 + 2 * r, 1 + 2 * c): factor for (r, c), factor in inner.items()}
    if name in ("rxx", "ryy", "rzz", "rzx"):
        return _pair_turn(name, params[0])
    if name == "u":
        return _u(*params)
    columns = [np.broadcast_to(np.asarray(one, dtype=float), sets).tolist() for one in params]
    every = np.stack([matrix_of(op._replace(params=tuple(one))) for one in zip(*columns, strict=True)])
    wanted = np.argwhere(np.abs(every).max(axis=0) > 0)
    return {(int(row), int(column)): every[:, row, column] for row, column in wanted}


def _turn(name: str, turn: Any) -> Entries:
    cosine, sine = np.cos(turn / 2), np.sin(turn / 2)
    match name:
        case "rx":
            return {(0, 0): cosine, (0, 1): -1j * sine, (1, 0): -1j * sine, (1, 1): cosine}
        case "ry":
            return {(0, 0): cosine, (0, 1): -sine, (1, 0): sine, (1, 1): cosine}
        case "rz":
            return {(0, 0): cosine - 1j * sine, (1, 1): cosine + 1j * sine}
        case _:
            return {(0, 0): 1 + 0j, (1, 1): np.exp(1j * turn)}


def _pair_turn(name: str, turn: Any) -> Entries:
    """exp(-i turn/2 P): at half a turn nothing is left but -i P, which gives P."""
    product = 1j * matrix_of(Op(name, (0, 1), (math.pi,)))
    cosine, sine = np.cos(turn / 2), -1j * np.sin(turn / 2)
    found: dict[tuple[int, int], Factor] = {(row, row): cosine for row in range(4)}
    for row, column in np.argwhere(np.abs(product) > 0.5).tolist():
        found[row, column] = found.get((row, column), 0) + sine * product[row, column]
    return found


def _u(theta: Any, phi: Any, lam: Any) -> Entries:
    cosine, sine = np.cos(theta / 2), np.sin(theta / 2)
    return {
        (0, 0): cosine,
        (0, 1): -np.exp(1j * lam) * sine,
        (1, 0): np.exp(1j * phi) * sine,
        (1, 1): np.exp(1j * (phi + lam)) * cosine,
    }
