"""PRISM-Q: fast on small circuits, Clifford circuits and circuits in parts. Young, therefore watched.

Its automatic choice answers at any fidelity when a circuit is wide; here every method is asked for by name, an exact
one must say that it was, and matrix product states must report their fidelity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import util
from typing import Any, Literal

import numpy as np

from backends.engines.ending import Ending, ending_of
from backends.engines.lowering import lowered
from backends.engines.port import FIDELITY_MIN, Budget, Expected, GaveUp, How, Pauli, Sampled, Unsuited
from backends.engines.release import release_of
from backends.engines.traits import Traits
from backends.gates import CLIFFORD
from backends.matrices import matrix_of
from backends.program import LOOKING, Clause, Op, Program

PrismMethod = Literal["clifford", "rank", "statevector", "mps", "sparse"]

_FIXED = ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "cx", "cz", "swap")
_TURNED = ("rx", "ry", "rz", "p", "rzz")
_CONTROLLED = frozenset({"cy", "ch", "csx", "crx", "cry", "crz"})
_KNOWN = frozenset({*_FIXED, *_TURNED, *_CONTROLLED, "cp", "u", "ccx", "ccz", "mcx", "mcp", "unitary"})
_RANKED = CLIFFORD | LOOKING | {"t", "tdg"}
RANK_TURNS_MAX = 24
"""Sums of stabilizer states double with each T gate, and neither count nor stop: 30 took 0.5 s, 40 all memory."""
_MANY_SHOTS, _DRAWN_QUBITS_MAX = 4_096, 16
_BONDS = (256, 128, 64, 32, 16, 8)
"""Matrix product states are cut at one of these, the largest that the budget allows for."""
_STEP_S, _CUBE_S, _DRAW_S, _SQUARE_S = 6e-6, 2.5e-8, 2.5e-7, 5e-10
"""What a step takes, in all and by the bond cubed, and a shot of a qubit, in all and by the bond squared."""


@cache
def _library() -> Any:
    import prism_q

    return prism_q


@cache
def _fixed() -> dict[str, Any]:
    gate = _library().Gate
    return {name: getattr(gate, name)() for name in _FIXED}


@dataclass(frozen=True, slots=True)
class OnPrismq:
    """One method of PRISM-Q."""

    method: PrismMethod

    @property
    def name(self) -> str:
        """The library and the method."""
        return f"prismq.{self.method}"

    @property
    def licence(self) -> str:
        """Either of two."""
        return "MIT OR Apache-2.0"

    @property
    def version(self) -> str:
        """PRISM-Q's."""
        return release_of("prism-q")

    def available(self) -> bool:
        """Whether it is installed."""
        return util.find_spec("prism_q") is not None

    def obstacle(self, traits: Traits) -> str | None:
        """Width, gates and random events, by method."""
        if "initialize" in traits.names or "diagonal" in traits.names:
            return "it prepares no state from amplitudes"
        match self.method:
            case "clifford":
                return None if traits.clifford else "it runs Clifford gates only"
            case "mps" | "rank" if not traits.terminal:
                return "outcomes are random before the end"
            case "rank":
                return None if traits.names <= _RANKED else "of gates that are not Clifford it runs T alone"
            case "statevector" if traits.qubits > 40:
                return f"a dense state of {traits.qubits} qubits fits into no memory"
            case _:
                return None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Through its own sampler, measurements in their places."""
        ending = ending_of(program)
        if ending is not None:
            if not ending.asked:
                return Sampled(np.zeros((shots, program.clbits), dtype=np.uint8), self._how(None))
            width = len(ending.lines)
            self._fits(ending.gates, width, budget)
            if self.method == "statevector" and shots > _MANY_SHOTS and width <= _DRAWN_QUBITS_MAX:
                return self._drawn(ending, shots, seed)
            circuit = _circuit(ending.local(), width, len(ending.asked))
            for column, line in enumerate(ending.asked):
                circuit.add_measure(line, column)
            bond = self._bond(ending, shots, budget)
            result = self._run(lambda simulation: simulation.shots(shots), circuit, seed, bond)
            return Sampled(ending.place(result.shots), self._how(result.metadata))
        self._fits(program.operations, program.qubits, budget)
        circuit = _dynamic(program)
        result = self._run(lambda simulation: simulation.shots(shots), circuit, seed)
        bits = np.zeros((shots, program.clbits), dtype=np.uint8)
        bits[:] = result.shots
        return Sampled(bits, self._how(result.metadata))

    def _drawn(self, ending: Ending, shots: int, seed: int) -> Sampled:
        """Drawn here from its state: its own sampler takes four times as long a shot."""
        circuit = _circuit(ending.local(), len(ending.lines), 0)
        state = self._run(lambda simulation: simulation.state_vector(), circuit, seed)
        cumulative = np.cumsum(state.real**2 + state.imag**2)
        draws = np.random.default_rng(seed).random(shots) * cumulative[-1]
        chosen = np.minimum(np.searchsorted(cumulative, draws, side="right"), len(cumulative) - 1)
        return Sampled(ending.place_indices(chosen), self._how(None))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """All products from one state."""
        ending = ending_of(program)
        if ending is None:
            raise Unsuited("outcomes are random before the end")
        width = len(ending.lines)
        self._fits(ending.gates, width, budget)
        known = [_over(pauli, ending) for pauli in paulis]
        asked = [pauli for pauli in known if isinstance(pauli, list)]
        values: list[float] = [0.0 if pauli is None or isinstance(pauli, list) else pauli for pauli in known]
        how = self._how(None)
        if asked:
            circuit = _circuit(ending.local(), width, 0)
            bond = self._bond(ending, len(asked), budget)
            result = self._run(lambda simulation: simulation.expectation_values_reported(asked), circuit, 0, bond)
            how = self._how(result.metadata)
            found = iter(result.values.tolist())
            values = [
                next(found) if isinstance(pauli, list) else value for pauli, value in zip(known, values, strict=True)
            ]
        error = 1e-9 + 2 * max(0.0, 1 - how.fidelity) ** 0.5
        return Expected(tuple(float(value) for value in values), error, how)

    def _run(self, ask: Any, circuit: Any, seed: int, bond: int = 0) -> Any:
        library = _library()
        simulation = library.simulate(circuit).seed(seed)
        match self.method:
            case "statevector":
                simulation = simulation.backend(library.BackendKind.statevector())
            case "sparse":
                simulation = simulation.backend(library.BackendKind.sparse())
            case "mps":
                simulation = simulation.backend(library.BackendKind.mps(bond))
            case "rank" if not circuit.is_clifford_only():
                simulation = simulation.backend(library.BackendKind.stabilizer_rank())
            case _:
                simulation = simulation.require_exact()
        try:
            return ask(simulation)
        except library.PrismError as error:
            if error.kind == "resource_limit":
                raise MemoryError(str(error)) from error
            raise Unsuited(" ".join(str(error).split())[:200]) from error

    def _bond(self, ending: Ending, shots: int, budget: Budget) -> int:
        """The largest bond with which the work, were all bonds so large, keeps to the budget: by formula, no clock."""
        if self.method != "mps":
            return 0
        local = ending.local()
        spans = [max(op.qubits) - min(op.qubits) for op in local if len(op.qubits) > 1]
        steps, drawn = sum(2 * span - 1 for span in spans) + len(local) // 8, shots * len(ending.lines)
        for bond in _BONDS:
            if steps * (_STEP_S + _CUBE_S * bond**3) + drawn * (_DRAW_S + _SQUARE_S * bond**2) <= budget.seconds:
                return bond
        raise GaveUp(f"its work may exceed {budget.seconds:.2g} s with bonds of {_BONDS[-1]}")

    def _how(self, found: Any) -> How:
        """What it reports of a run; GaveUp where that is too little."""
        fidelity = 1.0
        method: str = self.method
        if found is not None:
            method = str(found.engine or found.backend)
            if not found.is_exact:
                fidelity = float(found.fidelity_lower_bound or 0.0)
        if fidelity < FIDELITY_MIN:
            raise GaveUp(f"{self.name} reports a fidelity of at least {fidelity:.4f} only")
        return How(self.name, self.version, method, fidelity)

    def _fits(self, gates: Iterable[Op], width: int, budget: Budget) -> None:
        if self.method == "rank" and (turns := sum(op.name in ("t", "tdg") for op in gates)) > RANK_TURNS_MAX:
            raise Unsuited(f"{turns} T gates are too many, at most {RANK_TURNS_MAX} can be")
        if self.method == "statevector" and 48 << width > budget.memory_bytes:
            raise MemoryError(f"a dense state of {width} qubits needs {48 << width >> 20} MiB")


def _circuit(gates: Iterable[Op], width: int, clbits: int) -> Any:
    circuit = _library().Circuit(width, clbits)
    add = circuit.add_gate
    fixed = _fixed()
    for op in lowered(gates, _KNOWN):
        made = fixed.get(op.name)
        add(_gate(op) if made is None else made, list(op.qubits))
    return circuit


def _gate(op: Op) -> Any:
    """A gate that is no constant. Matrices count the other way round there."""
    gate = _library().Gate
    name, params = op.name, op.params
    if name in _TURNED:
        return getattr(gate, name)(*params)
    match name:
        case "cp":
            return gate.cphase(*params)
        case "u":
            return gate.unitary(matrix_of(op))
        case "unitary":
            return gate.unitary(matrix_of(op))
        case "ccx" | "mcx":
            return gate.mcu(matrix_of(Op("x", (0,))), len(op.qubits) - 1)
        case "ccz":
            return gate.mcu(matrix_of(Op("z", (0,))), 2)
        case "mcp":
            return gate.mcu(matrix_of(Op("p", (0,), params)), len(op.qubits) - 1)
        case _:
            return gate.cu(matrix_of(Op(name[1:], (0,), params)))


def _dynamic(program: Program) -> Any:
    """A circuit with measurements, resets and conditions where they stand."""
    library = _library()
    builder = library.CircuitBuilder(program.qubits, program.clbits)
    fixed = _fixed()
    for op in lowered(program.operations, _KNOWN):
        if op.condition:
            condition = _condition(op.condition)
            if op.name in ("measure", "reset"):
                raise Unsuited(f'a conditional "{op.name}"')
            builder.conditional(condition, fixed.get(op.name) or _gate(op), list(op.qubits))
        elif op.name == "measure":
            builder.measure(op.qubits[0], op.clbits[0])
        elif op.name == "reset":
            builder.reset(op.qubits[0])
        else:
            builder.gate(fixed.get(op.name) or _gate(op), list(op.qubits))
    return builder.build()


def _condition(clauses: Sequence[Clause]) -> Any:
    """A condition on one value of neighbouring bits; anything more is Unsuited."""
    if len(clauses) == 1:
        (clause,) = clauses
        bits, start = clause.bits, clause.bits[0]
        made = _library().ClassicalCondition
        if len(bits) == 1 and len(clause.values) == 1 and clause.values[0] in (0, 1):
            return made.bit(start, (clause.values[0] == 1) == clause.inside)
        in_a_row = bits == tuple(range(start, start + len(bits)))
        if in_a_row and len(clause.values) == 1 and clause.values[0] >> len(bits) == 0:
            equal = made.register_equals if clause.inside else made.register_not_equals
            return equal(start, len(bits), clause.values[0])
    raise Unsuited("a condition on more than one value of neighbouring bits")


def _over(pauli: Pauli, ending: Ending) -> list[tuple[int, str]] | float | None:
    """The product over busy qubits, or its value where they are not asked."""
    if any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines):
        return 0.0
    inner = [(ending.lines[qubit], letter) for qubit, letter in pauli if qubit in ending.lines]
    return inner or 1.0


def methods() -> tuple[OnPrismq, ...]:
    """Every method as an engine of its own."""
    return tuple(OnPrismq(method) for method in ("clifford", "rank", "statevector", "mps", "sparse"))
