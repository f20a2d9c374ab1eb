"""The reference is an engine like any other: right, and honest about what it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.engines.port import Budget, Unsuited
from backends.engines.roster import installed
from backends.engines.traits import traits_of
from backends.program import Op, Program
from backends.trust.reference import NAME, Reference, seconds_of, unless

ENGINE = Reference()
TURNED = (Op("h", (0,)), Op("cx", (0, 2)), Op("ry", (4,), (0.7,)), Op("cu", (2, 4), (0.3, 0.2, 0.1, 0.4)))
MEASURED = (*TURNED, Op("measure", (4,), (), (0,)), Op("measure", (0,), (), (2,)), Op("measure", (1,), (), (1,)))


def test_it_samples_what_it_should() -> None:
    assert ENGINE.obstacle(traits_of(Program(5, 4, MEASURED))) is None
    bits = ENGINE.sample(Program(5, 4, MEASURED), 4000, 3, Budget()).bits
    other = installed()["aer.statevector"].sample(Program(5, 4, MEASURED), 4000, 3, Budget()).bits
    assert bits.shape == (4000, 4)
    assert not bits[:, [1, 3]].any()
    assert np.allclose(bits.mean(axis=0), other.mean(axis=0), atol=0.05)
    assert (bits == ENGINE.sample(Program(5, 4, MEASURED), 4000, 3, Budget()).bits).all()
    assert (bits != ENGINE.sample(Program(5, 4, MEASURED), 4000, 4, Budget()).bits).any()


def test_its_values_are_those_of_others() -> None:
    paulis = [((0, "Z"), (2, "Z")), ((4, "Y"),), ((0, "X"), (2, "Y"), (4, "X")), ((1, "Z"),), ((1, "X"),), ()]
    found = ENGINE.expectation(Program(5, 0, TURNED), paulis, Budget()).values
    wanted = installed()["aer.statevector"].expectation(Program(5, 0, TURNED), paulis, Budget()).values
    assert np.allclose(found, wanted, atol=1e-9)


def test_what_it_does_not_take() -> None:
    early = Program(1, 2, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)), Op("measure", (0,), (), (1,))))
    wide = Program(11, 0, tuple(Op("h", (qubit,)) for qubit in range(11)))
    prepared = Program(1, 0, (Op("initialize", (0,), (0.6 + 0j, 0.8 + 0j)),))
    for program in (early, wide, prepared):
        assert ENGINE.obstacle(traits_of(program)) is not None
    with pytest.raises(Unsuited):
        ENGINE.sample(early, 1, 1, Budget())
    with pytest.raises(MemoryError):
        ENGINE.sample(Program(5, 4, MEASURED), 1, 1, Budget(100))


def test_it_is_there_unless_it_is_under_quarantine() -> None:
    assert list(unless(frozenset({"stim"}))) == [NAME]
    assert unless(frozenset({NAME})) == {}
    assert 0 < seconds_of(Program(5, 0, TURNED)) < math.inf
