"""The scanner walks every record that Qiskit writes, in every version, and stops at what is too large or damaged."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from qiskit import qpy, transpile
from qiskit.circuit import (
    AncillaRegister,
    ClassicalRegister,
    Instruction,
    Parameter,
    ParameterVector,
    QuantumCircuit,
    QuantumRegister,
)
from qiskit.circuit.annotated_operation import AnnotatedOperation, ControlModifier, InverseModifier, PowerModifier
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    DiagonalGate,
    MCXGate,
    PauliEvolutionGate,
    PauliGate,
    PermutationGate,
    QFTGate,
    RXXGate,
    RYGate,
    StatePreparation,
    SXdgGate,
    UCRYGate,
    UnitaryGate,
    XGate,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Clifford, SparseObservable, SparsePauliOp

from backends.circuits import INSTRUCTION_NAMES
from backends.limits import Limits
from backends.qpy_plain import read_plain
from backends.qpy_scan import scan
from backends.rejected import Rejected

VERSIONS = range(13, 19)


def plain() -> QuantumCircuit:
    circuit = QuantumCircuit(5, 3, name="plain", metadata={"of": ["many", {"kinds": 1.5}]})
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.append(QFTGate(4), range(4))
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"]), 0.3), [0, 1])
    circuit.delay(100, 0, unit="ns")
    circuit.barrier()
    circuit.measure(0, 0)
    return circuit


def parametric() -> QuantumCircuit:
    vector, alone = ParameterVector("vector", 4), Parameter("alone")
    circuit = QuantumCircuit(3, global_phase=alone)
    circuit.rx(vector[0] * 2 + alone, 0)
    circuit.ry(vector[3], 1)
    circuit.rz(alone.sin() * vector[0].exp() / 3, 2)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XXI", "ZIZ"]), alone), range(3))
    return circuit


def branching() -> QuantumCircuit:
    bits, flag = ClassicalRegister(2, "bits"), ClassicalRegister(1, "flag")
    circuit = QuantumCircuit(QuantumRegister(3, "q"), bits, flag)
    circuit.measure(0, bits[0])
    with circuit.if_test((bits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.y(2)
    with circuit.for_loop(range(5)) as index:
        circuit.rx(index * 0.1, 0)
        with circuit.if_test((bits, 2)):
            circuit.break_loop()
    with circuit.for_loop((1, 4, 9)):
        circuit.h(1)
    with circuit.while_loop((flag, 0)):
        circuit.h(0)
        circuit.measure(0, flag[0])
    with circuit.switch(bits) as case:
        with case(0):
            circuit.x(0)
        with case(1, 2):
            circuit.y(0)
        with case(case.DEFAULT):
            circuit.z(0)
    with circuit.if_test(expr.logic_or(bits[0], expr.equal(bits, 3))):
        circuit.sx(2)
    return circuit


def custom() -> QuantumCircuit:
    inner = QuantumCircuit(2, name="inner")
    inner.h(0)
    inner.cx(0, 1)
    outer = QuantumCircuit(3, name="outer")
    outer.append(inner.to_gate(), [0, 1])
    outer.append(inner.to_gate(), [1, 2])
    gate = outer.to_gate()
    circuit = QuantumCircuit(6, 2)
    circuit.append(gate, [0, 1, 2])
    circuit.append(gate.control(2, annotated=False), range(5))
    circuit.append(gate.control(1, annotated=True), range(4))
    circuit.append(RYGate(0.3).control(2, annotated=False), range(3))
    circuit.append(AnnotatedOperation(gate, [InverseModifier(), ControlModifier(1), PowerModifier(3)]), range(4))
    circuit.append(MCXGate(4, ctrl_state=5), range(5))
    circuit.append(XGate().control(1, ctrl_state=0), [0, 1])
    circuit.append(Clifford(inner), [0, 1])
    circuit.append(Instruction("opaque", 1, 1, []), [0], [0])
    return circuit


def arrays() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    circuit.initialize([1, 0, 0, 0], [0, 1])
    circuit.append(StatePreparation("01"), [2, 3])
    circuit.append(UnitaryGate([[0, 1], [1, 0]]), [0])
    circuit.append(DiagonalGate([1, -1]), [0])
    circuit.append(PauliGate("XYZ"), range(3))
    circuit.append(PermutationGate([1, 2, 0]), range(3))
    circuit.append(UCRYGate([0.1, 0.2]), [0, 1])
    circuit.append(RXXGate(0.2), [0, 1])
    circuit.measure_all()
    return circuit


def wired() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(2, "main"), AncillaRegister(2, "spare"))
    circuit.add_register(QuantumRegister(bits=list(circuit.qubits[1:3]), name="alias"))
    circuit.h(circuit.qregs[2])
    return circuit


def laid_out() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 1)
    circuit.ccx(0, 1, 2)
    circuit.measure(2, 0)
    line = [[0, 1], [1, 2], [2, 3], [3, 4]]
    placed: QuantumCircuit = transpile(circuit, basis_gates=["u", "cx"], coupling_map=line, optimization_level=1)
    return placed


def variables() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, inputs=[expr.Var.new("given", types.Uint(4))])
    flag = circuit.add_var("flag", expr.lift(False))
    number = circuit.add_var("number", expr.lift(3, types.Uint(8)))
    circuit.store(flag, expr.logic_not(flag))
    with circuit.box():
        circuit.h(0)
    with circuit.if_test(expr.equal(number, 3)):
        circuit.x(0)
    return circuit


def evolving() -> QuantumCircuit:
    circuit = QuantumCircuit(3)
    circuit.append(PauliEvolutionGate([SparsePauliOp("XXI"), SparsePauliOp("IZZ")], 0.3), range(3))
    return circuit


CIRCUITS = (plain, parametric, branching, custom, arrays, wired, laid_out, variables, evolving)


def dumped(circuits: list[QuantumCircuit], version: int) -> bytes | None:
    """The file, if this version can hold them."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            qpy.dump(circuits, stream, version=version)
        except (qpy.QpyError, qpy.exceptions.UnsupportedFeatureForVersion):
            return None
    return stream.getvalue()


