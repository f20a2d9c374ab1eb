"""DDSIM: decision diagrams, for states with structure: arithmetic, Fourier transforms, phase estimation, W states.

Nothing bounds the size of a diagram from outside, so the router runs it in a child where it is not sure. Measurements
are put in by us, each qubit once into a bit of its own: with several into one the library mixes up bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata, util
from typing import Any

import numpy as np

from backends.engines.ending import Ending, ending_of
from backends.engines.lowering import lowered
from backends.engines.port import Budget, Expected, How, Pauli, Sampled, Unsuited
from backends.engines.traits import Traits
from backends.program import Op, Program
from backends.registers import Bits

_PLAIN = frozenset({"x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "swap", "iswap", "ecr"})
_TURNED = frozenset({"rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx"})
_CONTROLLED = frozenset({"cx", "cy", "cz", "ch", "csx", "cswap"})
_TURNED_CONTROLLED = frozenset({"crx", "cry", "crz", "cp"})
_KNOWN = _PLAIN | _TURNED | _CONTROLLED | _TURNED_CONTROLLED | {"u", "ccx", "ccz", "mcx", "mcp"}
_SEED_MASK = (1 << 62) - 1


@cache
def _library() -> tuple[Any, Any, Any]:
    import mqt.core.ir as ir
    import mqt.core.ir.operations as operations
    from mqt.ddsim import CircuitSimulator

    return ir, operations, CircuitSimulator


class OnDdsim:
    """The library's circuit simulator."""

    name = "ddsim"
    licence = "MIT"

    @property
    def version(self) -> str:
        """DDSIM's."""
        return metadata.version("mqt-ddsim")

    def available(self) -> bool:
        """Whether it is installed."""
        return util.find_spec("mqt") is not None and util.find_spec("mqt.ddsim") is not None

    def obstacle(self, traits: Traits) -> str | None:
        """Random events before the end."""
        if not traits.terminal:
            return "outcomes are random before the end"
        return "it prepares no state from amplitudes" if "initialize" in traits.names else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """From the diagram of the final state."""
        ending = _ending(program)
        if not ending.asked:
            return Sampled(np.zeros((shots, program.clbits), dtype=np.uint8), self._how())
        ir, _, simulator = _library()
        circuit = ir.QuantumComputation(len(ending.lines), len(ending.asked))
        _write(circuit, ending.local())
        for column, line in enumerate(ending.asked):
            circuit.measure(line, column)
        counts = simulator(circuit, seed=seed & _SEED_MASK).simulate(shots)
        drawn = _rows(counts, shots, len(ending.asked), seed)
        return Sampled(ending.place(drawn), self._how())

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """One simulation a product; the library offers no other way to keep the state."""
        ending = _ending(program)
        ir, _, simulator = _library()
        width = len(ending.lines)
        values = []
        gates = ending.local()
        for pauli in paulis:
            inner = [(ending.lines[qubit], letter) for qubit, letter in pauli if qubit in ending.lines]
            if any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines):
                values.append(0.0)
                continue
            if not inner:
                values.append(1.0)
                continue
            circuit = ir.QuantumComputation(width, 0)
            _write(circuit, gates)
            observable = ir.QuantumComputation(width, 0)
            for line, letter in inner:
                getattr(observable, letter.lower())(line)
            values.append(float(simulator(circuit, seed=0).expectation_value(observable)))
        return Expected(tuple(values), 1e-9, self._how())

    def _how(self) -> How:
        return How(self.name, self.version, "decision diagram")


def _ending(program: Program) -> Ending:
    ending = ending_of(program)
    if ending is None:
        raise Unsuited("outcomes are random before the end")
    return ending


def _write(circuit: Any, operations: Sequence[Op]) -> None:
    control = _control()
    for name, qubits, params, _, _ in lowered(operations, _KNOWN):
        if name in _PLAIN or name in _TURNED:
            getattr(circuit, name)(*params, *qubits)
        elif name in _CONTROLLED or name in _TURNED_CONTROLLED:
            getattr(circuit, name)(*params, control(qubits[0]), *qubits[1:])
        elif name == "u":
            circuit.u(*params, qubits[0])
        else:
            controls = {control(qubit) for qubit in qubits[:-1]}
            match name:
                case "mcp":
                    circuit.mcp(*params, controls, qubits[-1])
                case "ccz":
                    circuit.mcz(controls, qubits[-1])
                case _:
                    circuit.mcx(controls, qubits[-1])


def _control() -> Callable[[int], Any]:
    made: Callable[[int], Any] = _library()[1].Control
    return made


def _rows(counts: dict[str, int], shots: int, width: int, seed: int) -> Bits:
    """Counts as outcomes in a random order that the seed fixes; keys have bit 0 on the right."""
    words = np.frombuffer("".join(counts).encode(), dtype=np.uint8).reshape(len(counts), width) - ord("0")
    rows = np.repeat(words[:, ::-1], list(counts.values()), axis=0)
    order = np.random.default_rng(seed).permutation(shots)
    drawn: Bits = rows[order]
    return drawn
