"""One circuit as plain numbers: the flat form that reductions rewrite, features count and engines convert.

A `Program` is immutable and knows nothing of Qiskit. Qubits and classical bits are counted from 0; gates come from
`GATES` alone, so that whoever reads one has some thirty names to know; global phases are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

GATES: dict[str, tuple[int, int]] = {
    # name: (qubits, parameters)
    **dict.fromkeys(("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"), (1, 0)),
    **dict.fromkeys(("rx", "ry", "rz", "p"), (1, 1)),
    "u": (1, 3),
    **dict.fromkeys(("cx", "cy", "cz", "ch", "csx", "swap", "iswap", "ecr"), (2, 0)),
    **dict.fromkeys(("cp", "crx", "cry", "crz", "rxx", "ryy", "rzz", "rzx"), (2, 1)),
    "cu": (2, 4),
    **dict.fromkeys(("ccx", "ccz", "cswap"), (3, 0)),
}
"""Gates of fixed width, with Qiskit's meaning: controls first, the lowest qubit first in matrices."""

WIDE = frozenset({"mcx", "mcp", "unitary", "diagonal", "initialize"})
"""Gates of any width. "mcx" and "mcp" take their controls first and the target last. The parameters of the others are
complex: a matrix row by row, its diagonal, the amplitudes of a state that is prepared after a reset."""

LOOKING = frozenset({"measure", "reset"})


class Clause(NamedTuple):
    """Whether the number that some classical bits hold (lowest first) is among `values`; `inside` False turns it."""

    bits: tuple[int, ...]
    values: tuple[int, ...]
    inside: bool = True


class Op(NamedTuple):
    """One step. `condition`: every one of these clauses must hold when its turn comes, else nothing happens."""

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] | tuple[complex, ...] = ()
    clbits: tuple[int, ...] = ()
    condition: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A circuit without parameters or control flow but conditions; all qubits start in |0>, all bits in 0."""

    qubits: int
    clbits: int
    operations: tuple[Op, ...]


@dataclass(frozen=True, slots=True)
class Unflat:
    """A circuit that no `Program` can express, and why: a loop of unknown length, a computed condition."""

    reason: str


def readout(program: Program) -> dict[int, int] | None:
    """For each classical bit that hears of a qubit, that qubit; None where one final state does not tell all outcomes.

    It does not where an operation follows a measurement of its qubit, is conditional, or is a reset of a qubit that
    something happened to.
    """
    outcome: dict[int, int] = {}
    measured: set[int] = set()
    touched: set[int] = set()
    for name, qubits, _, clbits, condition in program.operations:
        if condition:
            return None
        if name == "measure":
            measured.add(qubits[0])
            outcome[clbits[0]] = qubits[0]
            continue
        if not measured.isdisjoint(qubits) or (name in ("reset", "initialize") and not touched.isdisjoint(qubits)):
            return None
        if name != "reset":
            touched.update(qubits)
    return outcome


def busy(operations: Sequence[Op]) -> tuple[int, ...]:
    """The qubits that any gate acts on, in order: measurements and resets of others tell nothing new."""
    return tuple(sorted({qubit for op in operations if op.name not in LOOKING for qubit in op.qubits}))