def scanned(content: bytes, **limits: float) -> int:
    return len(scan(content, Limits.from_json(limits), INSTRUCTION_NAMES, read_plain))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", CIRCUITS, ids=lambda make: make.__name__)
def test_every_kind_of_record_is_walked(make: Any, version: int) -> None:
    content = dumped([make()], version)
    if content is not None:
        assert scanned(content) == 1
        assert len(qpy.load(io.BytesIO(content))) == 1


@pytest.mark.parametrize("version", [17, 18])
def test_sparse_observables_are_walked(version: int) -> None:
    """Older versions cannot hold them; Qiskit writes files of those all the same, and cannot read them back."""
    circuit = QuantumCircuit(3)
    circuit.append(PauliEvolutionGate(SparseObservable.from_list([("XYZ", 1.0), ("+0I", 0.5)]), 0.3), range(3))
    content = dumped([circuit], version)
    assert content is not None
    assert scanned(content) == 1
    assert len(qpy.load(io.BytesIO(content))) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_circuits_behind_each_other_are_found(version: int) -> None:
    """Before version 16 a circuit begins where the one before ends, layout and all."""
    several = [plain(), laid_out(), parametric(), laid_out(), branching(), custom()]
    content = dumped(several, version)
    assert content is not None
    assert scanned(content) == 6


@given(st.integers(0, 10_000), st.sampled_from(VERSIONS))
def test_random_circuits_are_walked(seed: int, version: int) -> None:
    circuit = random_circuit(4, 5, max_operands=4, measure=True, conditional=True, reset=True, seed=seed)
    content = dumped([circuit], version)
    assert content is not None
    assert scanned(content) == 1


@given(st.integers(0, 2**32), st.sampled_from(VERSIONS), st.sampled_from(CIRCUITS))
@example(1431, 16, CIRCUITS[0])  # a circuit said to begin at an offset that no machine can address
def test_damage_ends_in_a_refusal_or_in_a_walk(seed: int, version: int, make: Any) -> None:
    content = dumped([make()], version)
    if content is None:
        return
    rng = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(rng.choice([1, 2, 8])):
        damaged[rng.randrange(20, len(damaged))] = rng.randrange(256)
    with contextlib.suppress(Rejected):
        assert scanned(bytes(damaged[: rng.randrange(20, len(damaged) + 1)])) >= 0


