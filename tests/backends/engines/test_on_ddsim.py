"""What decision diagrams take. (Their answers: conformance.)"""

from __future__ import annotations

from backends.engines.on_ddsim import OnDdsim
from backends.engines.port import Budget
from backends.engines.traits import traits_of
from backends.program import Op, Program


def test_a_w_state_of_forty_qubits_is_small() -> None:
    gates = [Op("ry", (0,), (1.2,))]
    for qubit in range(39):
        gates += [Op("crx", (qubit, qubit + 1), (0.9,)), Op("cx", (qubit + 1, qubit))]
    ends = tuple(Op("measure", (qubit,), (), (qubit,)) for qubit in range(40))
    drawn = OnDdsim().sample(Program(40, 40, (*gates, *ends)), 300, 3, Budget()).bits
    assert drawn.sum(axis=1).max() == 1, "one excitation at most"


def test_random_events_are_not_for_it() -> None:
    again = Program(1, 1, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,))))
    assert OnDdsim().obstacle(traits_of(again)) == "outcomes are random before the end"
