"""How long work takes and how much memory it needs: formulas fitted once to one machine, never a run.

Import-light, and integers only, so that the same findings give the same estimate everywhere. More shots, parameter
sets, gates, depth or terms never make an estimate smaller. Times are those of a first call, decoding and compiling
included; the fit is within a factor of four of what was measured on shared cores for 2 to 22 dense qubits, 5 to 200
qubits under a tableau, and up to bond dimension 1,000.
"""

from __future__ import annotations

from typing import Literal, assert_never

from backends.findings import CircuitFindings, Findings

Resolved = Literal["statevector", "matrix_product_state", "stabilizer"]

# Below this width a dense state is quicker than a tableau, Clifford or not.
TABLEAU_FROM_QUBITS = 14
# Up to this width states are taken out of the engine to be drawn from, which takes a second array of their size.
STATE_QUBITS = 24
ESTIMATE_MAX_US = 10**15

_WORK_NS = 150_000
_CIRCUIT_NS = 300_000
_PREPARED_OPERATION_NS = 20_000
_EXECUTION_NS = 120_000
_BRANCHING_NS = 20_000_000
_EXPONENT_MAX = 60


def resolve(method: Literal["automatic", Resolved], circuit: CircuitFindings) -> Resolved:
    """The method that runs this circuit when `automatic` is asked: a tableau for wide Clifford circuits, else dense."""
    if method != "automatic":
        return method
    return "stabilizer" if circuit.clifford and circuit.active >= TABLEAU_FROM_QUBITS else "statevector"


def work_us(method: Literal["automatic", Resolved], findings: Findings) -> int:
    """The whole work in µs, one thread, from received bytes to the encoded result."""
    total_ns = _WORK_NS + sum(_circuit_ns(resolve(method, circuit), circuit) for circuit in findings.circuits)
    return max(1, min(total_ns // 1000, ESTIMATE_MAX_US))


def routed_us(findings: Findings) -> int | None:
    """The same where the router chooses the engines; None where it has not looked at every circuit that is run."""
    if not all(circuit.routed_us for circuit in findings.circuits if circuit.executions):
        return None
    prepared_ns = sum(_CIRCUIT_NS + circuit.operations * _PREPARED_OPERATION_NS for circuit in findings.circuits)
    total_us = (_WORK_NS + prepared_ns) // 1000 + sum(circuit.routed_us for circuit in findings.circuits)
    return max(1, min(total_us, ESTIMATE_MAX_US))


def memory_bytes(method: Resolved, circuit: CircuitFindings) -> int:
    """What one execution allocates at its peak beyond the idle worker."""
    match method:
        case "statevector":
            arrays = 2 if circuit.active <= STATE_QUBITS else 1
            return 16 * arrays << circuit.active
        case "matrix_product_state":
            return 2**22 + circuit.active * (64 << 2 * _bond_exponent(circuit, cap=14))
        case "stabilizer":
            return 2**22 + circuit.active * circuit.active
        case never:
            assert_never(never)


def _circuit_ns(method: Resolved, circuit: CircuitFindings) -> int:
    """One circuit over all its parameter sets; a measurement before the end makes every shot an execution."""
    random = circuit.mid_circuit or circuit.control_flow
    runs = circuit.shots if random else circuit.executions
    return (
        _CIRCUIT_NS
        + circuit.operations * _PREPARED_OPERATION_NS
        + circuit.executions * (_EXECUTION_NS + (_BRANCHING_NS if circuit.control_flow else 0))
        + runs * circuit.operations * _operation_ns(method, circuit) * (3 if random else 1)
        + circuit.shots * _shot_ns(method, circuit)
        + circuit.terms * _term_ns(method, circuit)
    )


def _operation_ns(method: Resolved, circuit: CircuitFindings) -> int:
    """One gate on one state."""
    match method:
        case "statevector":
            return 1_500 + (3 << _exponent(circuit.active))
        case "matrix_product_state":
            return 20_000 + (20 << _exponent(_bond_exponent(circuit) * 5 // 2))
        case "stabilizer":
            return 500 + 20 * circuit.active
        case never:
            assert_never(never)


def _shot_ns(method: Resolved, circuit: CircuitFindings) -> int:
    """One draw from one state."""
    match method:
        case "statevector":
            return 100 + 10 * circuit.active + (600 if circuit.active > STATE_QUBITS else 0)
        case "matrix_product_state":
            return circuit.active * (3_000 + (16 << 2 * _bond_exponent(circuit)))
        case "stabilizer":
            return 1_500 + 18 * circuit.active * circuit.active
        case never:
            assert_never(never)


def _term_ns(method: Resolved, circuit: CircuitFindings) -> int:
    """One Pauli term in one state."""
    match method:
        case "statevector":
            return 1_000 + (3 << _exponent(circuit.active))
        case "matrix_product_state":
            return 20_000 + circuit.active * (3_000 + (16 << 2 * _bond_exponent(circuit)))
        case "stabilizer":
            return 5_000 + 150 * circuit.active
        case never:
            assert_never(never)


def _exponent(power: int) -> int:
    return min(power, _EXPONENT_MAX)


def _bond_exponent(circuit: CircuitFindings, cap: int = 20) -> int:
    """The logarithm of the bond dimension to expect: two-qubit gates over each cut, never more than half the qubits."""
    per_cut = circuit.gates_2q // max(1, circuit.active - 1)
    return min(circuit.active // 2, per_cut, cap)
