"""Stories of the flat form: what one final state tells."""

from __future__ import annotations

from backends.program import Clause, Op, Program, busy, readout


def told(*operations: Op) -> dict[int, int] | None:
    return readout(Program(3, 3, operations))


def test_measurements_at_the_end_tell_all() -> None:
    assert told(Op("h", (0,)), Op("measure", (0,), (), (2,)), Op("x", (1,)), Op("measure", (1,), (), (0,))) == {
        2: 0,
        0: 1,
    }


def test_the_last_measurement_into_a_bit_counts() -> None:
    assert told(Op("measure", (0,), (), (1,)), Op("measure", (2,), (), (1,))) == {1: 2}


def test_a_gate_after_a_measurement_a_late_reset_and_a_condition_are_random_before_the_end() -> None:
    assert told(Op("measure", (0,), (), (0,)), Op("h", (0,))) is None
    assert told(Op("h", (0,)), Op("reset", (0,))) is None
    assert told(Op("x", (0,), (), (), (Clause((0,), (1,)),))) is None


def test_a_reset_of_a_fresh_qubit_changes_nothing() -> None:
    assert told(Op("reset", (0,)), Op("h", (0,)), Op("measure", (0,), (), (0,))) == {0: 0}


def test_qubits_that_no_gate_touches_are_not_busy() -> None:
    assert busy((Op("cx", (4, 2)), Op("measure", (0,), (), (0,)), Op("h", (2,)))) == (2, 4)
