"""Noise on purpose: two-qubit gates repeated as gate, inverse, gate, so that errors grow by a known factor."""

from __future__ import annotations

from qiskit.circuit import QuantumCircuit

from backends.mitigation.decoupling import Unfit


def folded(circuit: QuantumCircuit, factor: float) -> tuple[QuantumCircuit, float]:
    """The circuit with about `factor` times its two-qubit gates, and the factor that it came to.

    Each folding adds a pair; where the factor asks for fewer pairs than there are gates, these are spread evenly.
    """
    if any(instruction.is_control_flow() for instruction in circuit.data):
        raise Unfit("gates inside branches are not repeated")
    places = [place for place, each in enumerate(circuit.data) if _folds(each)]
    if not places:
        raise Unfit("the circuit has no two-qubit gates to repeat")
    pairs = round((factor - 1) / 2 * len(places))
    each, more = divmod(pairs, len(places))
    repeats = {
        place: each + ((number + 1) * more // len(places) - number * more // len(places))
        for number, place in enumerate(places)
    }
    made = circuit.copy_empty_like()
    for place, instruction in enumerate(circuit.data):
        made._append(instruction)
        if not repeats.get(place):
            continue
        inverse = instruction.replace(operation=instruction.operation.inverse())
        for _ in range(repeats[place]):
            made._append(inverse)
            made._append(instruction)
    return made, 1 + 2 * pairs / len(places)


def _folds(instruction: object) -> bool:
    qubits = getattr(instruction, "qubits", ())
    return len(qubits) == 2 and getattr(instruction, "name", "") not in ("barrier", "delay")
