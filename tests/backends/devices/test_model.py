"""Devices as values: what can be asked of their figures."""

from __future__ import annotations

from backends.devices.model import VIRTUAL
from backends.devices.reading import device_of


def test_a_device_tells_its_couplings_gates_and_figures() -> None:
    nairobi = device_of("nairobi-snapshot")
    assert nairobi is not None
    assert (nairobi.width, nairobi.live, nairobi.native) == (7, tuple(range(7)), ("cx", "rz", "sx", "x"))
    assert nairobi.edges is not None
    assert {frozenset(edge) for edge in nairobi.edges} == {
        frozenset(edge) for edge in ((0, 1), (1, 2), (1, 3), (3, 5), (4, 5), (5, 6))
    }
    assert nairobi.gate("cx", (0, 2)) is None
    known = nairobi.gate("cx", (5, 6))
    assert known is not None
    assert (known.error, known.duration_ns) == (0.01066, 341.3)
    assert nairobi.longest_gate_ns == max(gate.duration_ns for gate in nairobi.gates)
    assert nairobi.longest_readout_ns == 5561
    assert all(gate.duration_ns == gate.error == 0 for gate in nairobi.gates if gate.name in VIRTUAL)


def test_gates_for_any_qubits_have_one_figure_for_all() -> None:
    atoms = device_of("neutral-atom-like")
    assert atoms is not None
    assert atoms.edges is None
    assert atoms.gate("ccz", (7, 3, 99)) is atoms.gate("ccz", (0, 1, 2)) is not None


def test_assumptions_are_the_sources_that_say_so() -> None:
    generic = device_of("generic")
    assert generic is not None
    assert generic.assumptions == generic.sources
    assert device_of("zuchongzhi-3-like").assumptions != device_of("zuchongzhi-3-like").sources  # type: ignore[union-attr]
