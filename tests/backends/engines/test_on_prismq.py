"""PRISM-Q is believed only where it says that it may be. (Its answers: conformance.)"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from backends.engines.on_prismq import OnPrismq, methods
from backends.engines.port import Budget, GaveUp, Unsuited
from backends.engines.traits import traits_of
from backends.program import Op, Program


def test_methods_are_asked_for_by_name() -> None:
    assert [engine.method for engine in methods()] == ["clifford", "rank", "statevector", "mps", "sparse"]


def test_sums_of_stabilizer_states_are_for_few_t_gates() -> None:
    """They neither count nor stop, so more than that are not tried."""
    rank, end = OnPrismq("rank"), Op("measure", (0,), (), (0,))
    ghz = (Op("h", (0,)), *(Op("cx", (0, qubit)) for qubit in range(1, 60)))
    turned = (*ghz, *(Op("t", (qubit,)) for qubit in range(5)), *(Op("h", (qubit,)) for qubit in range(60)))
    measured = (*turned, *(Op("measure", (qubit,), (), (qubit,)) for qubit in range(60)))
    drawn = rank.sample(Program(60, 60, measured), 2_000, 3, Budget())
    assert drawn.how.method == "StabilizerRank"
    # Together they turn the phase by 5 π/4, which shows in the parity of all outcomes.
    assert (drawn.bits.sum(axis=1) % 2).mean() == pytest.approx((1 - math.cos(5 * math.pi / 4)) / 2, abs=0.05)
    many = Program(1, 1, (Op("h", (0,)), *[Op("t", (0,)), Op("h", (0,))] * 25, end))
    with pytest.raises(Unsuited, match="25 T gates are too many, at most 24 can be"):
        rank.sample(many, 1, 1, Budget())
    bent = Program(1, 1, (Op("rx", (0,), (0.3,)), end))
    assert rank.obstacle(traits_of(bent)) == "of gates that are not Clifford it runs T alone"


def test_a_low_fidelity_is_no_answer() -> None:
    reported = SimpleNamespace(engine="Mps", backend="Mps", is_exact=False, fidelity_lower_bound=0.3)
    with pytest.raises(GaveUp, match=r"reports a fidelity of at least 0\.3000 only"):
        OnPrismq("mps")._how(reported)
    reported.fidelity_lower_bound = None
    with pytest.raises(GaveUp):
        OnPrismq("mps")._how(reported)


def test_a_state_that_does_not_fit() -> None:
    program = Program(26, 1, (*(Op("h", (qubit,)) for qubit in range(26)), Op("measure", (0,), (), (0,))))
    with pytest.raises(MemoryError, match="a dense state of 26 qubits"):
        OnPrismq("statevector").sample(program, 1, 1, Budget(memory_bytes=1 << 28))


def chain(qubits: int, layers: int) -> Program:
    gates: list[Op] = []
    for layer in range(layers):
        gates += [Op("u", (qubit,), (0.9 + 0.1 * layer, 0.4, 1.3)) for qubit in range(qubits)]
        gates += [Op("cx", (qubit, qubit + 1)) for qubit in range(layer % 2, qubits - 1, 2)]
    return Program(qubits, qubits, (*gates, *(Op("measure", (qubit,), (), (qubit,)) for qubit in range(qubits))))


def test_tensors_are_cut_where_the_budget_ends() -> None:
    """A budget too small for any bond is refused before anything runs; a small bond that falls short is said to."""
    (engine,) = (one for one in methods() if one.method == "mps")
    program = chain(24, 14)
    with pytest.raises(GaveUp, match=r"its work may exceed 0\.001 s with bonds of 8"):
        engine.sample(program, 100, 1, Budget(seconds=1e-3))
    with pytest.raises(GaveUp, match=r"reports a fidelity of at least 0\.\d+ only"):
        engine.sample(program, 100, 1, Budget(seconds=0.02))
    assert engine.sample(program, 100, 1, Budget()).how.fidelity > 0.99


@pytest.mark.parametrize("shots", [4_096, 40_000])
def test_few_and_many_shots_follow_the_same_law(shots: int) -> None:
    """Many are drawn here from its state; either way outcomes go where they are asked, and repeat with the seed."""
    gates = (Op("ry", (0,), (2 * math.asin(math.sqrt(0.3)),)), Op("cx", (0, 2)), Op("h", (1,)))
    ends = (Op("measure", (2,), (), (0,)), Op("measure", (1,), (), (2,)))
    program = Program(4, 3, (*gates, *ends))
    drawn = OnPrismq("statevector").sample(program, shots, 11, Budget()).bits
    assert drawn.mean(axis=0) == pytest.approx([0.3, 0.0, 0.5], abs=5 * 0.5 / math.sqrt(shots))
    again = OnPrismq("statevector").sample(program, shots, 11, Budget()).bits
    assert (drawn == again).all()
