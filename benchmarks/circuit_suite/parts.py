"""Wide circuits of which little has to be simulated: independent blocks, and cones that few measurements see."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Entry, rng_of


def entries() -> Iterator[Entry]:
    """All of them."""
    for count, width, layers in ((3, 4, 6), (5, 4, 6), (8, 5, 8), (4, 12, 8), (3, 16, 8), (12, 8, 6)):
        name = f"blocks_{count}x{width}"
        yield Entry(name, "blocks", partial(blocks, name, count, width, layers))
    for qubits, layers, measured in ((12, 4, 2), (28, 4, 2), (40, 4, 3), (60, 3, 4), (100, 3, 4)):
        name = f"cone_{qubits}_{layers}"
        yield Entry(name, "cone", partial(cone, name, qubits, layers, measured))


def blocks(name: str, count: int, width: int, layers: int) -> QuantumCircuit:
    """Random all-to-all circuits side by side, their qubits dealt at random."""
    rng = rng_of(name)
    deal = rng.permutation(count * width).tolist()
    circuit = QuantumCircuit(count * width)
    for layer in range(layers):
        for block in range(count):
            mine = deal[block * width : (block + 1) * width]
            for qubit in mine:
                circuit.ry(rng.uniform(-math.pi, math.pi), qubit)
                circuit.rz(rng.uniform(-math.pi, math.pi), qubit)
            pairs = rng.permutation(mine).tolist()
            for place in range(layer % 2, width - 1, 2):
                circuit.cx(pairs[place], pairs[place + 1])
    circuit.measure_all()
    return circuit


def cone(name: str, qubits: int, layers: int, measured: int) -> QuantumCircuit:
    """Brickwork over all qubits, of which a few neighbours are measured."""
    rng = rng_of(name)
    circuit = QuantumCircuit(qubits, measured)
    for layer in range(layers):
        for qubit in range(qubits):
            circuit.ry(rng.uniform(-math.pi, math.pi), qubit)
            circuit.rz(rng.uniform(-math.pi, math.pi), qubit)
        for place in range(layer % 2, qubits - 1, 2):
            circuit.cx(place, place + 1)
    first = (qubits - measured) // 2
    circuit.measure(range(first, first + measured), range(measured))
    return circuit
