"""MQT's decision diagrams: for states with structure: arithmetic, Fourier transforms, phase estimation, W states.

Nobody can foretell a diagram's size, and the library's own simulator runs to its end. So gates are applied one by one,
the work is counted in nodes, and whoever asked is told when it exceeds what was allowed. Shots are drawn here, from the
diagram that the library writes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.engines.ending import Ending, ending_of
from backends.engines.lowering import lowered
from backends.engines.port import Budget, Expected, GaveUp, How, Pauli, Sampled, Unsuited
from backends.engines.release import release_of
from backends.engines.traits import Traits
from backends.program import Op, Program
from backends.registers import Bits

_PLAIN = frozenset({"x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "swap", "iswap", "ecr"})
_TURNED = frozenset({"rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx"})
_CONTROLLED = frozenset({"cx", "cy", "cz", "ch", "csx", "cswap"})
_TURNED_CONTROLLED = frozenset({"crx", "cry", "crz", "cp"})
_KNOWN = _PLAIN | _TURNED | _CONTROLLED | _TURNED_CONTROLLED | {"u", "ccx", "ccz", "mcx", "mcp"}
_PACKAGE_S, _GATE_S, _NODE_S = 4e-3, 3e-5, 1e-6
"""What one diagram takes: to begin with, for each gate, and for each node at each gate."""
_NODES_MAX = 1 << 13
"""Beyond, a single gate has been seen to take a hundred times as long as all before it, and it cannot be stopped."""
_NODE_BYTES = 400
_NODE = np.dtype([("index", "<i8"), ("line", "<u2"), ("low", "<i8"), ("a", "<c16"), ("high", "<i8"), ("b", "<c16")])
_HEADER_BYTES = 24
"""A version and the weight of the root, which is a phase."""


@cache
def _library() -> tuple[Any, Any, Any]:
    import mqt.core.ir as ir
    import mqt.core.ir.operations as operations
    from mqt.core.dd import DDPackage

    return ir, operations, DDPackage


class OnDdsim:
    """The library's diagrams, gate by gate."""

    name = "ddsim"
    licence = "MIT"

    @property
    def version(self) -> str:
        """That of the diagrams."""
        return release_of("mqt-core")

    def available(self) -> bool:
        """Whether it is installed."""
        return util.find_spec("mqt") is not None and util.find_spec("mqt.core") is not None

    def obstacle(self, traits: Traits) -> str | None:
        """Random events before the end."""
        if not traits.terminal:
            return "outcomes are random before the end"
        return "it prepares no state from amplitudes" if "initialize" in traits.names else None

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """From the diagram of the final state."""
        ending = _ending(program)
        if not ending.asked:
            return Sampled(np.zeros((shots, program.clbits), dtype=np.uint8), self._how(0))
        _, diagram, nodes = _evolved(ending, budget)
        drawn = _draw(diagram.to_bytes(), len(ending.lines), shots, np.random.default_rng(seed))
        return Sampled(ending.place(drawn[:, list(ending.asked)]), self._how(nodes))

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """The overlap of the state with what each product makes of it."""
        ending = _ending(program)
        ir, _, _ = _library()
        package, diagram, nodes = _evolved(ending, budget)
        values = []
        for pauli in paulis:
            if any(letter != "Z" for qubit, letter in pauli if qubit not in ending.lines):
                values.append(0.0)
                continue
            product = ir.QuantumComputation(len(ending.lines), 0)
            for qubit, letter in pauli:
                if qubit in ending.lines:
                    getattr(product, letter.lower())(ending.lines[qubit])
            # Whoever applies a gate gives its operand back; the state is still needed.
            package.inc_ref_vec(diagram)
            turned = diagram
            for gate in product:
                turned = package.apply_unitary_operation(turned, gate)
            values.append(float(package.inner_product(diagram, turned).real))
            package.dec_ref_vec(turned)
        return Expected(tuple(values), 1e-9, self._how(nodes))

    def _how(self, nodes: int) -> How:
        return How(self.name, self.version, f"decision diagram of {nodes} nodes at most")


def _evolved(ending: Ending, budget: Budget) -> tuple[Any, Any, int]:
    """The package, the final state, and the most nodes there were. GaveUp or MemoryError past the budget.

    The clock is not asked: the same program must get the same answer on every machine.
    """
    ir, _, package_of = _library()
    width = len(ending.lines)
    circuit = ir.QuantumComputation(width, 0)
    _write(circuit, ending.local())
    package = package_of(max(1, width))
    diagram = package.zero_state(width)
    seconds, nodes, most = _PACKAGE_S, width, width
    for position, gate in enumerate(circuit):
        diagram = package.apply_unitary_operation(diagram, gate)
        if nodes > 256 or position % 4 == 3:
            nodes = diagram.size()
            most = max(most, nodes)
        seconds += _GATE_S + _NODE_S * nodes
        if seconds > budget.seconds:
            raise GaveUp(f"its work exceeds {budget.seconds:.2g} s, at {nodes} nodes")
        if nodes > _NODES_MAX:
            raise GaveUp(f"its diagram has {nodes} nodes, more than {_NODES_MAX}")
        if nodes * _NODE_BYTES > budget.memory_bytes:
            raise MemoryError(f"a diagram of {nodes} nodes")
        if position % 64 == 63:
            package.garbage_collect()
    return package, diagram, max(most, diagram.size())


def _draw(written: bytes, width: int, shots: int, rng: np.random.Generator) -> Bits:
    """Outcomes, shape (shots, width), down from the root: each node's two weights are those of its halves."""
    nodes = np.frombuffer(written, dtype=_NODE, offset=_HEADER_BYTES)
    if not (nodes["index"] == np.arange(len(nodes))).all() or nodes[-1]["line"] != width - 1:
        raise RuntimeError("the library writes its diagrams in another way than we read them")
    low, high = np.abs(nodes["a"]) ** 2, np.abs(nodes["b"]) ** 2
    chance = high / (low + high)
    at: NDArray[np.int64] = np.full(shots, len(nodes) - 1)
    drawn = np.zeros((shots, width), dtype=np.uint8)
    for line in range(width - 1, -1, -1):
        ones = rng.random(shots) < chance[at]
        drawn[:, line] = ones
        at = np.where(ones, nodes["high"][at], nodes["low"][at])
    return drawn


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
