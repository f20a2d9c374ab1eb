"""Counts, and bounds that are never below the truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engines.port import Budget
from backends.engines.sparse_state import State
from backends.program import Op, Program
from backends.router.features import features_of

QUBITS = 14


def test_counts() -> None:
    gates = (Op("h", (0,)), Op("t", (0,)), Op("cx", (0, 1)), Op("ry", (1,), (0.2,)), Op("measure", (1,), (), (0,)))
    found = features_of(Program(3, 1, gates))
    assert (found.entangling, found.non_clifford, found.looking, found.branching) == (1, 2, 1, 2)


def test_a_ghz_state_has_one_branch_and_bonds_of_one() -> None:
    ghz = Program(20, 0, (Op("h", (0,)), *(Op("cx", (qubit, qubit + 1)) for qubit in range(19))))
    found = features_of(ghz)
    assert (found.branching, found.bond) == (1, 1)


def test_a_permuted_line_is_put_in_order() -> None:
    line = [(7 * place) % 20 for place in range(20)]
    pairs = list(pairwise(line))
    found = features_of(Program(20, 0, tuple(Op("rzz", pair, (0.3,)) for pair in pairs * 3)))
    assert found.bond <= 3


GATES = st.lists(
    st.tuples(st.sampled_from(["h", "t", "cx", "cz", "ry", "swap"]), st.permutations(range(QUBITS))), max_size=25
)


@settings(deadline=None, max_examples=60)
@given(GATES)
def test_no_state_exceeds_the_bounds(drawn: list[tuple[str, list[int]]]) -> None:
    gates = tuple(
        Op(name, tuple(places[: 2 if name in ("cx", "cz", "swap") else 1]), (0.4,) if name == "ry" else ())
        for name, places in drawn
    )
    found = features_of(Program(QUBITS, 0, gates))
    state = State(QUBITS, Budget())
    for op in gates:
        state.apply(op)
    assert len(state.indices) <= 2**found.branching
    dense = np.zeros(1 << QUBITS, dtype=complex)
    dense[state.indices] = state.amplitudes
    tensor = dense.reshape((2,) * QUBITS).transpose([QUBITS - 1 - qubit for qubit in found.order])
    if found.traits.busy <= 12:
        return
    for cut in range(1, QUBITS):
        singular = np.linalg.svd(tensor.reshape(1 << cut, -1), compute_uv=False)
        assert int((singular > 1e-9).sum()) <= 2**found.bond
