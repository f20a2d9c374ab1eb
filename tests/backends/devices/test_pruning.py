"""What does not work is taken out; the rest keeps its place."""

from __future__ import annotations

from dataclasses import replace

from backends.devices.model import Device, GateFigures
from backends.devices.pruning import GATE_ERROR_MAX, pruned
from backends.devices.reading import device_of


def device() -> Device:
    found = device_of("nairobi-snapshot")
    assert found is not None
    return found


def with_error(name: str, qubits: tuple[int, ...], error: float) -> Device:
    gates = [
        replace(gate, error=error) if (gate.name, gate.qubits) == (name, qubits) else gate for gate in device().gates
    ]
    return pruned(replace(device(), gates=tuple(gates)))


def test_a_working_device_stays_as_it_is() -> None:
    assert pruned(device()).gates == device().gates


def test_a_coupling_dead_in_one_direction_is_dead() -> None:
    found = with_error("cx", (5, 6), 1.0)
    assert found.dead_edges == ((5, 6),)
    assert found.gate("cx", (6, 5)) is None
    assert found.dead_qubits == ()
    assert with_error("cx", (5, 6), GATE_ERROR_MAX - 0.001).dead_edges == ()


def test_a_qubit_that_cannot_turn_or_be_read_takes_its_couplings_along() -> None:
    for found in (
        with_error("sx", (1,), 0.2),
        pruned(
            replace(
                device(),
                qubits=tuple(
                    replace(qubit, reads_0_of_1=0.9) if number == 1 else qubit
                    for number, qubit in enumerate(device().qubits)
                ),
            )
        ),
    ):
        assert found.dead_qubits == (1,)
        assert found.dead_edges == ((0, 1), (1, 2), (1, 3))
        assert found.width == 7
        assert found.live == (0, 2, 3, 4, 5, 6)
        assert not any(1 in (gate.qubits or ()) for gate in found.gates)


def test_gates_for_any_qubits_are_left_alone() -> None:
    gates = (*device().gates, GateFigures("rzz", None, 0.9, 1.0))
    assert pruned(replace(device(), gates=gates)).gate("rzz", (0, 1)) is not None


def test_what_is_known_to_be_broken_in_the_snapshots_is_out() -> None:
    counts = {"sherbrooke": (2, 10), "fez": (0, 7), "torino": (1, 11), "lagos": (2, 2)}
    for name, (qubits, edges) in counts.items():
        found = device_of(f"{name}-snapshot")
        assert found is not None
        assert (len(found.dead_qubits), len(found.dead_edges)) == (qubits, edges)
        assert all(gate.error < GATE_ERROR_MAX for gate in found.gates)
