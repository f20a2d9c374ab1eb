"""Aer, by method: dense states, matrix product states, tableaus. Always installed; whatever else fails comes here.

Its silent truncation is kept out: matrix product states drop singular values below a threshold whose effect on the
fidelity is bounded by the number of gates between two qubits, and never cap the bond. What a capped bond would hide is
a MemoryError or a run beyond its time here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qiskit_aer.backends.backend_utils import CircuitHeader
from qiskit_aer.backends.controller_wrappers import AerCircuit

from backends import engine
from backends.engines.ending import Ending, ending_of
from backends.engines.lowering import cliffordised, lowered
from backends.engines.port import Budget, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.traits import Traits
from backends.program import Clause, Op, Program
from backends.registers import Bits, sample

AerMethod = Literal["statevector", "matrix_product_state", "stabilizer"]

_TWO = frozenset({"cx", "cy", "cz", "ecr", "swap"})
_CLIFFORD = _TWO | {"x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "initialize"}
_NARROW = (
    _TWO
    | {"x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u"}
    | {"cp", "csx", "rxx", "ryy", "rzz", "rzx", "ccx", "cswap", "unitary", "diagonal", "initialize"}
)
KNOWN: dict[str, frozenset[str]] = {
    "statevector": _NARROW | {"ccz", "crx", "cry", "crz", "cu", "mcx", "mcp"},
    "matrix_product_state": _NARROW,
    "stabilizer": _CLIFFORD,
}
_NAMES = {"mcp": "mcphase"}
_STATE_QUBITS = 24
"""Up to this width the state is taken out and drawn from; beyond it the second array costs more than it saves."""
THRESHOLD = 1e-12
"""Squared singular values that matrix product states may drop in all at one cut, relative to one."""


@dataclass(frozen=True, slots=True)
class OnAer:
    """One method of Aer."""

    method: AerMethod

    @property
    def name(self) -> str:
        """The library and the method."""
        return f"aer.{self.method}"

    @property
    def licence(self) -> str:
        """Apache."""
        return "Apache-2.0"

    @property
    def version(self) -> str:
        """Aer's."""
        return engine.VERSION

    def available(self) -> bool:
        """It is never missing."""
        return True

    def obstacle(self, traits: Traits) -> str | None:
        """Width, and gates that are not Clifford under a tableau."""
        if self.method == "stabilizer":
            return None if traits.clifford else "it runs Clifford gates only"
        if self.method == "statevector" and traits.terminal and traits.busy > 40:
            return f"a dense state of {traits.busy} qubits fits into no memory"
        return None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """One final state where it tells all outcomes, else shot by shot."""
        ending = ending_of(program)
        if ending is None:
            return self._shot_by_shot(program, shots, seed, budget)
        if not ending.asked:
            return Sampled(np.zeros((shots, program.clbits), dtype=np.uint8), self.how())
        gates = self._gates(ending.local())
        width = len(ending.lines)
        if self.method == "statevector":
            _fits(width, budget)
            if width <= _STATE_QUBITS:
                state = self._state(gates, width)
                drawn = sample(state, shots, np.random.default_rng(seed))
                return Sampled(ending.place_indices(drawn), self.how())
        circuit = blank(width, len(ending.asked))
        write(circuit, gates)
        for column, line in enumerate(ending.asked):
            circuit.measure([line], [column], [])
        memory = self._memory(circuit, width, len(ending.asked), shots, seed)
        return Sampled(ending.place(columns(memory, len(ending.asked))), self.how(gates))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """Evaluated inside the engine."""
        ending = ending_of(program)
        if ending is None:
            raise Unsuited("outcomes are random before the end")
        gates = self._gates(ending.local())
        width = len(ending.lines)
        labels = [label_over(pauli, ending) for pauli in paulis]
        asked = sorted({label for label in labels if label})
        found = {None: 0.0, "": 1.0}
        if asked:
            if self.method == "statevector":
                _fits(width, budget)
            circuit = blank(width, 0)
            write(circuit, gates)
            for label in asked:
                circuit.save_expval(list(range(width)), "save_expval", [label], [1.0], [0.0], "average", label)
            (result,) = engine.execute([circuit], self.method, qubits=width, clbits=0, threshold=THRESHOLD)
            found |= {label: float(result["data"][label]) for label in asked}
        how = self.how(gates)
        error = 1e-9 + 2 * math.sqrt(max(0.0, 1 - how.fidelity))
        return Expected(tuple(found[label] for label in labels), error, how)

    def _gates(self, operations: Iterable[Op]) -> list[Op]:
        if self.method == "stabilizer":
            operations = cliffordised(operations)
        return list(lowered(operations, KNOWN[self.method]))

    def how(self, gates: Sequence[Op] = ()) -> How:
        """How an answer over these gates comes about."""
        fidelity, note = 1.0, ""
        if self.method == "matrix_product_state":
            cuts = sum(len(op.qubits) * (len(op.qubits) - 1) for op in gates if len(op.qubits) > 1)
            # Errors of truncations add up as vectors, each at most the square root of what one dropped.
            lost = min(1.0, max(1, cuts) * math.sqrt(THRESHOLD))
            fidelity = (1 - lost) ** 2
            note = f"singular values dropped up to a weight of {THRESHOLD:g} each time"
        return How(self.name, self.version, self.method, fidelity, note)

    def _state(self, gates: Sequence[Op], width: int) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
        circuit = blank(width, 0)
        write(circuit, gates)
        circuit.save_state(list(range(width)), "save_statevector", "single", "state")
        (result,) = engine.execute([circuit], "statevector", qubits=width, clbits=0)
        state: np.ndarray[tuple[int], np.dtype[np.complex128]] = result["data"]["state"]
        return state

    def _shot_by_shot(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        lines = {qubit: line for line, qubit in enumerate(sorted({q for op in program.operations for q in op.qubits}))}
        local = [op._replace(qubits=tuple([lines[qubit] for qubit in op.qubits])) for op in program.operations]
        gates = self._gates(local)
        width = max(1, len(lines))
        if self.method == "statevector":
            _fits(width, budget)
        circuit = blank(width, program.clbits)
        write(circuit, gates, registers=any(op.condition for op in gates))
        memory = self._memory(circuit, width, program.clbits, shots, seed)
        return Sampled(columns(memory, program.clbits), self.how(gates))

    def _memory(self, circuit: AerCircuit, width: int, clbits: int, shots: int, seed: int) -> Sequence[str]:
        (result,) = engine.execute(
            [circuit],
            self.method,
            qubits=width,
            clbits=clbits,
            shots=shots,
            seed=seed,
            memory=True,
            threshold=THRESHOLD,
        )
        memory: Sequence[str] = result["data"].get("memory") or ["0x0"] * shots
        return memory


def label_over(pauli: Pauli, ending: Ending) -> str | None:
    """A label over the busy qubits; None where an idle qubit makes the value 0, empty where the value is 1."""
    letters = ["I"] * len(ending.lines)
    for qubit, letter in pauli:
        if qubit in ending.lines:
            letters[-1 - ending.lines[qubit]] = letter
        elif letter != "Z":
            return None
    return "".join(letters) if any(letter != "I" for letter in letters) else ""


def _fits(width: int, budget: Budget) -> None:
    needed = 16 << width + (width <= _STATE_QUBITS)
    if needed > budget.memory_bytes:
        raise MemoryError(f"a dense state of {width} qubits needs {needed >> 20} MiB")


def blank(width: int, clbits: int) -> AerCircuit:
    """An engine circuit without operations."""
    made = AerCircuit()
    header = CircuitHeader(
        n_qubits=width,
        qreg_sizes=[["q", width]],
        memory_slots=clbits,
        creg_sizes=[["c", clbits]] if clbits else [],
        name="circuit",
        global_phase=0.0,
    )
    made.set_header(header)
    made.num_qubits = width
    made.num_memory = clbits
    made.global_phase_angle = 0.0
    return made


def write(circuit: AerCircuit, operations: Iterable[Op], *, registers: bool = False) -> None:
    """Append operations. With `registers`, measurements also go where conditions look for them."""
    next_register = circuit.num_memory
    for name, qubits, params, clbits, condition in operations:
        register = -1
        if condition:
            if name in ("measure", "initialize"):
                raise Unsuited(f'it has no conditional "{name}"')
            register, next_register = _condition(circuit, condition, next_register)
        lines = list(qubits)
        match name:
            case "measure":
                circuit.measure(lines, list(clbits), list(clbits) if registers else [])
            case "reset":
                circuit.reset(lines, register)
            case "unitary":
                size = 1 << len(lines)
                circuit.unitary(lines, np.array(params).reshape(size, size), register, None, "unitary")
            case "diagonal":
                circuit.diagonal(lines, list(params), register, "diagonal")
            case "initialize":
                circuit.initialize(lines, list(params))
            case _:
                named = _NAMES.get(name, name)
                circuit.gate(named, lines, list(params), [], register, None, named)


def _condition(circuit: AerCircuit, clauses: Sequence[Clause], free: int) -> tuple[int, int]:
    """Work a condition out into a register bit; that bit, and the next free one."""
    held = 0
    for clause in clauses:
        mask = sum(1 << bit for bit in set(clause.bits))
        parts = 0
        for value in clause.values:
            wanted = sum(1 << bit for place, bit in enumerate(clause.bits) if value >> place & 1)
            if value >> len(clause.bits):
                continue
            circuit.bfunc(hex(mask), hex(wanted), "==", free)
            parts |= 1 << free
            free += 1
        circuit.bfunc(hex(parts), "0x0", "!=" if clause.inside else "==", free)
        held |= 1 << free
        free += 1
    circuit.bfunc(hex(held), hex(held), "==", free)
    return free, free + 1


def columns(memory: Sequence[str], clbits: int) -> Bits:
    """Hexadecimal words as zeros and ones, bit 0 first."""
    digits = 2 * -(-clbits // 8)
    text = "".join([word[2:].rjust(digits, "0") for word in memory])
    raw = np.frombuffer(bytes.fromhex(text), dtype=np.uint8).reshape(len(memory), digits // 2)
    return np.unpackbits(raw, axis=1)[:, ::-1][:, :clbits]


def methods() -> tuple[OnAer, ...]:
    """Every method as an engine of its own."""
    return tuple(OnAer(method) for method in ("statevector", "matrix_product_state", "stabilizer"))
