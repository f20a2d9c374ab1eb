"""PRISM-Q is believed only where it says that it may be. (Its answers: conformance.)"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from backends.engines.on_prismq import OnPrismq, methods
from backends.engines.port import Budget, GaveUp
from backends.program import Op, Program


def test_methods_are_asked_for_by_name() -> None:
    assert [engine.method for engine in methods()] == ["clifford", "statevector", "factored", "mps", "sparse"]


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
