"""What the router thinks of a circuit before it runs anything: the parts, and what each engine would take."""

from __future__ import annotations

import math
from itertools import islice

from qiskit.circuit import QuantumCircuit

_PARTS_SHOWN = 3
_ENGINES_SHOWN = 6


def plan_of(circuit: QuantumCircuit, shots: int) -> str:
    """One line: the largest parts, each with its features and the engines in the order in which they are tried."""
    from backends.allowance import budget
    from backends.engines.roster import installed
    from backends.program import Unflat
    from backends.programming import program_of
    from backends.router import routing
    from backends.router.features import features_of
    from backends.router.simplest import simplest

    program = program_of(circuit)
    if isinstance(program, Unflat):
        return f"no program, so Aer: {program.reason}"
    reduced = simplest(program, shots, installed(), budget())
    parts = sorted(reduced.parts, key=lambda part: -len(part.program.operations))
    shown = []
    for part in parts[:_PARTS_SHOWN]:
        features = features_of(part.program)
        tried = " > ".join(
            f"{one.engine.name} {1e3 * one.predicted.seconds:.4g}"
            + ("" if math.isinf(one.budget_s) else f" (allowed {1e3 * one.budget_s:.4g})")
            for one in islice(routing.plan(features, shots, installed(), budget()), _ENGINES_SHOWN)
        )
        traits = features.traits
        shown.append(
            f"[{traits.busy} qubits, {traits.gates} gates, {features.entangling} entangling, "
            f"{features.non_clifford} non-Clifford, {features.generic} generic, branching {features.branching}, "
            f"bond {features.bond}{'' if traits.terminal else ', random before the end'}: {tried or 'nothing fits'}]"
        )
    return f"{', '.join(reduced.steps)}; {len(parts)} part{'' if len(parts) == 1 else 's'} " + " ".join(shown)
