"""Reads the structure of a QPY file, and nothing else, before Qiskit's loader is let near it.

QPY is a tree of length-prefixed records. Walking the prefixes finds every declared width, every nested definition and
block, every loop and every instruction name, so that what would exhaust the loader is refused with a reason instead
of ending the process. Sizes are checked against the bytes that are really there; nothing declared is ever allocated.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import orjson

from backends import qpy_format as qpy
from backends.limits import Limits
from backends.qpy_format import version_of
from backends.rejected import Rejected

if TYPE_CHECKING:
    from backends.structure import Structure

ReadPlain = Callable[[bytes, int, int, int, int, int], "tuple[int, Structure] | None"]
"""`qpy_plain.read_plain`, which brings Qiskit along; this module comes without."""


def scan(
    content: bytes, limits: Limits, instruction_names: Collection[str], read_plain: ReadPlain
) -> tuple[Structure | None, ...]:
    """Check a whole QPY file against the limits; gives for each of its circuits the counts, where it is a plain one.

    `instruction_names` are the library instructions that may be built from the file, besides plain ones. Refuses with
    circuit_invalid, circuit_too_large, control_flow_too_deep or payload_unsupported. Costs about 1 µs per instruction.
    """
    version = version_of(content)
    try:
        return _Walker(content, version, limits, instruction_names, read_plain).file()
    except (struct.error, UnicodeDecodeError, IndexError, OverflowError) as error:
        _malformed("it ends early or its lengths do not fit", error)


@dataclass(frozen=True, slots=True)
class _Definition:
    """Where a custom instruction's body and base gate lie in the file."""

    body: tuple[int, int] | None
    base: int | None


@dataclass(slots=True)
class _Scope:
    """The custom instructions of one circuit, and how many operations each stands for once that is known."""

    definitions: dict[str, _Definition]
    counts: dict[str, int]
    definition_depth: int
    block_depth: int
    loop_product: int


