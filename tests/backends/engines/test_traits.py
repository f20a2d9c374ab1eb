"""What engines ask about a program."""

from __future__ import annotations

import math

from backends.engines.traits import traits_of
from backends.program import Clause, Op, Program


def test_a_clifford_program_with_an_end() -> None:
    gates = (Op("h", (1,)), Op("rz", (1,), (math.pi / 2,)), Op("cx", (1, 3)), Op("measure", (3,), (), (0,)))
    found = traits_of(Program(5, 2, gates))
    assert (found.qubits, found.clbits, found.busy, found.gates, found.widest) == (5, 2, 2, 3, 2)
    assert (found.clifford, found.terminal, found.conditional) == (True, True, False)
    assert found.names == {"h", "rz", "cx", "measure"}


def test_one_that_is_neither() -> None:
    asked = (Op("t", (0,)), Op("measure", (0,), (), (0,)), Op("x", (0,), condition=(Clause((0,), (1,)),)))
    found = traits_of(Program(1, 1, asked))
    assert (found.clifford, found.terminal, found.conditional) == (False, False, True)
