"""Aer's controller, called directly: one simulator object for the process, one thread, options set once.

`AerSimulator.run` starts a thread, reads options and builds a result object for every call; for small circuits that is
most of its time. What runs is the same code underneath.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import qiskit_aer
from qiskit_aer import AerSimulator
from qiskit_aer.backends.controller_wrappers import AerCircuit, AerConfig

from backends.binding import Place
from backends.rejected import Rejected

Method = Literal["statevector", "matrix_product_state", "stabilizer", "density_matrix"]
Parameterization = list[tuple[Place, list[float]]]

VERSION: str = qiskit_aer.__version__
_MEMORY_WORDS = ("insufficient memory", "bad_alloc", "not enough memory")


def execute(
    circuits: Sequence[AerCircuit],
    method: Method,
    *,
    qubits: int,
    clbits: int,
    shots: int = 1,
    seed: int = 0,
    memory: bool = False,
    parameterizations: Sequence[Parameterization] = (),
    threshold: float | None = None,
) -> list[dict[str, Any]]:
    """Run engine circuits; one result for every circuit and parameter set, in order, each with "data".

    Raises MemoryError where the engine has not enough, and `Rejected` with backend_infeasible for anything else it
    declines. `threshold`: what matrix product states may drop at a cut, in squared singular values; Aer's own default
    is below rounding.
    """
    simulator, options = _simulator()
    config = AerConfig()
    for name, option in options:
        setattr(config, name, option)
    config.method = method
    config.n_qubits = qubits
    config.memory_slots = clbits
    config.shots = shots
    config.seed_simulator = seed
    config.memory = memory
    if threshold is not None:
        config.matrix_product_state_truncation_threshold = threshold
    if parameterizations:
        config.parameterizations = list(parameterizations)
    for position, circuit in enumerate(circuits):
        circuit.circ_id = position
    output: dict[str, Any] = simulator._execute_circuits(list(circuits), None, config)
    if not output.get("success"):
        _fail(output)
    results: list[dict[str, Any]] = output["results"]
    return results


@cache
def _simulator() -> tuple[AerSimulator, tuple[tuple[str, Any], ...]]:
    """The simulator, and the options that every run has in common."""
    simulator = AerSimulator(
        max_parallel_threads=1,
        max_parallel_experiments=1,
        max_parallel_shots=1,
        mps_omp_threads=1,
        # Branching over shots has been seen to give wrong expectation values.
        shot_branching_enable=False,
    )
    blank = AerConfig()
    options = vars(simulator.options).get("_fields", simulator.options.__dict__)
    chosen = tuple((name, value) for name, value in options.items() if value is not None and hasattr(blank, name))
    return simulator, chosen


def _fail(output: dict[str, Any]) -> None:
    """Raise what a failed run calls for."""
    statuses = [str(result.get("status", "")) for result in output.get("results", ()) if not result.get("success")]
    reason = " ".join((statuses[0] if statuses else str(output.get("status", ""))).split())[:300]
    if any(words in reason.lower() for words in _MEMORY_WORDS):
        raise MemoryError(reason)
    raise Rejected("backend_infeasible", f"the engine declines this circuit: {reason}; try another backend", {})
