"""A circuit's content as a short key: equal keys mean circuits that compile alike.

QPY files do not serve, for they name some gates anew each time they are written.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from qiskit.circuit import CircuitInstruction, ParameterExpression, QuantumCircuit

_PLAIN = frozenset({"barrier", "measure", "permutation", "reset"})
"""Known by name and parameters alone, besides the standard gates."""
_DEPTH_MOST = 32


class _Unwritten(Exception):  # noqa: N818 - an expected no
    """Something in the circuit has no spelling here."""


def content_key(circuit: QuantumCircuit) -> bytes | None:
    """The key, or None for circuits that cannot be told by their gates: branches, loops, operations without definition.

    Names and metadata of the circuit and names of quantum registers are no content.
    """
    told = blake2b(digest_size=16)
    try:
        registers = [(each.name, [circuit.find_bit(bit).index for bit in each]) for each in circuit.cregs]
        told.update(repr((registers, [parameter.name for parameter in circuit.parameters])).encode())
        _write(circuit, told, 0)
    except _Unwritten:
        return None
    return told.digest()


def _write(circuit: QuantumCircuit, told: Any, depth: int) -> None:
    if depth > _DEPTH_MOST or circuit.num_identifiers:
        raise _Unwritten
    told.update(repr((circuit.num_qubits, circuit.num_clbits, _spelled(circuit.global_phase))).encode())
    number = {bit: place for place, bit in enumerate((*circuit.qubits, *circuit.clbits))}
    for instruction in circuit.data:
        places = [number[bit] for bit in (*instruction.qubits, *instruction.clbits)]
        parameters = [_spelled(each) for each in instruction.params]
        told.update(repr((instruction.name, places, parameters)).encode())
        if not instruction.is_standard_gate() and instruction.name not in _PLAIN:
            _write_definition(instruction, told, depth)


def _write_definition(instruction: CircuitInstruction, told: Any, depth: int) -> None:
    """What an operation that is not known by its name alone consists of."""
    operation = instruction.operation
    if instruction.name == "delay":
        told.update(operation.unit.encode())
        return
    if instruction.name == "unitary":
        told.update(_spelled(operation.to_matrix()).encode())
        return
    definition = None if instruction.is_control_flow() else getattr(operation, "definition", None)
    if definition is None:
        raise _Unwritten
    told.update(b"(")
    _write(definition, told, depth + 1)
    told.update(b")")


def _spelled(parameter: Any) -> str:
    """A gate's parameter to its last digit."""
    match parameter:
        case bool() | int() | float() | complex() | str() | np.number():
            return repr(parameter)
        case np.ndarray():
            return f"{parameter.dtype}{parameter.shape}{parameter.tobytes().hex()}"
        case ParameterExpression():
            # As text it may be rounded, so its value at some point is a part of it.
            free = sorted(parameter.parameters, key=lambda each: each.name)
            point = {each: 0.7390851 + 0.31 * place for place, each in enumerate(free)}
            return f"{parameter}@{parameter.bind(point)!r}"
        case _:
            raise _Unwritten
