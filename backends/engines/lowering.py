"""Rewrites gates that an engine lacks into gates that it has, up to a global phase.

Each rule leads a step down, towards CX and turns of one qubit; a rule is followed until every name is known. The few
gates of any width go through Qiskit's own definitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import DiagonalGate, Initialize, MCPhaseGate, MCXGate, UnitaryGate

from backends.engines.port import Unsuited
from backends.gates import CLIFFORD, TURNING, clifford_steps
from backends.program import LOOKING, Op, Program
from backends.programming import program_of

_HALF, _EIGHTH = math.pi / 2, math.pi / 4

_Step = tuple[str, tuple[int, ...], tuple[float, ...] | tuple[complex, ...]]
"""A gate on some of the original's qubits, by position."""
_DEFINED = frozenset({"mcx", "mcp", "unitary", "diagonal", "initialize"})


def lowered(operations: Iterable[Op], known: Collection[str]) -> Iterator[Op]:
    """The same operations over the `known` gates; measurements and resets pass. Raises Unsuited for what no rule
    leads to.
    """
    for op in operations:
        if op.name in known or op.name in LOOKING:
            yield op
            continue
        for name, places, params in _steps(op):
            inner = Op(name, tuple(op.qubits[place] for place in places), params, (), op.condition)
            if name in known or name in LOOKING:
                yield inner
            else:
                yield from lowered((inner,), known)


def cliffordised(operations: Iterable[Op]) -> Iterator[Op]:
    """The same operations over Clifford gates without angles; raises Unsuited for any other."""
    for op in operations:
        if op.name in CLIFFORD or op.name in LOOKING:
            yield op
            continue
        steps = clifford_steps(op.name, op.params) if op.name in TURNING else None
        if steps is None:
            raise Unsuited(f'"{op.name}" is no Clifford gate')
        for name, places in steps:
            yield Op(name, tuple(op.qubits[place] for place in places), (), (), op.condition)


def _steps(op: Op) -> tuple[_Step, ...]:
    if op.name in _DEFINED:
        return _defined(op.name, len(op.qubits), op.params)
    rule = _RULES.get(op.name)
    if rule is None:
        raise Unsuited(f'it has no gate "{op.name}"')
    return rule(*op.params)


@lru_cache(maxsize=256)
def _defined(name: str, width: int, params: tuple[float, ...] | tuple[complex, ...]) -> tuple[_Step, ...]:
    """A gate of any width by Qiskit's definition."""
    size = 1 << width
    match name:
        case "mcx":
            gate = MCXGate(width - 1)
        case "mcp":
            gate = MCPhaseGate(params[0], width - 1)
        case "unitary":
            gate = UnitaryGate(np.array(params).reshape(size, size))
        case "diagonal":
            gate = DiagonalGate(list(params))
        case _:
            gate = Initialize(list(params))
    circuit = QuantumCircuit(width)
    if name == "initialize":
        circuit.reset(range(width))
        circuit.compose(gate.gates_to_uncompute().inverse(), inplace=True)
    else:
        circuit.compose(gate.definition, inplace=True)
    program = program_of(circuit)
    assert isinstance(program, Program)
    return tuple((op.name, op.qubits, op.params) for op in program.operations)


def _on(qubit: int, *names: str) -> tuple[_Step, ...]:
    return tuple((name, (qubit,), ()) for name in names)


_CX: _Step = ("cx", (0, 1), ())


def _turn(name: str, qubit: int, turn: float) -> _Step:
    return (name, (qubit,), (turn,))


def _cu(theta: float, phi: float, lam: float, gamma: float) -> tuple[_Step, ...]:
    return (
        _turn("p", 0, gamma + (lam + phi) / 2),
        _turn("p", 1, (lam - phi) / 2),
        _CX,
        ("u", (1,), (-theta / 2, 0.0, -(phi + lam) / 2)),
        _CX,
        ("u", (1,), (theta / 2, phi, 0.0)),
    )


