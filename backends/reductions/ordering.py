"""In which order qubits stand on the line of a matrix product state.

A gate between far neighbours is carried through all that stand between them; reverse Cuthill–McKee brings together what
interacts (Cuthill and McKee, 1969). The order with the least load on its cuts is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from backends.program import Op, Program


def line_order(program: Program) -> tuple[int, ...]:
    """The qubits from one end of the line to the other."""
    given = tuple(range(program.qubits))
    pairs = Counter[tuple[int, int]]()
    for op in program.operations:
        qubits = sorted(op.qubits)
        for first, second in pairwise(qubits):
            pairs[first, second] += 1
    if not pairs or all(second - first == 1 for first, second in pairs):
        return given
    rows, columns = np.array(list(pairs)).T
    ones = np.ones(len(rows), dtype=np.int8)
    graph = coo_array(
        (np.concatenate((ones, ones)), (np.concatenate((rows, columns)), np.concatenate((columns, rows)))),
        shape=(program.qubits, program.qubits),
    ).tocsr()
    found = tuple(int(qubit) for qubit in reverse_cuthill_mckee(graph, symmetric_mode=True))
    return min((given, found), key=lambda order: load(pairs, order))


def load(pairs: Counter[tuple[int, int]], order: Sequence[int]) -> tuple[int, int]:
    """The heaviest cut of the line, and the length of all gates together."""
    place = {qubit: at for at, qubit in enumerate(order)}
    change = [0] * (len(order) + 1)
    length = 0
    for (first, second), count in pairs.items():
        low, high = sorted((place[first], place[second]))
        change[low] += count
        change[high] -= count
        length += (high - low) * count
    heaviest = running = 0
    for step in change:
        running += step
        heaviest = max(heaviest, running)
    return heaviest, length


def reordered(program: Program, order: Sequence[int]) -> Program:
    """The program with the qubit that stands at place k called k. Outcomes stay where they are: bits are not moved."""
    if tuple(order) == tuple(range(program.qubits)):
        return program
    place = {qubit: at for at, qubit in enumerate(order)}
    operations = tuple([_moved(op, place) for op in program.operations])
    return Program(program.qubits, program.clbits, operations)


def _moved(op: Op, place: dict[int, int]) -> Op:
    return op._replace(qubits=tuple([place[qubit] for qubit in op.qubits]))