class _Walker:
    """One pass over one file; every method takes an offset and gives the offset after what it read."""

    __slots__ = ("content", "end", "found", "known", "limits", "read_plain", "version")

    def __init__(
        self, content: bytes, version: int, limits: Limits, known: Collection[str], read_plain: ReadPlain
    ) -> None:
        self.content = content
        self.end = len(content)
        self.version = version
        self.limits = limits
        self.known = known
        self.read_plain = read_plain
        self.found: list[Structure | None] = []

    def file(self) -> tuple[Structure | None, ...]:
        """All circuits of the file."""
        *_, circuits, _, kind = qpy.FILE.unpack_from(self.content)
        if kind != b"q":
            _malformed("it holds no circuits")
        if circuits > self.limits.circuits:
            _too_large("circuits", circuits, self.limits.circuits, "a QPY file", "send several jobs")
        at = qpy.FILE.size
        if self.version >= 16:
            starts = struct.unpack_from(f"!{circuits}Q", self.content, at)
            for start in starts:
                self.circuit(self.skip(0, start), 0, 0, 1)
        else:
            for _ in range(circuits):
                at, _ = self.circuit(at, 0, 0, 1)
                at = self.layout(at)
        return tuple(self.found)

    def circuit(self, at: int, definition_depth: int, block_depth: int, loop_product: int) -> tuple[int, int]:
        """One circuit up to its layout; gives the offset there and its operations by multiplicity."""
        header = qpy.CIRCUIT.unpack_from(self.content, at)
        name_size, _, phase_size, qubits, clbits, metadata_size, registers, instructions, variables = header
        if qubits > self.limits.qubits:
            _too_large("qubits", qubits, self.limits.qubits, "a circuit", "use fewer qubits")
        if clbits > self.limits.clbits:
            _too_large("clbits", clbits, self.limits.clbits, "a circuit", "use fewer classical bits")
        if instructions > self.limits.operations:
            _too_large("operations", instructions, self.limits.operations, "a circuit", "split it")
        at = self.skip(at + qpy.CIRCUIT.size, name_size + phase_size + metadata_size)
        at = self.registers(at, registers)
        at = self.variables(at, variables)
        at = self.annotation_states(at)
        at = self.vectors(at)
        at, definitions = self.definitions(at)
        if definition_depth == block_depth == 0:
            plain = None
            if not definitions and not variables:
                plain = self.read_plain(self.content, at, instructions, qubits, clbits, self.version)
            self.found.append(plain and plain[1])
            if plain is not None:
                return self.calibrations(plain[0]), instructions
        scope = _Scope(definitions, {}, definition_depth, block_depth, loop_product)
        operations = 0
        for _ in range(instructions):
            at, count = self.instruction(at, scope)
            operations += count
            if operations > self.limits.operations:
                _too_large(
                    "operations",
                    operations,
                    self.limits.operations,
                    "a circuit, definitions and loops multiplied out,",
                    "use shallower definitions or fewer iterations",
                )
        return self.calibrations(at), operations

    def calibrations(self, at: int) -> int:
        """The count of pulse calibrations, before version 18; there must be none."""
        if self.version >= 18:
            return at
        (calibrations,) = qpy.COUNT_16.unpack_from(self.content, at)
        if calibrations:
            raise Rejected("payload_unsupported", "pulse calibrations are not supported; remove them", {})
        return at + qpy.COUNT_16.size

    def skip(self, at: int, size: int) -> int:
        """Step over bytes, which must be there."""
        at += size
        if at > self.end:
            _malformed("a length reaches beyond its end")
        return at

    def registers(self, at: int, count: int) -> int:
        """Register names and bit indices; a register attached as a range declares a size without carrying it."""
        for _ in range(count):
            if self.version >= 18:
                kind, _, size, name_size, _, attached = qpy.REGISTER_V18.unpack_from(self.content, at)
                body = 4 if attached == 1 else 4 * size
                at += qpy.REGISTER_V18.size
            else:
                kind, _, size, name_size, _ = qpy.REGISTER_V4.unpack_from(self.content, at)
                body = 8 * size
                at += qpy.REGISTER_V4.size
            bound = self.limits.clbits if kind == b"c" else self.limits.qubits
            if size > bound:
                _too_large("bits", size, bound, "a register", "declare a smaller one")
            at = self.skip(at, name_size + body)
        return at

    def variables(self, at: int, count: int) -> int:
        """Declarations of typed classical variables."""
        for _ in range(count):
            _, _, name_size = qpy.VARIABLE.unpack_from(self.content, at)
            at += qpy.VARIABLE.size
            kind = self.content[at]
            at = self.skip(at + 1, name_size + (4 if kind == 0x75 else 0))  # "u": an unsigned integer states its width
        return at

    def annotation_states(self, at: int) -> int:
        """Annotation namespaces, from version 15."""
        if self.version < 15:
            return at
        (count,) = qpy.COUNT_32.unpack_from(self.content, at)
        at += qpy.COUNT_32.size
        for _ in range(count):
            namespace_size, state_size = qpy.NAMESPACE.unpack_from(self.content, at)
            at = self.skip(at + qpy.NAMESPACE.size, namespace_size + state_size)
        return at

    def vectors(self, at: int) -> int:
        """The table of parameter vectors, from version 18."""
        if self.version < 18:
            return at
        (count,) = qpy.COUNT_16.unpack_from(self.content, at)
        at += qpy.COUNT_16.size
        for _ in range(count):
            name_size, _, _ = qpy.VECTOR.unpack_from(self.content, at)
            at = self.skip(at + qpy.VECTOR.size, name_size)
        return at

    def definitions(self, at: int) -> tuple[int, dict[str, _Definition]]:
        """The table of custom instructions: remembered here, walked when an instruction uses them."""
        (count,) = qpy.COUNT_64.unpack_from(self.content, at)
        at += qpy.COUNT_64.size
        table: dict[str, _Definition] = {}
        for _ in range(count):
            name_size, _, _, _, has_body, body_size, _, _, base_size = qpy.DEFINITION.unpack_from(self.content, at)
            at += qpy.DEFINITION.size
            name = self.text(at, name_size)
            at = self.skip(at, name_size)
            body = (at, body_size) if has_body else None
            at = self.skip(at, body_size if has_body else 0)
            base = at if base_size else None
            at = self.skip(at, base_size)
            table[name] = _Definition(body, base)
        return at, table

    def text(self, at: int, size: int) -> str:
        """A UTF-8 string of that many bytes."""
        return self.content[at : self.skip(at, size)].decode()

    def instruction(self, at: int, scope: _Scope, *, bits: bool = True) -> tuple[int, int]:
        """One instruction; gives the offset after it and how many operations it stands for.

        A gate that others are built on is written without the `bits` it declares.
        """
        fixed = qpy.INSTRUCTION.unpack_from(self.content, at)
        name_size, label_size, parameters, qargs, cargs, extras, register_size, _, _, _ = fixed
        at += qpy.INSTRUCTION.size
        name = self.content[at : at + name_size].decode()
        if name == "StatePreparation" and self.content[at + name_size : at + name_size + label_size].endswith(b" Dg"):
            _refuse_lost_inverse()
        at += name_size + label_size + register_size
        if extras & 3 == qpy.CONDITION_IS_EXPRESSION:
            _, size = qpy.PARAMETER.unpack_from(self.content, at)
            at += qpy.PARAMETER.size + size
        at += 5 * (qargs + cargs) if bits else 0
        iterations, blocks, power = 1, 0, 1
        for position in range(parameters):
            kind, size = qpy.PARAMETER.unpack_from(self.content, at)
            at += qpy.PARAMETER.size
            if kind in _PLAIN_KINDS:
                at += size
                continue
            if position == 0 and name == "ForLoopOp":
                iterations = self.iterations(kind, at, size, scope)
                scope = _inside_loop(scope, iterations)
            elif kind == b"m":
                power *= self.power(at)
            else:
                blocks += self.blocks(kind, at, size, scope, 0)
            at = self.skip(at, size)
        if extras & qpy.HAS_ANNOTATIONS:
            at = self.annotations(at)
        if at > self.end:
            _malformed("an instruction reaches beyond its end")
        return at, max(1, self.meaning(name, scope) * power, iterations * blocks)

    def annotations(self, at: int) -> int:
        """The annotations behind an instruction."""
        (count,) = qpy.COUNT_32.unpack_from(self.content, at)
        at += qpy.COUNT_32.size
        for _ in range(count):
            _, size = qpy.NAMESPACE.unpack_from(self.content, at)
            at = self.skip(at + qpy.NAMESPACE.size, size)
        return at

    def meaning(self, name: str, scope: _Scope) -> int:
        """How many operations one use of this name stands for."""
        if name in scope.counts:
            return scope.counts[name]
        definition = scope.definitions.get(name)
        if definition is None:
            if name not in self.known and name not in qpy.OPAQUE_NAMES:
                raise Rejected("circuit_invalid", f'the QPY file uses "{name}", which is no instruction of Qiskit', {})
            return 1
        depth = scope.definition_depth + 1
        if depth > self.limits.definition_depth:
            detail = f"gate definitions are nested more than {self.limits.definition_depth} deep; flatten them"
            raise Rejected("circuit_too_large", detail, {"definition_depth_max": self.limits.definition_depth})
        count = 1
        if definition.body is not None:
            start, size = definition.body
            if name.startswith(qpy.EVOLUTION_PREFIX):
                self.evolution(start, size)
            else:
                count = self.circuit(start, depth, scope.block_depth, 1)[1]
        if definition.base is not None:
            inner = _Scope(scope.definitions, scope.counts, depth, scope.block_depth, 1)
            count = max(count, self.instruction(definition.base, inner, bits=False)[1])
        scope.counts[name] = count
        return count

    def iterations(self, kind: bytes, at: int, size: int, scope: _Scope) -> int:
        """How often a for loop runs; a range says so in three numbers, a tuple in its length."""
        if kind == b"r":
            start, stop, step = qpy.RANGE.unpack_from(self.content, at)
            if step == 0:
                _malformed("a loop has step 0")
            count = len(range(start, stop, step)) if -(2**62) < start < 2**62 and -(2**62) < stop < 2**62 else 2**62
        elif kind == b"t" and size >= qpy.COUNT_64.size:
            (count,) = qpy.COUNT_64.unpack_from(self.content, at)
        else:
            return 1
        product = scope.loop_product * count
        if product > self.limits.loop_product:
            _too_large("iterations", product, self.limits.loop_product, "a nest of loops", "use fewer iterations")
        return int(count)

    def blocks(self, kind: bytes, at: int, size: int, scope: _Scope, tuple_depth: int) -> int:
        """Operations in the circuits that a parameter carries, itself or inside tuples."""
        if kind == b"q":
            depth = scope.block_depth + 1
            if depth > self.limits.control_flow_depth:
                _too_deep(self.limits.control_flow_depth)
            return self.circuit(at, scope.definition_depth, depth, scope.loop_product)[1]
        if kind != b"t":
            return 0
        if tuple_depth > 4:
            _malformed("tuples are nested too deep")
        self.skip(at, size)
        (count,) = qpy.COUNT_64.unpack_from(self.content, at)
        at += qpy.COUNT_64.size
        operations = 0
        for _ in range(count):
            inner_kind, inner_size = qpy.PARAMETER.unpack_from(self.content, at)
            at += qpy.PARAMETER.size
            operations += self.blocks(inner_kind, at, inner_size, scope, tuple_depth + 1)
            at = self.skip(at, inner_size)
        return operations

    def power(self, at: int) -> int:
        """The factor of an annotated operation's modifier, at least 1."""
        kind, _, _, power = qpy.MODIFIER.unpack_from(self.content, at)
        if kind != b"p":
            return 1
        if not abs(power) <= self.limits.operations:
            _too_large("power", int(min(abs(power), 2.0**62)), self.limits.operations, "a power modifier", "lower it")
        return max(1, int(abs(power)))

    def evolution(self, at: int, size: int) -> None:
        """The repetitions of a Pauli evolution, from the settings at the end of its record."""
        self.skip(at, size)
        *_, settings_size = qpy.EVOLUTION.unpack_from(self.content, at)
        if settings_size > size:
            _malformed("an evolution's settings reach beyond its end")
        try:
            settings = orjson.loads(self.content[at + size - settings_size : at + size])["settings"]
            reps, order = settings.get("reps", 1), settings.get("order", 1)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            _malformed("an evolution's settings are not readable", error)
        if not isinstance(reps, int) or not isinstance(order, int) or order > 16 or reps > self.limits.evolution_reps:
            _too_large("reps", reps, self.limits.evolution_reps, "a Pauli evolution", "use fewer, or order 16 at most")

    def layout(self, at: int) -> int:
        """The layout behind a circuit, where another circuit may follow it."""
        exists, initial, mapping, final, extra_registers, _ = qpy.LAYOUT.unpack_from(self.content, at)
        at += qpy.LAYOUT.size
        if not exists:
            return at
        at = self.registers(at, extra_registers)
        for _ in range(max(0, initial)):
            index, register_size = qpy.LAYOUT_BIT.unpack_from(self.content, at)
            at = self.skip(
                at + qpy.LAYOUT_BIT.size, 0 if index == -1 and register_size == -1 else max(0, register_size)
            )
        return self.skip(at, 4 * (max(0, mapping) + max(0, final)))


