"""Devices as targets: compilers are told the device's own gates, couplings, times, errors, and nothing that is dead."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager

from backends.devices.reading import device_of, fleet
from backends.devices.target import target_of


def chain(width: int) -> QuantumCircuit:
    circuit = QuantumCircuit(width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("name", fleet())
def test_compiled_circuits_use_what_the_device_has(name: str) -> None:
    device = device_of(name)
    assert device is not None
    target = target_of(device)
    assert target_of(device) is target
    compiled = generate_preset_pass_manager(1, target=target, seed_transpiler=1).run(chain(7))
    used = [
        (instruction.operation.name, tuple(compiled.find_bit(qubit).index for qubit in instruction.qubits))
        for instruction in compiled.data
        if instruction.operation.name not in ("barrier", "measure")
    ]
    assert used
    for gate, qubits in used:
        assert device.gate(gate, qubits) is not None, (gate, qubits)
        assert not set(qubits) & set(device.dead_qubits)


def test_figures_are_in_seconds() -> None:
    device = device_of("nairobi-snapshot")
    assert device is not None
    target = target_of(device)
    assert target["cx"][(5, 6)].error == 0.01066
    assert target["cx"][(5, 6)].duration == pytest.approx(341.3e-9)
    assert target["measure"][(0,)].error == pytest.approx((0.037 + 0.079) / 2)
    assert target["measure"][(0,)].duration == pytest.approx(5561e-9)
    assert target.qubit_properties[0].t1 == pytest.approx(89.12e-6)
    assert target.dt == pytest.approx(0.2222e-9, rel=1e-3)
    assert "if_else" in target.operation_names
    assert "if_else" not in target_of(device_of("wukong-like")).operation_names  # type: ignore[arg-type]


def test_any_atoms_may_meet() -> None:
    device = device_of("neutral-atom-like")
    assert device is not None
    target = target_of(device)
    assert target.build_coupling_map() is None
    assert target.instruction_supported("ccz", (3, 70, 9))
