"""When each gate acts, worked out by hand on a line of qubits: 50 ns a pulse, 200 ns a coupling, 1 µs a readout."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit.circuit import QuantumCircuit

from backends.devices.scheduling import IDLE, figures_of, schedule
from backends.program import Clause, Op, Program

X, CZ = Op("x", (0,)), Op("cz", (0, 1))


def waits(steps: tuple[Op, ...]) -> list[tuple[int, float]]:
    return [(op.qubits[0], op.params[0].real) for op in steps if op.name == IDLE]


def test_gates_act_as_soon_as_their_qubits_are_free(bench: Any) -> None:
    made = schedule(
        Program(3, 1, (X, Op("x", (1,)), CZ, X, Op("cz", (1, 2)), Op("measure", (0,), (), (0,)))), bench.line()
    )
    # x 0-50, cz 50-250, x on 0 250-300, cz(1, 2) 250-450, readout of 0 300-1300
    assert made.length_ns == 1_300
    assert waits(made.operations) == []
    assert made.touched == (0, 1, 2)


def test_a_qubit_waits_for_its_neighbour_and_decays(bench: Any) -> None:
    made = schedule(Program(2, 0, (X, X, X, Op("x", (1,)), CZ)), bench.line())
    assert waits(made.operations) == [(1, 100)]
    assert made.length_ns == 350


def test_fresh_qubits_do_not_decay_and_turns_about_z_take_no_time(bench: Any) -> None:
    made = schedule(Program(2, 0, (X, X, Op("rz", (1,), (0.3,)), CZ)), bench.line())
    assert waits(made.operations) == []
    assert made.length_ns == 300


def test_a_reset_makes_a_qubit_fresh(bench: Any) -> None:
    steps = (Op("x", (1,)), Op("reset", (1,)), X, *[X] * 20, CZ)
    made = schedule(Program(2, 0, steps), bench.line())
    assert waits(made.operations) == []
    assert made.length_ns == 21 * 50 + 200


def test_barriers_and_delays_are_kept(bench: Any) -> None:
    made = schedule(Program(2, 0, (X, X, Op("x", (1,)), Op("barrier", (0, 1)), Op("x", (1,)))), bench.line())
    assert waits(made.operations) == [(1, 50)]
    made = schedule(Program(1, 0, (X, Op("delay", (0,), (700.0,)), X)), bench.line())
    assert waits(made.operations) == [(0, 700)]
    assert made.length_ns == 800
    made = schedule(Program(1, 0, (X, Op("delay", (0,), (700.0,)))), bench.line())
    assert made.length_ns == 750


def test_outcomes_take_their_time_to_arrive(bench: Any) -> None:
    fed = Op("x", (1,), (), (), (Clause((0,), (1,)),))
    made = schedule(Program(2, 1, (X, Op("x", (1,)), Op("measure", (0,), (), (0,)), fed)), bench.line())
    assert waits(made.operations) == [(1, 50 + 1_000 + 300 - 50)]
    assert made.length_ns == 50 + 1_000 + 300 + 50


def test_delays_in_every_unit_reach_the_schedule(bench: Any) -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.delay(100, 0, "dt")
    circuit.delay(2, 0, "us")
    circuit.x(0)
    assert bench.noisy(circuit, bench.line()).schedule.length_ns == 50 + 50 + 2_000 + 50


def test_figures_of_gates_that_programs_rename(bench: Any) -> None:
    early = bench.device("almaden-snapshot")
    turn = figures_of(early, Op("u", (0,), (0.1, 0.2, 0.3)))
    assert turn.name == "u3"
    assert figures_of(early, Op("p", (0,), (0.1,))).duration_ns == 0
    assert figures_of(bench.line(), Op("h", (2,))).name == "sx", "a rotation into a basis is one pulse"
    with pytest.raises(KeyError, match="line has no cz on"):
        figures_of(bench.line(), Op("cz", (0, 2)))
