"""What conditions of control flow ask of classical bits, as clauses: whether some bits hold one of some numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from backends.program import Clause

TABLED_BITS = 10
"""Of so many bits a condition may compute anything: it is written as the table of the numbers on which it holds."""

_Op = expr.Binary.Op
_COMPUTED: Mapping[expr.Binary.Op, Callable[[int, int], int]] = {
    _Op.BIT_AND: lambda left, right: left & right,
    _Op.BIT_OR: lambda left, right: left | right,
    _Op.BIT_XOR: lambda left, right: left ^ right,
    _Op.LOGIC_AND: lambda left, right: left and right,
    _Op.LOGIC_OR: lambda left, right: left or right,
    _Op.EQUAL: lambda left, right: left == right,
    _Op.NOT_EQUAL: lambda left, right: left != right,
    _Op.LESS: lambda left, right: left < right,
    _Op.LESS_EQUAL: lambda left, right: left <= right,
    _Op.GREATER: lambda left, right: left > right,
    _Op.GREATER_EQUAL: lambda left, right: left >= right,
}


class Computed(Exception):  # noqa: N818 - an expected no
    """A condition that no clause of bounded size can express; the reason is a sentence."""


def clauses_of(condition: Any, clbits: Mapping[Any, int]) -> tuple[Clause, ...]:
    """A branch's condition as clauses that must all hold. Raises Computed."""
    if not isinstance(condition, expr.Expr):
        target, value = condition
        return (Clause(bits_of(target, clbits), (int(value),)),)
    slots = _slots(condition, clbits)
    if len(slots) <= TABLED_BITS:
        return _table(tuple(slots), [bool(value) for value in _values(condition, clbits, slots)])
    match condition:
        case expr.Binary(op=_Op.LOGIC_AND):
            return (*clauses_of(condition.left, clbits), *clauses_of(condition.right, clbits))
        case expr.Unary(op=expr.Unary.Op.LOGIC_NOT):
            return opposite(clauses_of(condition.operand, clbits))
        case expr.Binary(op=_Op.EQUAL | _Op.NOT_EQUAL, left=expr.Var() as held, right=expr.Value() as value):
            return (Clause(bits_of(held, clbits), (int(value.value),), condition.op is _Op.EQUAL),)
        case expr.Cast(operand=expr.Var() as held, type=types.Bool()):
            return (Clause(bits_of(held, clbits), (0,), False),)
    raise Computed(f"a condition computes something of more than {TABLED_BITS} bits")


def opposite(tests: Sequence[Clause]) -> tuple[Clause, ...]:
    """The condition that holds when this one does not. Raises Computed."""
    if len(tests) == 1:
        return (tests[0]._replace(inside=not tests[0].inside),)
    slots = tuple(dict.fromkeys(bit for one in tests for bit in one.bits))
    if len(slots) > TABLED_BITS:
        raise Computed(f"a branch runs when one of several tests on more than {TABLED_BITS} bits fails")
    place = {bit: at for at, bit in enumerate(slots)}
    holds = [
        all((_held(one, number, place) in one.values) == one.inside for one in tests)
        for number in range(1 << len(slots))
    ]
    return _table(slots, [not held for held in holds])


def switch_of(target: Any, clbits: Mapping[Any, int]) -> tuple[tuple[int, ...], Mapping[int, tuple[int, ...]] | None]:
    """The bits that a switch looks at, and which of their numbers lead to a value: None where each leads to itself."""
    if isinstance(target, expr.Expr) and not isinstance(target, expr.Var):
        slots = _slots(target, clbits)
        if len(slots) > TABLED_BITS:
            raise Computed(f"a switch computes something of more than {TABLED_BITS} bits")
        leading: dict[int, tuple[int, ...]] = {}
        for number, value in enumerate(_values(target, clbits, slots)):
            leading[value] = (*leading.get(value, ()), number)
        return tuple(slots), leading
    return bits_of(target, clbits), None


def bits_of(target: Any, clbits: Mapping[Any, int]) -> tuple[int, ...]:
    """The bits that hold a number, lowest first. Raises Computed."""
    held = target.var if isinstance(target, expr.Var) else target
    if isinstance(held, Clbit):
        return (clbits[held],)
    if isinstance(held, ClassicalRegister):
        return tuple(clbits[bit] for bit in held)
    raise Computed("a condition computes more than whether bits hold a number")


def _table(slots: tuple[int, ...], holds: Sequence[bool]) -> tuple[Clause, ...]:
    """The numbers on which it holds, or those on which it does not if these are fewer."""
    inside = tuple(number for number, held in enumerate(holds) if held)
    if len(inside) == len(holds):
        return ()
    if 2 * len(inside) <= len(holds):
        return (Clause(slots, inside),)
    return (Clause(slots, tuple(number for number, held in enumerate(holds) if not held), False),)


def _held(clause: Clause, number: int, place: Mapping[int, int]) -> int:
    return sum((number >> place[bit] & 1) << at for at, bit in enumerate(clause.bits))


def _slots(node: expr.Expr, clbits: Mapping[Any, int]) -> dict[int, int]:
    """The bits in an expression by their first appearance, each with its place."""
    found: dict[int, int] = {}
    for one in _variables(node):
        for bit in bits_of(one, clbits):
            found.setdefault(bit, len(found))
    return found


def _variables(node: expr.Expr) -> Iterator[expr.Var]:
    match node:
        case expr.Var():
            yield node
        case expr.Unary() | expr.Cast():
            yield from _variables(node.operand)
        case expr.Binary():
            yield from _variables(node.left)
            yield from _variables(node.right)
        case expr.Value():
            pass
        case _:
            raise Computed(f"a condition uses {type(node).__name__.lower()}")


def _values(node: expr.Expr, clbits: Mapping[Any, int], slots: Mapping[int, int]) -> list[int]:
    return [_value(node, clbits, slots, number) for number in range(1 << len(slots))]


def _value(node: expr.Expr, clbits: Mapping[Any, int], slots: Mapping[int, int], number: int) -> int:
    """An expression where the bits hold this number, each at its place; typed as OpenQASM 3 has it."""
    match node:
        case expr.Var():
            return sum((number >> slots[bit] & 1) << at for at, bit in enumerate(bits_of(node, clbits)))
        case expr.Value():
            return int(node.value)
        case expr.Cast():
            return _cut(_value(node.operand, clbits, slots, number), node.type)
        case expr.Unary():
            operand = _value(node.operand, clbits, slots, number)
            return int(not operand) if node.op is expr.Unary.Op.LOGIC_NOT else _cut(~operand, node.type, flipped=True)
        case expr.Binary() if node.op in _COMPUTED:
            left = _value(node.left, clbits, slots, number)
            return int(_COMPUTED[node.op](left, _value(node.right, clbits, slots, number)))
        case _:
            raise Computed(f"a condition uses {type(node).__name__.lower()}")


def _cut(value: int, kind: types.Type, *, flipped: bool = False) -> int:
    """A number as a type holds it: whether it is not zero, or its lowest bits."""
    if isinstance(kind, types.Bool):
        return value & 1 if flipped else int(value != 0)
    assert isinstance(kind, types.Uint)
    return value & ((1 << int(kind.width)) - 1)