# Numbers, parameters, expressions, strings, arrays: nothing that holds a circuit.
_PLAIN_KINDS = frozenset({b"f", b"i", b"c", b"p", b"v", b"e", b"s", b"z", b"n", b"R", b"x", b"d"})


def _inside_loop(scope: _Scope, iterations: int) -> _Scope:
    product = scope.loop_product * max(1, iterations)
    return _Scope(scope.definitions, scope.counts, scope.definition_depth, scope.block_depth, product)


def _too_large(name: str, found: int, bound: int, thing: str, advice: str) -> NoReturn:
    detail = f"{thing} has {found} {name.replace('_', ' ')}, at most {bound} are taken; {advice}"
    raise Rejected("circuit_too_large", detail, {name: found, f"{name}_max": bound})


def _refuse_lost_inverse() -> NoReturn:
    detail = (
        "QPY forgets that a StatePreparation is inverted and would run it the wrong way round; "
        'replace it before sending, with circuit.decompose("state_preparation_dg")'
    )
    raise Rejected("payload_unsupported", detail, {"gate": "state_preparation_dg"})


def _too_deep(bound: int) -> NoReturn:
    detail = f"blocks of control flow are nested more than {bound} deep; nest them less"
    raise Rejected("control_flow_too_deep", detail, {"depth_max": bound})


def _malformed(reason: str, cause: Exception | None = None) -> NoReturn:
    raise Rejected("circuit_invalid", f"the QPY file is damaged: {reason}; dump it again") from cause
