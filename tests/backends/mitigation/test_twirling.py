"""Twirled copies: each the same circuit over the target's gates, seeded."""

from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Operator

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled
from backends.compiling.content import content_key
from backends.compiling.isa import check_isa
from backends.mitigation.decoupling import Unfit
from backends.mitigation.twirling import twirled


def test_copies_do_the_same_and_differ(compiled: Compiled, calibrated: Calibrated) -> None:
    copies = twirled(compiled.circuit, calibrated.target, 6, 1)
    for copy in copies:
        check_isa(copy, calibrated.target)
        assert Operator(copy).equiv(Operator(compiled.circuit))
        assert copy.count_ops()["cz"] == compiled.circuit.count_ops()["cz"]
    keys = [content_key(copy) for copy in copies]
    assert len(set(keys)) == 6
    assert keys == [content_key(copy) for copy in twirled(compiled.circuit, calibrated.target, 6, 1)]
    assert keys != [content_key(copy) for copy in twirled(compiled.circuit, calibrated.target, 6, 2)]


def test_without_a_gate_to_twirl(calibrated: Calibrated) -> None:
    circuit = QuantumCircuit(2)
    circuit.rzz(0.4, 0, 1)
    with pytest.raises(Unfit, match="cx, cz, ecr, iswap"):
        twirled(circuit, calibrated.target, 2, 1)
