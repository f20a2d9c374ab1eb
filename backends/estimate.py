"""How long an execution takes and how much memory it needs: formulas, never a run. Monotone in every number.

Import-light: integers only, so that the same findings give the same estimate on every machine.
"""

from __future__ import annotations

from typing import Literal, assert_never

from backends.findings import CircuitFindings, Findings

Resolved = Literal["statevector", "matrix_product_state", "stabilizer"]

# Below this width a dense state is quicker than a tableau, Clifford or not.
TABLEAU_FROM_QUBITS = 12
ESTIMATE_MAX_US = 10**15

_WORK_NS = 150_000
_CIRCUIT_NS = 500_000
_EXECUTION_NS = 900_000


def resolve(method: Literal["automatic", Resolved], circuit: CircuitFindings) -> Resolved:
    """The method that runs this circuit when `automatic` is asked: a tableau for wide Clifford circuits, else dense."""
    if method != "automatic":
        return method
    return "stabilizer" if circuit.clifford and circuit.active >= TABLEAU_FROM_QUBITS else "statevector"


def work_us(method: Literal["automatic", Resolved], findings: Findings) -> int:
    """The whole work in µs, one thread, from decoded bytes to the encoded result."""
    total_ns = _WORK_NS + sum(_circuit_ns(resolve(method, circuit), circuit) for circuit in findings.circuits)
    return max(1, min(total_ns // 1000, ESTIMATE_MAX_US))


def memory_bytes(method: Resolved, circuit: CircuitFindings) -> int:
    """What one execution allocates at its peak."""
    match method:
        case "statevector":
            return 16 * (1 << circuit.active)
        case "matrix_product_state":
            return 4_096 * circuit.active
        case "stabilizer":
            return circuit.active * circuit.active
        case never:
            assert_never(never)


def _circuit_ns(method: Resolved, circuit: CircuitFindings) -> int:
    """One circuit over all its parameter sets; a measurement before the end makes every shot an execution."""
    runs = circuit.shots if circuit.mid_circuit or circuit.control_flow else circuit.executions
    return (
        _CIRCUIT_NS
        + circuit.executions * _EXECUTION_NS
        + runs * circuit.operations * _operation_ns(method, circuit)
        + circuit.shots * _shot_ns(method, circuit)
        + circuit.terms * _term_ns(method, circuit)
    )


def _operation_ns(method: Resolved, circuit: CircuitFindings) -> int:
    match method:
        case "statevector":
            return 500 + (1 << circuit.active)
        case "matrix_product_state":
            return 20_000 + 1_000 * (1 << min(circuit.active // 2, circuit.depth // 8, 30))
        case "stabilizer":
            return 200 + 10 * circuit.active
        case never:
            assert_never(never)


def _shot_ns(method: Resolved, circuit: CircuitFindings) -> int:
    match method:
        case "statevector":
            return 300
        case "matrix_product_state":
            return 2_000 * circuit.active
        case "stabilizer":
            return 100 + circuit.active * circuit.active
        case never:
            assert_never(never)


def _term_ns(method: Resolved, circuit: CircuitFindings) -> int:
    match method:
        case "statevector":
            return 10_000 + (1 << circuit.active)
        case "matrix_product_state":
            return 100_000 * circuit.active
        case "stabilizer":
            return 10_000 + 100 * circuit.active * circuit.active
        case never:
            assert_never(never)
