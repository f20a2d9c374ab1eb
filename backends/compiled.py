"""Circuits prepared for a method, kept beside the decoded circuit so that the next call finds them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qiskit.circuit import ControlFlowOp, QuantumCircuit

from backends.assembly import Assembly, assemble
from backends.catalogue import BackendSpec
from backends.circuits import Circuit
from backends.engine import Method
from backends.flatten import flatten
from backends.registers import Register, registers_of

_ENDINGS_KEPT = 4


@dataclass(eq=False, slots=True)
class Compiled:
    """A circuit over the gates of one method. `assembly` is None where control flow needs the engine's own compiler."""

    flat: QuantumCircuit
    registers: tuple[Register, ...]
    assembly: Assembly | None
    endings: OrderedDict[Any, Any] = field(default_factory=OrderedDict)

    def with_ending(self, key: Any, make: Callable[[], Any]) -> Any:
        """What was made for this ending before, or `make()` now; the latest few are kept."""
        if key in self.endings:
            self.endings.move_to_end(key)
        else:
            self.endings[key] = make()
            if len(self.endings) > _ENDINGS_KEPT:
                self.endings.popitem(last=False)
        return self.endings[key]


def compiled(circuit: Circuit, spec: BackendSpec, method: Method) -> Compiled:
    """The circuit for this method of this backend, made on the first call and remembered with the circuit."""
    key = f"{spec.name}/{method}"
    known = circuit.notes.get(key)
    if not isinstance(known, Compiled):
        known = _compile(circuit.circuit, spec, method)
        circuit.notes[key] = known
    return known


def _compile(circuit: QuantumCircuit, spec: BackendSpec, method: Method) -> Compiled:
    flat = flatten(circuit, spec.basis_gates, clifford=method == "stabilizer")
    dynamic = any(
        instruction.name in _LEAPS or isinstance(instruction.operation, ControlFlowOp)
        for instruction in flat.data
        if not instruction.is_standard_gate()
    )
    return Compiled(flat, registers_of(circuit), None if dynamic else assemble(flat))


_LEAPS = frozenset({"store", "break_loop", "continue_loop"})
