"""The suite is what its page says: many families, one meaning per name, nothing wider than a hundred qubits."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit_aer import AerSimulator

from backends.program import Program
from backends.programming import program_of
from benchmarks.circuit_suite.entry import Bits, Certain, Entry, Lawful
from benchmarks.circuit_suite.exact import exact_of
from benchmarks.circuit_suite.judging import by_law, by_probabilities
from benchmarks.circuit_suite.suite import QUBITS_MAX, chosen, families, suite

QUICK_QUBITS = 14
SLOW_TO_MAKE = {"mqt_shor_18"}


def aer_bits(circuit: QuantumCircuit, shots: int, seed: int) -> Bits:
    """Outcomes as Qiskit's own way to Aer gives them: transpiled, run, read from the memory's text."""
    simulator = AerSimulator(max_parallel_threads=1, seed_simulator=seed)
    memory = simulator.run(transpile(circuit, simulator, optimization_level=0), shots=shots, memory=True)
    rows = [list(reversed(row.replace(" ", ""))) for row in memory.result().get_memory()]
    return np.array(rows, dtype=np.uint8)


def quick() -> list[Entry]:
    """One small circuit of every family that has one."""
    small: dict[str, Entry] = {}
    for entry in suite():
        if entry.family not in small and entry.name not in SLOW_TO_MAKE and entry.make().num_qubits <= QUICK_QUBITS:
            small[entry.family] = entry
    return list(small.values())


def test_there_are_many_circuits_of_many_families_none_too_wide() -> None:
    names = [entry.name for entry in suite()]
    assert len(names) == len(set(names)) >= 160
    assert len(families()) >= 40
    for entry in suite():
        if entry.name not in SLOW_TO_MAKE:
            circuit = entry.make()
            assert circuit.num_qubits <= QUBITS_MAX
            assert not circuit.parameters
            assert any(instruction.name in ("measure", "if_else") for instruction in circuit.data)


@pytest.mark.parametrize("name", ["mqt_graphstate_8", "brickwork_6_8", "repetition_3_2", "blocks_3x4", "mirror_6_6"])
def test_the_same_name_is_the_same_circuit(name: str) -> None:
    (entry,) = chosen([name])
    first, second = entry.make(), entry.make()
    assert [(each.name, each.params, [first.find_bit(q).index for q in each.qubits]) for each in first.data] == [
        (each.name, each.params, [second.find_bit(q).index for q in each.qubits]) for each in second.data
    ] or first == second


@pytest.mark.parametrize("entry", quick(), ids=lambda entry: entry.name)
def test_what_is_known_and_what_is_exact_agree_with_aer(entry: Entry) -> None:
    circuit = entry.make()
    program = program_of(circuit)
    bits = aer_bits(circuit, 1024, 11)
    verdicts = []
    if entry.known is not None:
        verdicts.append(by_law(bits, entry.known))
    exact = exact_of(circuit, program if isinstance(program, Program) else None)
    if exact is not None:
        verdicts.append(by_probabilities(bits, exact))
    assert [verdict for verdict in verdicts if not verdict.passed] == []
    assert verdicts or entry.family in UNKNOWN_WHEN_SMALL


# Too many branches or bits to follow one by one; judged against a second engine.
UNKNOWN_WHEN_SMALL = {"mqt_seven_qubit_steane_code", "repetition_code"}


def test_every_known_outcome_is_checked_at_small_size() -> None:
    """The laws of the larger circuits are the same functions, so one of each family will do (chains: test_chain)."""
    known = {entry.family for entry in suite() if isinstance(entry.known, Certain | Lawful)}
    assert known == {entry.family for entry in quick() if entry.known is not None}


def test_an_unknown_family_is_refused_with_what_there_is() -> None:
    with pytest.raises(KeyError, match=r"no family or circuit is called lattice; families: mqt_ae"):
        chosen(["tfim", "lattice"])
