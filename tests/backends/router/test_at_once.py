"""Which programs are run without further thought, and by whom."""

from __future__ import annotations

import pytest

from backends.engines.roster import installed
from backends.engines.traits import traits_of
from backends.program import Op, Program
from backends.router.at_once import at_once

END = Op("measure", (0,), (), (0,))


def turned(qubits: int, *last: Op) -> Program:
    return Program(qubits, 1, (*(Op("ry", (qubit,), (0.1,)) for qubit in range(qubits)), *last, END))


def name_of(program: Program, *without: str) -> str | None:
    engines = {name: engine for name, engine in installed().items() if not name.startswith(without)}
    engine = at_once(traits_of(program), engines)
    return None if engine is None else engine.name


def test_few_qubits_go_to_the_quickest_dense_state_there_is() -> None:
    assert name_of(turned(13)) == "prismq.statevector"
    assert name_of(turned(13), "prismq") == "qulacs"
    assert name_of(turned(13), "prismq", "qulacs") == "aer.statevector"
    assert name_of(turned(13), "prismq", "qulacs", "aer") is None


@pytest.mark.parametrize(
    "program",
    [turned(14), turned(2, END, Op("x", (0,))), turned(5, Op("mcx", (0, 1, 2, 3)))],
    ids=["wide", "measured on the way", "a wide gate"],
)
def test_others_are_thought_about(program: Program) -> None:
    assert name_of(program) is None
