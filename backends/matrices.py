"""The matrix of every gate of a program, in Qiskit's order: the first qubit is the lowest bit of the index."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.program import Op

Matrix = NDArray[np.complex128]

_ROOT = math.sqrt(0.5)
_EIGHTH = cmath.exp(0.25j * math.pi)


def matrix_of(op: Op) -> Matrix:
    """The matrix of a gate; rows and columns count its qubits from the first, lowest. Not to be written to."""
    match op.name:
        case "unitary":
            size = 1 << len(op.qubits)
            return np.asarray(op.params, dtype=complex).reshape(size, size)
        case "diagonal":
            return np.diag(np.asarray(op.params, dtype=complex))
        case "mcx":
            return _mcx(len(op.qubits))
        case "mcp":
            diagonal = np.ones(1 << len(op.qubits), dtype=complex)
            diagonal[-1] = cmath.exp(1j * op.params[0])
            return np.diag(diagonal)
        case _:
            return _of_name(op.name, op.params)


@lru_cache(maxsize=512)
def _of_name(name: str, params: tuple[float, ...]) -> Matrix:
    made = np.array(_MAKERS[name](*params), dtype=complex)
    made.setflags(write=False)
    return made


@lru_cache(maxsize=16)
def _mcx(width: int) -> Matrix:
    """Controls first, the target is the highest bit."""
    size = 1 << width
    made = np.eye(size, dtype=complex)
    one, other = size // 2 - 1, size - 1
    made[[one, other]] = made[[other, one]]
    return made


def _rx(turn: float) -> Any:
    c, s = math.cos(turn / 2), math.sin(turn / 2)
    return [[c, -1j * s], [-1j * s, c]]


def _ry(turn: float) -> Any:
    c, s = math.cos(turn / 2), math.sin(turn / 2)
    return [[c, -s], [s, c]]


def _rz(turn: float) -> Any:
    return [[cmath.exp(-0.5j * turn), 0], [0, cmath.exp(0.5j * turn)]]


def _p(turn: float) -> Any:
    return [[1, 0], [0, cmath.exp(1j * turn)]]


def _u(theta: float, phi: float, lam: float) -> Any:
    c, s = math.cos(theta / 2), math.sin(theta / 2)
    return [[c, -cmath.exp(1j * lam) * s], [cmath.exp(1j * phi) * s, cmath.exp(1j * (phi + lam)) * c]]


def _controlled(inner: Any) -> Any:
    """The first qubit controls the second."""
    (a, b), (c, d) = np.asarray(inner).tolist()
    return [[1, 0, 0, 0], [0, a, 0, b], [0, 0, 1, 0], [0, c, 0, d]]


def _cu(theta: float, phi: float, lam: float, gamma: float) -> Any:
    return _controlled(cmath.exp(1j * gamma) * np.array(_u(theta, phi, lam)))


def _pair_turn(left: Any, right: Any) -> Callable[[float], Any]:
    """exp(-i turn/2 of left on the second qubit and right on the first)."""
    product = np.kron(np.array(left, dtype=complex), np.array(right, dtype=complex))
    return lambda turn: math.cos(turn / 2) * np.eye(4) - 1j * math.sin(turn / 2) * product


def _permuted(columns: tuple[int, ...]) -> Any:
    made = np.zeros((len(columns), len(columns)))
    made[list(columns), range(len(columns))] = 1
    return made


_X, _Y, _Z = [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]
_H = [[_ROOT, _ROOT], [_ROOT, -_ROOT]]
_SX = [[(1 + 1j) / 2, (1 - 1j) / 2], [(1 - 1j) / 2, (1 + 1j) / 2]]
_SXDG = [[(1 - 1j) / 2, (1 + 1j) / 2], [(1 + 1j) / 2, (1 - 1j) / 2]]
_MAKERS: dict[str, Callable[..., Any]] = {
    "x": lambda: _X,
    "y": lambda: _Y,
    "z": lambda: _Z,
    "h": lambda: _H,
    "s": lambda: [[1, 0], [0, 1j]],
    "sdg": lambda: [[1, 0], [0, -1j]],
    "t": lambda: [[1, 0], [0, _EIGHTH]],
    "tdg": lambda: [[1, 0], [0, _EIGHTH.conjugate()]],
    "sx": lambda: _SX,
    "sxdg": lambda: _SXDG,
    "rx": _rx,
    "ry": _ry,
    "rz": _rz,
    "p": _p,
    "u": _u,
    "cx": lambda: _controlled(_X),
    "cy": lambda: _controlled(_Y),
    "cz": lambda: _controlled(_Z),
    "ch": lambda: _controlled(_H),
    "csx": lambda: _controlled(_SX),
    "cp": lambda turn: _controlled(_p(turn)),
    "crx": lambda turn: _controlled(_rx(turn)),
    "cry": lambda turn: _controlled(_ry(turn)),
    "crz": lambda turn: _controlled(_rz(turn)),
    "cu": _cu,
    "swap": lambda: _permuted((0, 2, 1, 3)),
    "iswap": lambda: [[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]],
    "ecr": lambda: [
        [0, _ROOT, 0, 1j * _ROOT],
        [_ROOT, 0, -1j * _ROOT, 0],
        [0, 1j * _ROOT, 0, _ROOT],
        [-1j * _ROOT, 0, _ROOT, 0],
    ],
    "rxx": _pair_turn(_X, _X),
    "ryy": _pair_turn(_Y, _Y),
    "rzz": _pair_turn(_Z, _Z),
    "rzx": _pair_turn(_X, _Z),
    "ccx": lambda: _permuted((0, 1, 2, 7, 4, 5, 6, 3)),
    "ccz": lambda: np.diag([1, 1, 1, 1, 1, 1, 1, -1]),
    "cswap": lambda: _permuted((0, 1, 2, 5, 4, 3, 6, 7)),
}
