"""Reads OpenQASM text for its sizes before a parser does: nesting, registers, broadcasts, nested definitions.

Textual and cheap; anything it does not understand it leaves to the parser, whose errors name the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from backends.limits import Limits
from backends.rejected import Rejected

_COMMENT = re.compile(r"//[^\n]*")
_BRACKET = re.compile(r"[()\[\]{}]")
_MARK = re.compile(r"([;{}])")
_REGISTER = re.compile(r"\s*(qreg|creg)\s+(\w+)\s*\[\s*(\d+)\s*\]")
_INCLUDE = re.compile(r'include\s*"([^"]*)"')
_HEAD = re.compile(r"\s*(?:if\s*\([^)]*\)\s*)?([A-Za-z_]\w*)")
_HARDWARE_QUBIT = re.compile(r"\$(\d+)")
_DIGITS_MAX = 12
_UNCOUNTED = frozenset({"OPENQASM", "include", "opaque", "barrier"})


def check_size(text: str, bytes_max: int, language: str) -> None:
    """Refuse text longer than `bytes_max` in UTF-8."""
    size = len(text) if text.isascii() else len(text.encode())
    if size > bytes_max:
        detail = f"{language} text has {size} bytes, at most {bytes_max} are taken; send QPY, which loads much faster"
        raise Rejected("circuit_too_large", detail, {"bytes": size, "bytes_max": bytes_max})


def check_nesting(text: str, depth_max: int) -> None:
    """Refuse brackets of any kind nested deeper than `depth_max`."""
    depth = 0
    for match in _BRACKET.finditer(text):
        if match.group() in "([{":
            depth += 1
            if depth > depth_max:
                detail = f"brackets are nested more than {depth_max} deep; write the expression flatter"
                raise Rejected("circuit_too_large", detail, {"expression_depth_max": depth_max})
        else:
            depth -= 1


def check_signs(text: str, run_max: int) -> None:
    """Refuse a longer run of signs before one number than anybody means; parsers take them one inside the other."""
    if re.search(rf"(?:[-~!+]\s*){{{run_max + 1}}}", text):
        detail = f"more than {run_max} signs stand before one value; write one"
        raise Rejected("circuit_too_large", detail, {"expression_depth_max": run_max})


def check_hardware_qubits(text: str, limits: Limits) -> None:
    """Refuse OpenQASM 3 text that names a physical qubit beyond the widest circuit taken."""
    for match in _HARDWARE_QUBIT.finditer(text):
        if _number(match.group(1)) >= limits.qubits:
            _too_large("qubits", _number(match.group(1)) + 1, limits.qubits, "use lower physical qubits")


def scan_qasm2(text: str, limits: Limits) -> None:
    """Refuse OpenQASM 2 text whose registers, broadcasts or definitions multiply out beyond the limits.

    Raises circuit_too_large, or circuit_invalid for an include of any file but the standard one.
    """
    check_size(text, limits.qasm2_bytes, "OpenQASM 2")
    check_nesting(text, limits.expression_depth)
    plain = _COMMENT.sub("", text)
    for match in _INCLUDE.finditer(plain):
        if match.group(1) != "qelib1.inc":
            raise Rejected(
                "circuit_invalid", 'only "qelib1.inc" can be included; write the definitions into the text', {}
            )
    tally = _Tally(limits)
    marks = _MARK.split(plain)
    for statement, mark in zip(marks[::2], marks[1::2], strict=False):
        if mark == "{":
            tally.open(statement)
        elif mark == "}":
            tally.close()
        else:
            tally.statement(statement)


@dataclass(slots=True)
class _Tally:
    """Operations so far, and what each defined gate stands for in operations and in depth."""

    limits: Limits
    sizes: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    operations: int = 0
    qubits: int = 0
    clbits: int = 0
    gate: str | None = None
    gate_weight: int = 0
    gate_depth: int = 0

    def open(self, statement: str) -> None:
        """The head of a gate definition."""
        words = re.findall(r"\w+", statement)
        self.gate = words[1] if len(words) > 1 else ""
        self.gate_weight, self.gate_depth = 0, 1

    def close(self) -> None:
        """The end of a gate definition."""
        if self.gate is not None:
            self.weights[self.gate] = max(1, self.gate_weight)
            self.depths[self.gate] = self.gate_depth
        self.gate = None

    def statement(self, statement: str) -> None:
        """One statement, at the top or inside a gate definition."""
        head = _HEAD.match(statement)
        if head is None or head.group(1) in _UNCOUNTED:
            return
        name = head.group(1)
        if name in ("qreg", "creg"):
            self.register(statement)
        elif self.gate is not None:
            self.gate_weight += self.weights.get(name, 1)
            self.gate_depth = max(self.gate_depth, 1 + self.depths.get(name, 0))
            self.bound(self.gate_weight)
            if self.gate_depth > self.limits.definition_depth:
                detail = f"gate definitions are nested more than {self.limits.definition_depth} deep; flatten them"
                raise Rejected("circuit_too_large", detail, {"definition_depth_max": self.limits.definition_depth})
        else:
            arguments = statement[max(statement.rfind(")") + 1, head.end()) :]
            self.operations += self.weights.get(name, 1) * self.breadth(arguments)
            self.bound(self.operations)

    def breadth(self, arguments: str) -> int:
        """How often a statement is repeated: the longest whole register among its arguments."""
        names = (part.strip() for part in arguments.replace("->", ",").split(",") if "[" not in part)
        return max((self.sizes.get(name, 1) for name in names), default=1)

    def register(self, statement: str) -> None:
        """A declaration of quantum or classical bits."""
        match = _REGISTER.match(statement)
        if match is None:
            return
        kind, name, size = match.group(1), match.group(2), _number(match.group(3))
        self.sizes[name] = size
        if kind == "qreg":
            self.qubits += size
            if self.qubits > self.limits.qubits:
                _too_large("qubits", self.qubits, self.limits.qubits, "declare smaller registers")
        else:
            self.clbits += size
            if self.clbits > self.limits.clbits:
                _too_large("clbits", self.clbits, self.limits.clbits, "declare smaller registers")

    def bound(self, operations: int) -> None:
        """Refuse more operations than the limit, by multiplicity."""
        if operations > self.limits.operations:
            advice = "broadcasts and definitions are multiplied out; use fewer or split the circuit"
            _too_large("operations", operations, self.limits.operations, advice)


def _number(digits: str) -> int:
    """A size from decimal digits; absurdly long ones stand for a number beyond every limit."""
    stripped = digits.lstrip("0")
    return int(stripped or "0") if len(stripped) <= _DIGITS_MAX else 10**_DIGITS_MAX


def _too_large(name: str, found: int, bound: int, advice: str) -> NoReturn:
    detail = f"the circuit has {found} {name}, at most {bound} are taken; {advice}"
    raise Rejected("circuit_too_large", detail, {name: found, f"{name}_max": bound})
