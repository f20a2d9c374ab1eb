"""Whether a device takes a piece of work, and how long simulating it takes: from findings alone. Import-light."""

from __future__ import annotations

from backends.devices.model import BRANCHES, READY, Device
from backends.estimate import STATE_QUBITS
from backends.findings import CircuitFindings, Findings, Placed
from backends.rejected import Field, Rejection

EXACT_QUBITS = 10
"""Up to so many busy qubits the density matrix tells exact values."""

_COMPILE_US = 60_000
_OPERATION_US = 150
"""Compiling, scheduling and writing down, for each operation of the circuit as sent."""
_NATIVE = 4
"""Native operations and waits for each operation as sent."""
_LONGEST_US = 10**15


def obstacle(device: Device, findings: Findings, memory_mib: int) -> Rejection | None:
    """Why the device cannot run the work, if it cannot."""
    for index, circuit in enumerate(findings.circuits):
        where = f"circuit {index}"
        live = len(device.live)
        if circuit.qubits > device.width or circuit.active > live:
            detail = f"{where} has {circuit.qubits} qubits, {device.name} has {live} that work; use fewer"
            return _infeasible(device, circuit, detail)
        foreign = _foreign(device, findings.placed[index]) if findings.placed else None
        if foreign is not None:
            return _not_native(device, where, *foreign)
        if not device.dynamic and (circuit.mid_circuit or circuit.control_flow):
            detail = f"{where} measures, resets or branches on its way, and {device.name} only measures at the end"
            return _infeasible(device, circuit, f"{detail}; choose a device whose record says dynamic, or `ideal`")
        if circuit.exact and circuit.active > EXACT_QUBITS:
            detail = (
                f"{where} asks for exact expectation values of {circuit.active} qubits with noise; {device.name} tells "
                f"them for {EXACT_QUBITS} qubits at most, and sampled ones at any width: give a precision such as 0.02"
            )
            return _infeasible(device, circuit, detail)
        needed_mib = memory_bytes(circuit) >> 20
        if needed_mib > memory_mib:
            detail = (
                f"{where} is so entangled that simulating {device.name} needs {needed_mib} MiB, "
                f"a worker has {memory_mib} MiB; use fewer qubits or gates"
            )
            return _infeasible(device, circuit, detail)
    return None


def _infeasible(device: Device, circuit: CircuitFindings, detail: str) -> Rejection:
    fields: dict[str, Field] = {"backend": device.name, "qubits": circuit.qubits, "qubits_max": device.width}
    return Rejection("backend_infeasible", detail, fields)


def _foreign(device: Device, asked: Placed) -> tuple[str, tuple[int, ...]] | None:
    """The first operation that the device does not take as it stands, where it stands."""
    return next(((name, qubits) for name, qubits in asked if not device.takes(name, qubits)), None)


def _not_native(device: Device, where: str, name: str, qubits: tuple[int, ...]) -> Rejection:
    cure = 'Change it, or let the service compile it: mode "single" or "portfolio"'
    if name in (*device.native, *READY):
        places = f"qubit{'s' if len(qubits) != 1 else ''} {', '.join(map(str, qubits))}"
        why = f"which {device.name} does not have on {places}"
    else:
        offered = ", ".join((*device.native, *READY, *(sorted(BRANCHES) if device.dynamic else ())))
        why = f"which {device.name} does not have: it has {offered}"
    fields: dict[str, Field] = {"backend": device.name, "gate": name, "qubits": list(qubits)}
    return Rejection("circuit_not_isa", f"{where} is to run as it is, but has {name}, {why}. {cure}", fields)


def memory_bytes(circuit: CircuitFindings) -> int:
    """What one trajectory takes, by the method that takes least."""
    if circuit.clifford:
        return 2**22
    arrays = 2 if circuit.active <= STATE_QUBITS else 1
    return min(16 * arrays << circuit.active, 2**22 + circuit.active * (64 << 2 * _bond(circuit, 20)))


def run_us(findings: Findings) -> int:
    """How long the simulation takes, compiling included; a device's answer to how long a job runs here."""
    return min(_LONGEST_US, sum(_circuit_us(circuit) for circuit in findings.circuits) + _COMPILE_US)


def _circuit_us(circuit: CircuitFindings) -> int:
    operations = circuit.operations * _NATIVE + circuit.active
    runs = max(1, circuit.executions, circuit.terms)
    sampled = circuit.sampled + circuit.folded
    written_us = circuit.compiling_us + circuit.operations * _OPERATION_US + runs * operations * 4
    if circuit.clifford:
        return written_us + (sampled * operations) // 200
    dense_ns = sampled * operations * (8_000 + (1 << min(circuit.active, 60)))
    bond = 1 << min(_bond(circuit, 20), 20)
    tensor_ns = sampled * operations * (30_000 + 8 * bond**3)
    ways = [dense_ns, tensor_ns]
    # Routing may touch a qubit or two more.
    if circuit.active <= EXACT_QUBITS - 2 and not (circuit.mid_circuit or circuit.control_flow):
        ways.append(runs * operations * (20_000 + (6 << 2 * circuit.active)))
    return written_us + min(ways) // 1000


def _bond(circuit: CircuitFindings, cap: int) -> int:
    """The logarithm of the bond dimension to expect: two-qubit gates over each cut, never more than half the qubits."""
    per_cut = circuit.gates_2q // max(1, circuit.active - 1)
    return min(circuit.active // 2, per_cut, cap)
