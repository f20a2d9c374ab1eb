"""Families of circuits with names, seeded: what engines are good and bad at, from 5 to 100 qubits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import CDKMRippleCarryAdder, QFTGate

Named = tuple[str, str, QuantumCircuit]
"""Family, name, circuit with measurements."""


def families() -> Iterator[Named]:
    """Seeded and deterministic."""
    for size in (5, 20, 60, 100):
        yield "ghz", f"ghz_{size}", measured(chain(size))
        yield "clifford", f"clifford_{size}", measured(_clifford(size, np.random.default_rng(size)))
    for size in (5, 10, 15, 20, 24, 28):
        yield "qft", f"qft_{size}", measured(_qft(size))
        yield "ising", f"ising_{size}", measured(_ising(range(size), 4))
        yield "brickwork", f"brickwork_{size}", measured(brickwork(size, 5, np.random.default_rng(size)))
    for size in (20, 40, 60):
        order = np.random.default_rng(size).permutation(size).tolist()
        yield "ising permuted", f"isingperm_{size}", measured(_ising(order, 3))
        yield "w state", f"w_{size}", measured(_w(size))
        yield "cone", f"cone_{size}", _cone(size)
    for size in (8, 12, 16, 20):
        generator = np.random.default_rng(size)
        yield "clifford+t", f"cliffordt_{size}", measured(_clifford(size, generator, t_gates=size))
        yield "mirror", f"mirror_{size}", _mirror(size, generator)
        yield "iqp", f"iqp_{size}", measured(_iqp(size, generator))
        yield "qaoa ring", f"qaoa_{size}", measured(_qaoa(size))
        yield "blocks", f"blocks_{size}", measured(_blocks(size, generator))
    for size in (4, 8, 12, 20, 28):
        yield "adder", f"adder_{size}", measured(_adder(size))
    for size in (4, 8, 16):
        yield "dynamic", f"teleport_{size}", _teleport(size)
        yield "repetition", f"repetition_{size}", _repetition(size)


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    """With all its qubits measured."""
    circuit.measure_all()
    return circuit


def chain(size: int) -> QuantumCircuit:
    """A GHZ state."""
    circuit = QuantumCircuit(size)
    circuit.h(0)
    for qubit in range(size - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


def _clifford(size: int, generator: np.random.Generator, t_gates: int = 0) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    for _ in range(6 * size):
        first, second = generator.choice(size, 2, replace=False).tolist()
        getattr(circuit, generator.choice(["h", "s", "sx", "x"]))(first)
        circuit.cx(first, second)
    for _ in range(t_gates):
        circuit.t(int(generator.integers(size)))
        circuit.h(int(generator.integers(size)))
    return circuit


def _qft(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.h(range(0, size, 2))
    circuit.compose(QFTGate(size), range(size), inplace=True)
    return circuit.decompose()


def _ising(order: Any, steps: int) -> QuantumCircuit:
    line = list(order)
    circuit = QuantumCircuit(len(line))
    for _ in range(steps):
        for place in range(len(line) - 1):
            circuit.rzz(0.35, line[place], line[place + 1])
        circuit.rx(0.5, range(len(line)))
    return circuit


def brickwork(size: int, depth: int, generator: np.random.Generator) -> QuantumCircuit:
    """Layers of any turns and neighbouring CZ gates."""
    circuit = QuantumCircuit(size)
    for layer in range(depth):
        for qubit in range(size):
            circuit.u(*generator.uniform(0, 2 * math.pi, 3).tolist(), qubit)
        for qubit in range(layer % 2, size - 1, 2):
            circuit.cz(qubit, qubit + 1)
    return circuit


def _w(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.x(0)
    for qubit in range(size - 1):
        circuit.cry(2 * math.acos(math.sqrt(1 / (size - qubit))), qubit, qubit + 1)
        circuit.cx(qubit + 1, qubit)
    return circuit


def _cone(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size, 4)
    circuit.compose(brickwork(size, 3, np.random.default_rng(size)), inplace=True)
    circuit.measure(range(4), range(4))
    return circuit


def _mirror(size: int, generator: np.random.Generator) -> QuantumCircuit:
    there = brickwork(size, 8, generator)
    circuit = QuantumCircuit(size)
    circuit.x(range(0, size, 3))
    circuit.compose(there, inplace=True)
    circuit.compose(there.inverse(), inplace=True)
    return measured(circuit)


def _iqp(size: int, generator: np.random.Generator) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.h(range(size))
    for first in range(size):
        for second in range(first + 1, size):
            if generator.random() < 0.4:
                circuit.cp(float(generator.uniform(0, math.pi)), first, second)
    circuit.h(range(size))
    return circuit


def _qaoa(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.h(range(size))
    for turn in (0.4, 0.7):
        for qubit in range(size):
            circuit.rzz(turn, qubit, (qubit + 1) % size)
        circuit.rx(1 - turn, range(size))
    return circuit


def _blocks(size: int, generator: np.random.Generator) -> QuantumCircuit:
    circuit = QuantumCircuit(2 * size)
    for start in range(0, 2 * size, 4):
        circuit.compose(brickwork(4, 4, generator), range(start, start + 4), inplace=True)
    return circuit


def _adder(size: int) -> QuantumCircuit:
    adder = CDKMRippleCarryAdder(size, "fixed")
    circuit = QuantumCircuit(adder.num_qubits)
    circuit.h(range(min(size, 5)))
    circuit.x(range(size, 2 * size, 2))
    circuit.compose(adder, inplace=True)
    return circuit.decompose(reps=3)


def _teleport(hops: int) -> QuantumCircuit:
    circuit = QuantumCircuit(hops + 2, 2 * hops + 1)
    circuit.ry(0.9, 0)
    for hop in range(hops):
        circuit.h(hop + 1)
        circuit.cx(hop + 1, hop + 2 if hop + 2 < hops + 2 else 0)
        circuit.cx(hop, hop + 1)
        circuit.h(hop)
        circuit.measure([hop, hop + 1], [2 * hop, 2 * hop + 1])
        with circuit.if_test((circuit.clbits[2 * hop + 1], 1)):
            circuit.x(hop + 1)
    circuit.measure(hops + 1, 2 * hops)
    return circuit


def _repetition(distance: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2 * distance - 1, 3 * (distance - 1) + distance)
    circuit.h(0)
    for round_ in range(3):
        for check in range(distance - 1):
            ancilla = distance + check
            circuit.cx([check, check + 1], ancilla)
            circuit.measure(ancilla, round_ * (distance - 1) + check)
            circuit.reset(ancilla)
    circuit.measure(range(distance), range(3 * (distance - 1), 3 * (distance - 1) + distance))
    return circuit
