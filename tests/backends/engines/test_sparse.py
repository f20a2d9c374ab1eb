"""Our own engine: how many terms it keeps, and that it gives up in time. (Its answers: conformance.)"""

from __future__ import annotations

import pytest

from backends.engines.port import Budget, GaveUp
from backends.engines.sparse import Sparse
from backends.engines.traits import traits_of
from backends.program import Op, Program

END = (Op("measure", (0,), (), (0,)),)


def test_permutations_add_no_terms() -> None:
    gates = [Op("h", (0,)), *(Op("cx", (0, qubit)) for qubit in range(1, 60)), Op("ccx", (0, 1, 2))]
    how = Sparse().sample(Program(60, 1, (*gates, *END)), 10, 1, Budget()).how
    assert how.method == "sparse state of 2 terms at most"


def test_what_cancels_is_dropped() -> None:
    gates = (Op("h", (0,)), Op("h", (1,)), Op("h", (0,)), Op("h", (1,)))
    how = Sparse().sample(Program(2, 1, (*gates, *END)), 10, 1, Budget()).how
    assert how.method == "sparse state of 4 terms at most"


def test_it_gives_up_at_its_budget() -> None:
    program = Program(30, 1, (*(Op("h", (qubit,)) for qubit in range(30)), *END))
    with pytest.raises(GaveUp, match="more than 1000 basis states"):
        Sparse().sample(program, 1, 1, Budget(memory_bytes=160_000))


def test_it_knows_its_width() -> None:
    wide = Program(63, 1, (*(Op("h", (qubit,)) for qubit in range(63)), *END))
    assert "at most 62 can be" in (Sparse().obstacle(traits_of(wide)) or "")