def refused(content: bytes, **limits: float) -> Rejected:
    with pytest.raises(Rejected) as caught:
        scanned(content, **limits)
    return caught.value


def test_bounds_are_inclusive() -> None:
    content = dumped([plain()], 18)
    assert content is not None
    assert scanned(content, qubits=5, clbits=3, operations=7) == 1
    assert refused(content, qubits=4).fields == {"qubits": 5, "qubits_max": 4}
    assert refused(content, clbits=2).fields == {"clbits": 3, "clbits_max": 2}
    assert refused(content, operations=6).fields == {"operations": 7, "operations_max": 6}
    two = dumped([plain(), plain()], 18)
    assert two is not None
    assert scanned(two, circuits=2) == 2
    assert refused(two, circuits=1).fields == {"circuits": 2, "circuits_max": 1}


def test_definitions_multiply() -> None:
    """`outer` is two `inner` of two gates each: four operations, and their controlled forms count apart."""
    inner = QuantumCircuit(1, name="inner")
    inner.x(0)
    inner.x(0)
    outer = QuantumCircuit(1, name="outer")
    outer.append(inner.to_gate(), [0])
    outer.append(inner.to_gate(), [0])
    circuit = QuantumCircuit(1)
    circuit.append(outer.to_gate(), [0])
    circuit.append(outer.to_gate(), [0])
    for version in VERSIONS:
        content = dumped([circuit], version)
        assert content is not None
        assert scanned(content, operations=8, definition_depth=2) == 1
        assert refused(content, operations=7).fields["operations"] == 8
        assert refused(content, definition_depth=1).fields == {"definition_depth_max": 1}


def test_loops_multiply_and_nest() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(0, 30, 3)), circuit.for_loop((1, 2, 3, 4, 5, 6)):
        circuit.x(0)
    for version in VERSIONS:
        content = dumped([circuit], version)
        assert content is not None
        assert scanned(content, operations=60, loop_product=60, control_flow_depth=2) == 1
        assert refused(content, operations=59).code == "circuit_too_large"
        assert refused(content, loop_product=59).fields == {"iterations": 60, "iterations_max": 59}
        assert refused(content, control_flow_depth=1).code == "control_flow_too_deep"


def test_modifiers_multiply_and_evolutions_are_bounded() -> None:
    circuit = QuantumCircuit(2)
    circuit.append(AnnotatedOperation(XGate(), [PowerModifier(50)]), [0])
    powered = dumped([circuit], 18)
    assert powered is not None
    assert scanned(powered, operations=50) == 1
    assert refused(powered, operations=49).code == "circuit_too_large"
    evolved = dumped([plain()], 18)
    assert evolved is not None
    assert refused(evolved, evolution_reps=0).fields == {"reps": 1, "reps_max": 0}


def test_a_forgotten_inverse_is_noticed_in_every_version() -> None:
    """Qiskit's loader drops the inverse of a StatePreparation; only the label in the file still tells of it."""
    circuit = QuantumCircuit(1)
    circuit.append(StatePreparation([0.6, 0.8]), [0])
    forward = [dumped([circuit], version) for version in VERSIONS]
    circuit.append(StatePreparation([0.6, 0.8]).inverse(), [0])
    for version, honest in zip(VERSIONS, forward, strict=True):
        content = dumped([circuit], version)
        assert content is not None
        assert honest is not None
        assert scanned(honest) == 1
        assert "state_preparation_dg" in refused(content).detail


def test_only_instructions_are_built_from_the_file() -> None:
    circuit = QuantumCircuit(1)
    circuit.append(SXdgGate(label="by its label no plain one"), [0])
    content = dumped([circuit], 18)
    assert content is not None
    assert '"RealAmps"' in refused(content.replace(b"SXdgGate", b"RealAmps")).detail
    with pytest.raises(Rejected, match="SXdgGate"):
        scan(content, Limits(), frozenset(), read_plain)
