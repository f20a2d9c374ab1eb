"""What no outcome depends on is dropped, and nothing else."""

from __future__ import annotations

from backends.program import Clause, Op, Program
from backends.reductions.needed import needed

H, H1 = Op("h", (0,)), Op("h", (1,))
M0, M1 = Op("measure", (0,), (), (0,)), Op("measure", (1,), (), (1,))


def left(*operations: Op, bits: tuple[int, ...] = (0, 1)) -> tuple[Op, ...]:
    return needed(Program(3, 2, operations), bits).operations


def test_gates_on_qubits_that_nobody_reads() -> None:
    assert left(H, H1, M0, bits=(0,)) == (H, M0)


def test_phases_before_a_measurement() -> None:
    assert left(H, Op("t", (0,)), Op("cz", (0, 1)), M0, M1) == (H, M0, M1)
    turned = (H, Op("t", (0,)), H, M0)
    assert left(*turned) == turned, "a phase that a later gate turns into an amplitude"


def test_phases_that_only_basis_moves_follow() -> None:
    assert left(H, Op("t", (0,)), Op("cx", (0, 1)), Op("rz", (1,), (0.2,)), M0, M1) == (H, Op("cx", (0, 1)), M0, M1)


def test_a_controlled_gate_whose_target_nobody_reads() -> None:
    assert left(H, Op("crx", (0, 1), (0.3,)), M0) == (H, M0)
    seen = (H, Op("crx", (0, 1), (0.3,)), H, M0)
    assert left(*seen) == seen, "it takes away the phase that the second H shows"


def test_a_measurement_that_is_overwritten() -> None:
    assert left(H, M0, Op("measure", (1,), (), (0,)), bits=(0,)) == (Op("measure", (1,), (), (0,)),)
    dephased = (H, M0, H, M0)
    assert left(*dephased) == dephased, "the first one takes away phases"


def test_what_a_condition_reads_is_needed() -> None:
    told = (H, M0, Op("x", (1,), condition=(Clause((0,), (1,)),)), M1)
    assert left(*told, bits=(1,)) == told


def test_what_a_reset_takes_away() -> None:
    assert left(H, Op("reset", (0,)), Op("ry", (0,), (0.2,)), M0) == (Op("reset", (0,)), Op("ry", (0,), (0.2,)), M0)
    maybe = (H, Op("reset", (0,), condition=(Clause((1,), (1,)),)), M0)
    assert left(*maybe) == maybe


def test_nothing_to_drop_is_the_same_object() -> None:
    program = Program(3, 2, (H, M0))
    assert needed(program, (0,)) is program