_CCX: tuple[_Step, ...] = (
    *_on(2, "h"),
    ("cx", (1, 2), ()),
    *_on(2, "tdg"),
    ("cx", (0, 2), ()),
    *_on(2, "t"),
    ("cx", (1, 2), ()),
    *_on(2, "tdg"),
    ("cx", (0, 2), ()),
    *_on(1, "t"),
    *_on(2, "t", "h"),
    _CX,
    *_on(0, "t"),
    *_on(1, "tdg"),
    _CX,
)
_BOTH_H = (*_on(0, "h"), *_on(1, "h"))
_BOTH_FORTH = (_turn("rx", 0, _HALF), _turn("rx", 1, _HALF))
_BOTH_BACK = (_turn("rx", 0, -_HALF), _turn("rx", 1, -_HALF))

_RULES: dict[str, Callable[..., tuple[_Step, ...]]] = {
    "y": lambda: _on(0, "z", "x"),
    "z": lambda: _on(0, "s", "s"),
    "s": lambda: (_turn("p", 0, _HALF),),
    "sdg": lambda: (_turn("p", 0, -_HALF),),
    "t": lambda: (_turn("p", 0, _EIGHTH),),
    "tdg": lambda: (_turn("p", 0, -_EIGHTH),),
    "sx": lambda: (_turn("rx", 0, _HALF),),
    "sxdg": lambda: (_turn("rx", 0, -_HALF),),
    "rx": lambda turn: (*_on(0, "h"), _turn("rz", 0, turn), *_on(0, "h")),
    "p": lambda turn: (_turn("rz", 0, turn),),
    "u": lambda theta, phi, lam: (_turn("rz", 0, lam), _turn("ry", 0, theta), _turn("rz", 0, phi)),
    "cy": lambda: (*_on(1, "sdg"), _CX, *_on(1, "s")),
    "cz": lambda: (*_on(1, "h"), _CX, *_on(1, "h")),
    "ch": lambda: (*_on(1, "s", "h", "t"), _CX, *_on(1, "tdg", "h", "sdg")),
    "csx": lambda: (*_on(1, "h"), ("cp", (0, 1), (_HALF,)), *_on(1, "h")),
    "cp": lambda turn: (_turn("p", 0, turn / 2), _CX, _turn("p", 1, -turn / 2), _CX, _turn("p", 1, turn / 2)),
    "crz": lambda turn: (_turn("rz", 1, turn / 2), _CX, _turn("rz", 1, -turn / 2), _CX),
    "cry": lambda turn: (_turn("ry", 1, turn / 2), _CX, _turn("ry", 1, -turn / 2), _CX),
    "crx": lambda turn: (*_on(1, "h"), ("crz", (0, 1), (turn,)), *_on(1, "h")),
    "cu": _cu,
    "swap": lambda: (_CX, ("cx", (1, 0), ()), _CX),
    "iswap": lambda: (*_on(0, "s"), *_on(1, "s"), *_on(0, "h"), _CX, ("cx", (1, 0), ()), *_on(1, "h")),
    "ecr": lambda: (*_on(0, "s"), *_on(1, "sx"), _CX, *_on(0, "x")),
    "rzz": lambda turn: (_CX, _turn("rz", 1, turn), _CX),
    "rzx": lambda turn: (*_on(1, "h"), ("rzz", (0, 1), (turn,)), *_on(1, "h")),
    "rxx": lambda turn: (*_BOTH_H, ("rzz", (0, 1), (turn,)), *_BOTH_H),
    "ryy": lambda turn: (*_BOTH_FORTH, ("rzz", (0, 1), (turn,)), *_BOTH_BACK),
    "ccx": lambda: _CCX,
    "ccz": lambda: (*_on(2, "h"), ("ccx", (0, 1, 2), ()), *_on(2, "h")),
    "cswap": lambda: (("cx", (2, 1), ()), ("ccx", (0, 1, 2), ()), ("cx", (2, 1), ())),
}
