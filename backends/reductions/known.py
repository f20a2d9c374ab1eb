"""Follows basis states from |0…0>: what acts on a qubit whose state is known needs no simulation.

A control that is surely 0 takes its gate away, one that is surely 1 leaves the gate without it; phases of known qubits
are global; a swap only renames; a measurement of a known qubit is a constant, and conditions on constants are decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from backends.program import Clause, Op, Program
from backends.reductions.kinds import DIAGONAL

_STRIPPED = {
    "cx": "x",
    "cy": "y",
    "cz": "z",
    "ch": "h",
    "csx": "sx",
    "cp": "p",
    "crx": "rx",
    "cry": "ry",
    "crz": "rz",
    "ccx": "cx",
    "ccz": "cz",
    "cswap": "swap",
}
_FULLY_SYMMETRIC = frozenset({"cz", "cp", "ccz", "mcp"})


@dataclass(frozen=True, slots=True)
class Followed:
    """The operations left, and the classical bits whose final value is certain."""

    program: Program
    constants: dict[int, int]


def follow(program: Program) -> Followed:
    """Drop, simplify and decide whatever known states allow."""
    return _Follower(program).run()


class _Follower:
    """One pass. `states` holds 0 or 1 where a wire is known; a known 1 is not yet in the operations."""

    __slots__ = ("_bits", "_out", "_program", "_states", "_wires")

    def __init__(self, program: Program) -> None:
        self._program = program
        self._states: list[int | None] = [0] * program.qubits
        self._wires = list(range(program.qubits))
        self._bits: list[int | None] = [0] * program.clbits
        self._out: list[Op] = []

    def run(self) -> Followed:
        for op in self._program.operations:
            if op.condition:
                self._conditional(op)
            else:
                self._take(op.name, [self._wires[qubit] for qubit in op.qubits], op)
        constants = {bit: value for bit, value in enumerate(self._bits) if value is not None}
        reduced = Program(self._program.qubits, self._program.clbits, tuple(self._out))
        return Followed(reduced, constants)

    def _conditional(self, op: Op) -> None:
        clauses = []
        for clause in op.condition:
            decided = _decided(clause, self._bits)
            if decided is False:
                return
            if decided is not True:
                clauses.append(decided)
        wires = [self._wires[qubit] for qubit in op.qubits]
        if not clauses:
            self._take(op.name, wires, op)
            return
        self._real(wires)
        for bit in op.clbits:
            self._bits[bit] = None
        self._out.append(Op(op.name, tuple(wires), op.params, op.clbits, tuple(clauses)))

    def _take(self, name: str, wires: list[int], op: Op) -> None:
        states = self._states
        if name == "measure":
            (wire,) = wires
            self._bits[op.clbits[0]] = states[wire]
            if states[wire] is None:
                self._out.append(Op(name, (wire,), (), op.clbits))
        elif name == "reset":
            (wire,) = wires
            if states[wire] is None:
                self._out.append(Op(name, (wire,)))
            states[wire] = 0
        elif name == "swap":
            first, second = op.qubits[-2:]
            self._wires[first], self._wires[second] = self._wires[second], self._wires[first]
        elif name == "initialize":
            for wire in wires:
                states[wire] = None
            self._out.append(Op(name, tuple(wires), op.params))
        else:
            self._gate(name, wires, op)

    def _gate(self, name: str, wires: list[int], op: Op) -> None:
        states = self._states
        known = [states[wire] for wire in wires]
        if name in DIAGONAL and None not in known:
            return
        if name in ("x", "y") and known[0] is not None:
            states[wires[0]] = 1 - known[0]
            return
        if len(wires) > 1 and any(value is not None for value in known):
            simpler = _simpler(name, wires, known, op.params)
            if simpler is not None:
                if simpler:
                    inner, left, params = simpler
                    if inner == "swap":
                        self._swap(left, op)
                    else:
                        self._gate(inner, left, Op(inner, tuple(left), params))
                return
        self._real(wires)
        self._out.append(Op(name, tuple(wires), op.params))

    def _swap(self, wires: list[int], op: Op) -> None:
        """The swap inside a controlled one whose control is certain."""
        self._take("swap", wires, op)

    def _real(self, wires: list[int]) -> None:
        """From here on these wires are not known; a known 1 is made."""
        for wire in wires:
            if self._states[wire] == 1:
                self._out.append(Op("x", (wire,)))
            self._states[wire] = None


_Simpler = tuple[str, list[int], tuple[float, ...] | tuple[complex, ...]] | tuple[()]


def _simpler(
    name: str, wires: list[int], known: list[int | None], params: tuple[float, ...] | tuple[complex, ...]
) -> _Simpler | None:
    """What is left of a gate when some of its qubits are known: () for nothing, None for no change."""
    if name == "rzz":
        place = 0 if known[0] is not None else 1
        angle = params[0] if known[place] == 0 else -params[0]
        return "rz", [wires[1 - place]], (angle,)
    if name == "crz" and known[0] is None:
        half = params[0] / 2
        return "p", [wires[0]], (half if known[1] else -half,)
    if name in ("mcx", "mcp"):
        return _simpler_wide(name, wires, known, params)
    controls = len(wires) if name in _FULLY_SYMMETRIC else {"ccx": 2}.get(name, 1)
    if name not in _STRIPPED and name != "cu":
        return None
    for place in range(controls):
        if known[place] == 0:
            return ()
        if known[place] == 1:
            left = [*wires[:place], *wires[place + 1 :]]
            return ("u", left, params[:3]) if name == "cu" else (_STRIPPED[name], left, params)
    return None


def _simpler_wide(
    name: str, wires: list[int], known: list[int | None], params: tuple[float, ...] | tuple[complex, ...]
) -> _Simpler | None:
    controls = len(wires) - 1 if name == "mcx" else len(wires)
    if 0 in known[:controls]:
        return ()
    left = [wire for place, wire in enumerate(wires) if place >= controls or known[place] is None]
    if len(left) == len(wires):
        return None
    if name == "mcx":
        return {1: "x", 2: "cx", 3: "ccx"}.get(len(left), "mcx"), left, ()
    return {1: "p", 2: "cp"}.get(len(left), "mcp"), left, params


def _decided(clause: Clause, bits: list[int | None]) -> Clause | bool:
    """The clause over the bits that are not certain; True or False where none decides it."""
    known = [(place, bits[bit]) for place, bit in enumerate(clause.bits) if bits[bit] is not None]
    if not known:
        return clause
    open_places = [place for place, bit in enumerate(clause.bits) if bits[bit] is None]
    values = set()
    for value in clause.values:
        if all(value >> place & 1 == held for place, held in known):
            values.add(sum((value >> place & 1) << new for new, place in enumerate(open_places)))
    if not open_places:
        return bool(values) == clause.inside
    if not values:
        return not clause.inside
    if len(values) == 1 << len(open_places):
        return clause.inside
    return Clause(tuple(clause.bits[place] for place in open_places), tuple(sorted(values)), clause.inside)
