"""Layers of gates over a line, a ring, a grid or a graph: Trotterised Ising, brickwork, grids, QAOA, IQP."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial

import networkx as nx
import numpy as np
from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.chain import chained
from benchmarks.circuit_suite.entry import Entry, rng_of

Edge = tuple[int, int]


def entries() -> Iterator[Entry]:
    """All of them."""
    for qubits, steps in ((6, 8), (10, 8), (14, 6), (18, 6), (22, 6), (28, 6), (40, 5), (60, 4)):
        name = f"tfim_{qubits}"
        yield Entry(name, "tfim", partial(ising, qubits, steps, range(qubits)))
    for qubits, steps in ((12, 6), (20, 5), (28, 4), (40, 3), (56, 3)):
        name = f"tfim_permuted_{qubits}"
        yield Entry(name, "tfim_permuted", partial(shuffled_ising, name, qubits, steps))
    for qubits, depth in ((6, 8), (10, 10), (14, 12), (18, 12), (20, 16), (22, 10), (24, 12), (32, 6), (48, 4)):
        name = f"brickwork_{qubits}_{depth}"
        yield Entry(name, "brickwork", partial(brickwork, name, qubits, depth))
    for rows, columns, depth in ((2, 4, 6), (3, 4, 8), (4, 4, 8), (4, 5, 8), (4, 6, 6), (5, 5, 4), (6, 6, 3)):
        name = f"grid_{rows}x{columns}_{depth}"
        yield Entry(name, "grid", partial(grid, name, rows, columns, depth))
    for qubits, rounds in ((8, 2), (14, 2), (20, 2), (26, 2), (40, 1), (60, 1), (80, 1)):
        name = f"qaoa_ring_{qubits}_{rounds}"
        yield Entry(name, "qaoa_ring", partial(qaoa, name, nx.cycle_graph(qubits), rounds))
    for qubits, rounds in ((8, 2), (12, 2), (16, 2), (20, 2), (24, 1), (30, 1)):
        name = f"qaoa_regular_{qubits}_{rounds}"
        graph = nx.random_regular_graph(3, qubits, seed=qubits)
        yield Entry(name, "qaoa_regular", partial(qaoa, name, graph, rounds))
    for qubits in (6, 10, 14, 18, 22, 24):
        name = f"iqp_{qubits}"
        pairs = [(a, b) for a in range(qubits) for b in range(a)]
        yield Entry(name, "iqp", partial(iqp, name, qubits, pairs))
    for qubits in (32, 48):
        name = f"iqp_band_{qubits}"
        pairs = [(a, a + step) for step in (1, 2, 3) for a in range(qubits - step)]
        make = partial(iqp, name, qubits, pairs)
        yield Entry(name, "iqp", make, chained(make, 3))


def ising(qubits: int, steps: int, order: Iterable[int]) -> QuantumCircuit:
    """A quench of the transverse-field Ising line; `order` names the qubits along it."""
    line = list(order)
    circuit = QuantumCircuit(qubits)
    for _ in range(steps):
        for start in (0, 1):
            for place in range(start, qubits - 1, 2):
                circuit.rzz(-0.2, line[place], line[place + 1])
        for qubit in line:
            circuit.rx(-0.24, qubit)
    circuit.measure_all()
    return circuit


def shuffled_ising(name: str, qubits: int, steps: int) -> QuantumCircuit:
    """The same line with its qubits in a random order."""
    return ising(qubits, steps, rng_of(name).permutation(qubits).tolist())


def brickwork(name: str, qubits: int, depth: int) -> QuantumCircuit:
    """Random turns of every qubit, then controlled-Z on every other pair, `depth` times."""
    rng = rng_of(name)
    circuit = QuantumCircuit(qubits)
    for layer in range(depth):
        _turn_all(circuit, rng)
        for place in range(layer % 2, qubits - 1, 2):
            circuit.cz(place, place + 1)
    _turn_all(circuit, rng)
    circuit.measure_all()
    return circuit


def grid(name: str, rows: int, columns: int, depth: int) -> QuantumCircuit:
    """Random turns, then controlled-Z along one of the four kinds of edges of a grid in turn."""
    rng = rng_of(name)
    circuit = QuantumCircuit(rows * columns)
    right = [(r * columns + c, r * columns + c + 1, c % 2) for r in range(rows) for c in range(columns - 1)]
    down = [(r * columns + c, (r + 1) * columns + c, 2 + r % 2) for r in range(rows - 1) for c in range(columns)]
    for layer in range(depth):
        _turn_all(circuit, rng)
        for left, other, kind in (*right, *down):
            if kind == (0, 2, 1, 3)[layer % 4]:
                circuit.cz(left, other)
    _turn_all(circuit, rng)
    circuit.measure_all()
    return circuit


def qaoa(name: str, graph: nx.Graph, rounds: int) -> QuantumCircuit:
    """Max-cut on a graph."""
    rng = rng_of(name)
    circuit = QuantumCircuit(graph.number_of_nodes())
    circuit.h(circuit.qubits)
    for _ in range(rounds):
        gamma, beta = rng.uniform(0.2, 1.2, 2)
        for left, right in graph.edges:
            circuit.rzz(gamma, left, right)
        circuit.rx(2 * beta, circuit.qubits)
    circuit.measure_all()
    return circuit


def iqp(name: str, qubits: int, pairs: Iterable[Edge]) -> QuantumCircuit:
    """Diagonal gates of random eighth turns between two layers of Hadamard gates."""
    rng = rng_of(name)
    circuit = QuantumCircuit(qubits)
    circuit.h(circuit.qubits)
    for left, right in pairs:
        if turns := int(rng.integers(4)):
            circuit.cp(turns * math.pi / 2, left, right)
    for qubit in range(qubits):
        circuit.p(int(rng.integers(8)) * math.pi / 8, qubit)
    circuit.h(circuit.qubits)
    circuit.measure_all()
    return circuit


def _turn_all(circuit: QuantumCircuit, rng: np.random.Generator) -> None:
    for qubit, (a, b) in enumerate(rng.uniform(-math.pi, math.pi, (circuit.num_qubits, 2)).tolist()):
        circuit.rz(a, qubit)
        circuit.ry(b, qubit)
