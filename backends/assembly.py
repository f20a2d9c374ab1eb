"""Turns a flat circuit into the engine's own circuit, over the qubits that anything happens to.

A circuit as wide as a device with five busy qubits costs five qubits: an idle qubit stays |0>, which is its outcome and
its expectation value without any simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qiskit.circuit import CircuitInstruction, ParameterExpression, QuantumCircuit
from qiskit_aer.backends.backend_utils import CircuitHeader
from qiskit_aer.backends.controller_wrappers import AerCircuit

from backends.binding import Binding, Place, plan

STATE_LABEL = "state"
_SILENT = frozenset({"barrier", "delay", "id", "global_phase"})
_LOOKING = frozenset({"measure", "reset"})

Call = Callable[[AerCircuit], None]


@dataclass(eq=False, slots=True)
class Assembly:
    """A circuit without control flow, ready to be written into engine circuits.

    `lines` gives each busy qubit its place in the engine. `outcome` tells for every classical bit that is measured the
    qubit that is measured into it last. `terminal` means that one final state tells all outcomes.
    """

    width: int
    clbits: int
    lines: dict[int, int]
    calls: list[Call] = field(default_factory=list)
    found: list[tuple[Place, ParameterExpression]] = field(default_factory=list)
    outcome: dict[int, int] = field(default_factory=dict)
    terminal: bool = True
    binding: Binding | None = None

    def engine_circuit(self, ending: Sequence[Call] = ()) -> AerCircuit:
        """A fresh engine circuit with all operations and then the `ending`."""
        made = AerCircuit()
        header = CircuitHeader(
            n_qubits=len(self.lines),
            qreg_sizes=[["q", len(self.lines)]],
            memory_slots=self.clbits,
            creg_sizes=[["c", self.clbits]] if self.clbits else [],
            name="circuit",
            global_phase=0.0,
        )
        made.set_header(header)
        made.num_qubits = len(self.lines)
        made.num_memory = self.clbits
        made.global_phase_angle = 0.0
        for call in (*self.calls, *ending):
            call(made)
        return made


def assemble(flat: QuantumCircuit) -> Assembly:
    """Prepare a flat circuit that has no control flow; about 3 µs an operation."""
    places = {bit: index for index, bit in enumerate(flat.qubits)}
    slots = {bit: index for index, bit in enumerate(flat.clbits)}
    terminal = _is_terminal(flat)
    busy = {
        places[qubit]
        for instruction in flat.data
        if instruction.name not in _SILENT and not (terminal and instruction.name in _LOOKING)
        for qubit in instruction.qubits
    }
    lines = {index: line for line, index in enumerate(sorted(busy))}
    made = Assembly(flat.num_qubits, flat.num_clbits, lines, terminal=terminal)
    touched: set[int] = set()
    for instruction in flat.data:
        name = instruction.name
        if name in _SILENT:
            continue
        qubits = [places[qubit] for qubit in instruction.qubits]
        if name == "measure":
            made.outcome[slots[instruction.clbits[0]]] = qubits[0]
            if not terminal:
                made.calls.append(_measure(lines[qubits[0]], slots[instruction.clbits[0]]))
        elif name == "reset":
            if touched & set(qubits):
                made.calls.append(_reset([lines[qubit] for qubit in qubits]))
        else:
            _gate(made, instruction, [lines[qubit] for qubit in qubits])
        touched.update(qubits if name != "reset" else ())
    made.binding = plan(made.found, tuple(flat.parameters))
    return made


def _is_terminal(flat: QuantumCircuit) -> bool:
    """Whether no random event comes before another operation on its qubit."""
    touched: set[object] = set()
    measured: set[object] = set()
    for instruction in flat.data:
        name, qubits = instruction.name, instruction.qubits
        if name in ("barrier", "delay"):
            continue
        if name == "measure":
            measured.update(qubits)
            touched.update(qubits)
            continue
        bar = touched if name in ("reset", "initialize") else measured
        if not bar.isdisjoint(qubits):
            return False
        if name != "reset":
            touched.update(qubits)
    return True


def _gate(made: Assembly, instruction: CircuitInstruction, lines: list[int]) -> None:
    """Note one gate and the places of its open parameters."""
    name = instruction.name
    operation = None if instruction.is_standard_gate() else instruction.operation
    params = instruction.params if operation is None else operation.params
    match name:
        case "unitary":
            made.calls.append(_unitary(lines, params[0]))
        case "diagonal":
            made.calls.append(_diagonal(lines, list(params)))
        case "initialize":
            made.calls.append(_initialize(lines, list(params)))
        case "pauli":
            made.calls.append(_plain("pauli", lines, [], list(params)))
        case _:
            numbers: list[float] = []
            for position, param in enumerate(params):
                if isinstance(param, ParameterExpression):
                    made.found.append(((len(made.calls), position), param))
                    numbers.append(0.0)
                else:
                    numbers.append(float(param))
            made.calls.append(_plain(name, lines, numbers, []))


def _plain(name: str, lines: list[int], numbers: list[float], texts: list[str]) -> Call:
    return lambda circuit: circuit.gate(name, lines, numbers, texts, -1, None, name)


def _unitary(lines: list[int], matrix: object) -> Call:
    return lambda circuit: circuit.unitary(lines, matrix, -1, None, "unitary")


def _diagonal(lines: list[int], entries: list[complex]) -> Call:
    return lambda circuit: circuit.diagonal(lines, entries, -1, "diagonal")


def _initialize(lines: list[int], amplitudes: list[complex]) -> Call:
    return lambda circuit: circuit.initialize(lines, amplitudes)


def _measure(line: int, slot: int) -> Call:
    return lambda circuit: circuit.measure([line], [slot], [])


def _reset(lines: list[int]) -> Call:
    return lambda circuit: circuit.reset(lines, -1)


def measurements(made: Assembly) -> list[Call]:
    """An ending that measures every busy qubit into the bits that hear of it last."""
    return [_measure(made.lines[qubit], slot) for slot, qubit in made.outcome.items() if qubit in made.lines]


def final_state(made: Assembly) -> list[Call]:
    """An ending that keeps the state."""
    lines = list(range(len(made.lines)))
    return [lambda circuit: circuit.save_state(lines, "save_statevector", "single", STATE_LABEL)]


def expectations(made: Assembly, labels: Sequence[str], subtype: str = "average") -> list[Call]:
    """An ending that evaluates Pauli labels over the busy qubits, each under its own name."""
    lines = list(range(len(made.lines)))

    def call(label: str) -> Call:
        return lambda circuit: circuit.save_expval(lines, "save_expval", [label], [1.0], [0.0], subtype, label)

    return [call(label) for label in labels]
