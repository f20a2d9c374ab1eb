"""Which conditions on classical bits the engines can evaluate: comparisons and logic on bits and registers."""

from __future__ import annotations

from qiskit.circuit import IfElseOp, Operation, QuantumCircuit, Store, SwitchCaseOp, WhileLoopOp
from qiskit.circuit.classical import expr

from backends.rejected import Rejected

_BINARY = frozenset(
    {
        expr.Binary.Op.BIT_AND,
        expr.Binary.Op.BIT_OR,
        expr.Binary.Op.BIT_XOR,
        expr.Binary.Op.LOGIC_AND,
        expr.Binary.Op.LOGIC_OR,
        expr.Binary.Op.EQUAL,
        expr.Binary.Op.NOT_EQUAL,
        expr.Binary.Op.LESS,
        expr.Binary.Op.LESS_EQUAL,
        expr.Binary.Op.GREATER,
        expr.Binary.Op.GREATER_EQUAL,
    }
)
_UNARY = frozenset({expr.Unary.Op.BIT_NOT, expr.Unary.Op.LOGIC_NOT})


def check_variables(circuit: QuantumCircuit) -> None:
    """Refuse typed classical variables and stretches; registers hold all that engines keep."""
    if circuit.num_vars or circuit.num_stretches:
        detail = "classical variables are not supported by the engines here; keep values in classical registers"
        raise Rejected("payload_unsupported", detail, {})


def check_conditions(operation: Operation) -> None:
    """Refuse an operation that asks the engines for an expression they cannot evaluate."""
    found: list[object] = []
    if isinstance(operation, (IfElseOp, WhileLoopOp)):
        found.append(operation.condition)
    elif isinstance(operation, SwitchCaseOp):
        found.append(operation.target)
    elif isinstance(operation, Store):
        found += [operation.lvalue, operation.rvalue]
    for one in found:
        if isinstance(one, expr.Expr):
            _check(one)


def _check(node: expr.Expr) -> None:
    """Look at every node; parsers bound how deep they nest."""
    match node:
        case expr.Binary() if node.op in _BINARY:
            _check(node.left)
            _check(node.right)
        case expr.Unary() if node.op in _UNARY:
            _check(node.operand)
        case expr.Cast():
            _check(node.operand)
        case expr.Value():
            pass
        case expr.Var() if not node.standalone:
            pass
        case _:
            what = getattr(getattr(node, "op", None), "name", type(node).__name__).lower().replace("_", " ")
            detail = f"a condition uses {what}, which the engines here cannot evaluate; use comparisons and logic"
            raise Rejected("payload_unsupported", detail, {"expression": what})
