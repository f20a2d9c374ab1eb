"""What engines ask about a program: one pass, under a microsecond an operation."""

from __future__ import annotations

from dataclasses import dataclass

from backends.gates import CLIFFORD, TURNING, clifford_steps
from backends.program import LOOKING, Program, readout


@dataclass(frozen=True, slots=True)
class Traits:
    """`busy` qubits are those that any gate acts on; `widest` is the most qubits under one gate."""

    qubits: int
    clbits: int
    busy: int
    gates: int
    names: frozenset[str]
    widest: int
    clifford: bool
    terminal: bool
    conditional: bool


def traits_of(program: Program) -> Traits:
    """Look at every operation once."""
    names: set[str] = set()
    busy: set[int] = set()
    gates = widest = 0
    clifford, conditional = True, False
    for name, qubits, params, _, condition in program.operations:
        names.add(name)
        conditional = conditional or bool(condition)
        if name in LOOKING:
            continue
        gates += 1
        busy.update(qubits)
        widest = max(widest, len(qubits))
        if clifford and name not in CLIFFORD:
            clifford = name in TURNING and clifford_steps(name, params) is not None
    return Traits(
        qubits=program.qubits,
        clbits=program.clbits,
        busy=len(busy),
        gates=gates,
        names=frozenset(names),
        widest=widest,
        clifford=clifford,
        terminal=readout(program) is not None,
        conditional=conditional,
    )
