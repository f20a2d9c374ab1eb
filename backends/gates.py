"""What the room knows about single gates: which are what their name says, which are Clifford, and as which steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from qiskit.circuit import CircuitInstruction, Delay, Operation, QuantumCircuit, Store
from qiskit.circuit.barrier import Barrier
from qiskit.circuit.library import (
    C4XGate,
    DiagonalGate,
    Initialize,
    MCPhaseGate,
    MCXGate,
    Measure,
    PauliGate,
    Reset,
    UnitaryGate,
)

from backends.rejected import Rejected

Step = tuple[str, tuple[int, ...]]
"""A parameterless gate by name, and the positions among the original gate's qubits that it acts on."""

CLIFFORD = frozenset(
    {"id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "ecr", "iswap", "dcx"}
)
TURNING = frozenset({"rz", "p", "u1", "rx", "ry", "u", "u3", "u2", "r", "cp", "cu1", "rzz", "rxx", "ryy", "rzx"})
"""Gates that are Clifford at multiples of a quarter turn (controlled phases: of a half turn)."""

ANGLE_TOLERANCE = 1e-12

_GENUINE: dict[str, tuple[type[Operation], ...]] = {
    "measure": (Measure,),
    "reset": (Reset,),
    "barrier": (Barrier,),
    "delay": (Delay,),
    "store": (Store,),
    "unitary": (UnitaryGate,),
    "pauli": (PauliGate,),
    "diagonal": (DiagonalGate,),
    "initialize": (Initialize,),
    "mcx": (MCXGate, C4XGate),
    "mcphase": (MCPhaseGate,),
}
_Z_TURNS: tuple[tuple[str, ...], ...] = ((), ("s",), ("z",), ("sdg",))
_X_TURNS: tuple[tuple[str, ...], ...] = ((), ("sx",), ("x",), ("sxdg",))
_Y_TURNS: tuple[tuple[str, ...], ...] = ((), ("z", "h"), ("y",), ("h", "z"))


def definition_of(operation: Operation) -> QuantumCircuit | None:
    """What an operation is made of, if it says so; refuses with circuit_invalid where its library fails to tell."""
    try:
        definition: QuantumCircuit | None = getattr(operation, "definition", None)
    except (KeyboardInterrupt, SystemExit, MemoryError, RecursionError):
        raise
    except BaseException as error:  # the panics of compiled code are no Exceptions
        reason = " ".join(str(error).split())[:200]
        detail = f'the gate "{operation.name}" cannot be decomposed ({reason}); decompose it before sending'
        raise Rejected("circuit_invalid", detail, {"gate": str(operation.name)[:100]}) from error
    return definition


def is_genuine(instruction: CircuitInstruction) -> bool:
    """Whether an instruction is what an engine takes its name to mean.

    A program may define its own gate called "h"; its name then says nothing and only its definition counts.
    """
    if instruction.is_standard_gate():
        return True
    kinds = _GENUINE.get(instruction.name)
    return kinds is not None and isinstance(instruction.operation, kinds)


def is_clifford(name: str, params: Sequence[object]) -> bool:
    """Whether a genuine gate maps Pauli operators to Pauli operators at these parameters."""
    return name in CLIFFORD or name == "pauli" or (name in TURNING and clifford_steps(name, params) is not None)


def clifford_steps(name: str, params: Sequence[object]) -> tuple[Step, ...] | None:
    """A turning gate as Clifford gates, up to a global phase; None where its angles or parameters do not allow it."""
    turns = quarter_turns(params)
    steps_of = _STEPS.get(name)
    return None if turns is None or steps_of is None else steps_of(*turns)


def quarter_turns(params: Sequence[object]) -> tuple[int, ...] | None:
    """Angles as numbers of quarter turns from 0 to 3; None if one is a parameter or lies between."""
    turns = []
    for param in params:
        if not isinstance(param, int | float) or not math.isfinite(param):
            return None
        ratio = param / (math.pi / 2)
        nearest = round(ratio)
        if abs(ratio - nearest) > ANGLE_TOLERANCE * max(1.0, abs(ratio)):
            return None
        turns.append(nearest % 4)
    return tuple(turns)


def _on(qubit: int, names: Sequence[str]) -> tuple[Step, ...]:
    return tuple((name, (qubit,)) for name in names)


def _between(name: str, inner: tuple[Step, ...]) -> tuple[Step, ...]:
    """Nothing stays nothing; else the two-qubit gate on both sides."""
    return ((name, (0, 1)), *inner, (name, (0, 1))) if inner else ()


def _euler(theta: int, phi: int, lam: int) -> tuple[Step, ...]:
    """U(θ, φ, λ) = RZ(φ) RY(θ) RZ(λ), the last factor first in time."""
    return _on(0, (*_Z_TURNS[lam], *_Y_TURNS[theta], *_Z_TURNS[phi]))


def _controlled_phase(turns: int) -> tuple[Step, ...] | None:
    """Half a turn is CZ, a quarter is no Clifford gate."""
    return None if turns % 2 else ((("cz", (0, 1)),) if turns == 2 else ())


def _around(before: tuple[Step, ...], turns: int, after: tuple[Step, ...]) -> tuple[Step, ...]:
    """A ZZ turn seen through a change of basis."""
    return (*before, *_between("cx", _on(1, _Z_TURNS[turns])), *after) if turns else ()


_BOTH_H: tuple[Step, ...] = (("h", (0,)), ("h", (1,)))
_STEPS: dict[str, Callable[..., tuple[Step, ...] | None]] = {
    "rz": lambda turns: _on(0, _Z_TURNS[turns]),
    "p": lambda turns: _on(0, _Z_TURNS[turns]),
    "u1": lambda turns: _on(0, _Z_TURNS[turns]),
    "rx": lambda turns: _on(0, _X_TURNS[turns]),
    "ry": lambda turns: _on(0, _Y_TURNS[turns]),
    "r": lambda theta, phi: _euler(theta, (phi - 1) % 4, (1 - phi) % 4),
    "u": _euler,
    "u3": _euler,
    "u2": lambda phi, lam: _euler(1, phi, lam),
    "cp": _controlled_phase,
    "cu1": _controlled_phase,
    "rzz": lambda turns: _around((), turns, ()),
    "rzx": lambda turns: _around((("h", (1,)),), turns, (("h", (1,)),)),
    "rxx": lambda turns: _around(_BOTH_H, turns, _BOTH_H),
    "ryy": lambda turns: _around((("sx", (0,)), ("sx", (1,))), turns, (("sxdg", (0,)), ("sxdg", (1,)))),
}
