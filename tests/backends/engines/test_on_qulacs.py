"""Qulacs takes what ends in one state. (Its answers: conformance.)"""

from __future__ import annotations

from backends.engines.on_qulacs import OnQulacs
from backends.engines.traits import traits_of
from backends.program import Op, Program


def test_what_it_does_not_take() -> None:
    wide = Program(31, 0, tuple(Op("h", (qubit,)) for qubit in range(31)))
    again = Program(1, 1, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,))))
    assert "too wide" in (OnQulacs().obstacle(traits_of(wide)) or "")
    assert OnQulacs().obstacle(traits_of(again)) == "outcomes are random before the end"
