"""Counts read off QPY records are what counting the loaded circuit gives, for every file that loads at all."""

from __future__ import annotations

import contextlib
import io
import math
import random
import struct
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import qpy
from qiskit.circuit import Delay, Gate, Parameter, ParameterVector, QuantumCircuit
from qiskit.circuit.library import CXGate, RXGate, XGate, get_standard_gate_name_mapping
from qiskit.circuit.random import random_circuit

from backends.circuits import INSTRUCTION_NAMES
from backends.limits import Limits
from backends.qpy_plain import read_plain
from backends.qpy_scan import scan
from backends.rejected import Rejected
from backends.structure import Structure, structure_of

VERSIONS = range(13, 19)
# Qiskit writes labels of its own into the records of the XX gates.
LONGER = {"global_phase", "xx_minus_yy", "xx_plus_yy"}
GATES = [
    gate for gate in get_standard_gate_name_mapping().values() if isinstance(gate, Gate) and gate.name not in LONGER
]


def dumped(circuit: QuantumCircuit, version: int = 18) -> bytes:
    stream = io.BytesIO()
    qpy.dump(circuit, stream, version=version)
    return stream.getvalue()


def read_off(content: bytes) -> Structure | None:
    """What the scan makes of the one circuit of a file."""
    (found,) = scan(content, Limits(), INSTRUCTION_NAMES, read_plain)
    return found


def counted(content: bytes) -> Structure:
    """What walking the loaded circuit makes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (circuit,) = qpy.load(io.BytesIO(content))
    return structure_of(circuit, Limits())


def plain_circuit(seed: int) -> QuantumCircuit:
    """Standard gates in any order, with angles that matter: quarter turns, nearly, anything, or still open."""
    rng = random.Random(seed)
    qubits, clbits = rng.randint(1, 6), rng.randint(0, 4)
    circuit = QuantumCircuit(qubits, clbits)
    vector, alone = ParameterVector("vector", 3), Parameter("alone")
    kinds = ["clifford", "turn", "any", "any", "measure", "reset", "barrier", "wide"]
    chosen = rng.sample(kinds, rng.randint(1, len(kinds)))
    turn = [0.0, -0.0, math.pi / 2, math.pi, -3 * math.pi / 2, math.pi / 2 + 1e-13, math.pi / 2 + 1e-9, 1e300, 1.0]
    for _ in range(rng.randint(0, 40)):
        kind = rng.choice(chosen)
        if kind == "measure" and clbits:
            circuit.measure(rng.randrange(qubits), rng.randrange(clbits))
        elif kind == "reset":
            circuit.reset(rng.randrange(qubits))
        elif kind == "barrier":
            circuit.barrier(*rng.sample(range(qubits), rng.randint(1, qubits)))
        elif kind in ("clifford", "turn", "any"):
            gate = rng.choice(GATES)
            if gate.num_qubits > qubits or (kind == "clifford" and gate.params):
                continue
            angles = turn if kind == "turn" else [*turn, rng.uniform(-9, 9), alone, vector[rng.randrange(3)]]
            made = gate.base_class(*[rng.choice(angles) for _ in gate.params])
            circuit.append(made, rng.sample(range(qubits), gate.num_qubits))
    return circuit


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_every_standard_gate_is_read_off(gate: Gate, version: int) -> None:
    for angle in (math.pi / 2, 0.3, Parameter("a")):
        circuit = QuantumCircuit(5, 1)
        circuit.append(gate.base_class(*[angle] * len(gate.params)), range(gate.num_qubits))
        circuit.measure(0, 0)
        content = dumped(circuit, version)
        found = read_off(content)
        assert found is not None
        assert found == counted(content)


@given(st.integers(0, 2**32), st.sampled_from(VERSIONS))
def test_counts_are_those_of_the_loaded_circuit(seed: int, version: int) -> None:
    circuit = plain_circuit(seed)
    content = dumped(circuit, version)
    found = read_off(content)
    assert found is not None
    assert found == counted(content)


@given(st.integers(0, 10_000), st.sampled_from(VERSIONS))
def test_any_circuit_is_read_off_rightly_or_not_at_all(seed: int, version: int) -> None:
    circuit = random_circuit(4, 5, max_operands=4, measure=True, conditional=seed % 3 == 0, reset=True, seed=seed)
    content = dumped(circuit, version)
    found = read_off(content)
    assert found is None or found == counted(content)


@given(st.integers(0, 2**32), st.sampled_from(VERSIONS))
def test_what_loads_in_spite_of_damage_is_read_off_rightly(seed: int, version: int) -> None:
    rng = random.Random(seed)
    content = bytearray(dumped(plain_circuit(seed), version))
    for _ in range(rng.choice([1, 1, 2])):
        content[rng.randrange(20, len(content))] = rng.choice([0, 1, 2, 3, 0x7F, 0xFF, rng.randrange(256)])
    with contextlib.suppress(Rejected):
        found = read_off(bytes(content))
        if found is not None:
            assert found == loaded_or(bytes(content), found)


def loaded_or(content: bytes, otherwise: Structure) -> Structure:
    """The counts of the loaded circuit, or `otherwise` where it does not load."""
    try:
        return counted(content)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # the loader is compiled code, and its panics are no Exceptions
        return otherwise


@pytest.mark.parametrize("version", VERSIONS)
def test_a_barrier_over_many_qubits_is_plain(version: int) -> None:
    circuit = QuantumCircuit(150)
    circuit.h(range(150))
    circuit.measure_all()
    content = dumped(circuit, version)
    assert read_off(content) == counted(content) == Structure(300, 150, 0, 2, measured=True, active=150)


def with_gate(gate: Any) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


def with_own_gate(name: str) -> QuantumCircuit:
    """A gate of the program's own, written under a name that means another one in the library."""
    inside = QuantumCircuit(1, name=name)
    inside.h(0)
    inside.t(0)
    return with_gate(inside.to_gate())


@pytest.mark.parametrize(
    "circuit",
    [
        with_gate(XGate(label="mine")),
        with_gate(CXGate(ctrl_state=0)),
        with_gate(RXGate(2 * Parameter("a"))),
        with_gate(Delay(3)),
        with_own_gate("RXGate"),
        with_own_gate("x"),
    ],
    ids=["labelled", "open control", "expression", "delay", "own gate", "own x"],
)
def test_anything_else_is_left_to_the_longer_way(circuit: QuantumCircuit) -> None:
    assert read_off(dumped(circuit)) is None


def test_angles_that_are_no_numbers_are_left_to_whom_refuses_them() -> None:
    content = dumped(with_gate(RXGate(0.5)))
    for wrong in (math.nan, math.inf, -math.inf):
        damaged = content.replace(struct.pack(">d", 0.5), struct.pack(">d", wrong))
        assert damaged != content
        assert read_off(damaged) is None


def test_bits_that_are_not_there_are_left_to_the_loader() -> None:
    content = dumped(with_gate(CXGate()))
    second = b"q" + (1).to_bytes(4, "big")
    assert content.count(second) == 1
    for wrong in (b"q" + (2).to_bytes(4, "big"), b"q" + (0).to_bytes(4, "big"), b"c" + (1).to_bytes(4, "big")):
        assert read_off(content.replace(second, wrong)) is None
