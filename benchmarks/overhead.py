"""What the router costs beside the engines: `make bench-overhead`, processor time on one thread, warm.

Conversion, reductions and routing of a circuit of 5 qubits; their share of runs above 50 ms; a PUB with 1,000 bindings
beside 1,000 jobs (by the call that a worker's child makes: what the service adds to each job is not in it), and beside
1,000 jobs with the values written in; an OpenQASM 3 program of 5 qubits decoded. The last line has the figures.
"""

from __future__ import annotations

from backends import threads  # noqa: F401 - before the libraries it bounds

# isort: split
import base64
import io
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import orjson
from qiskit import qasm3, qpy
from qiskit.circuit import ParameterVector, QuantumCircuit

from backends import circuits, run
from backends.allowance import budget
from backends.engines.roster import installed
from backends.limits import Limits
from backends.program import Program
from backends.programming import program_of
from backends.router import routing
from backends.router.features import features_of
from backends.router.simplest import simplest
from benchmarks.circuit_suite.layered import brickwork
from benchmarks.circuit_suite.suite import suite
from benchmarks.contest.child import SHOTS
from benchmarks.contest.contestants import routed

QUBITS = 5
LAYERS = 4
BINDINGS = 1_000
LONG_S = 0.05
LONG = (
    "tfim_28", "tfim_60", "tfim_permuted_40", "brickwork_18_12", "brickwork_22_10", "brickwork_32_6", "grid_4x5_8",
    "qaoa_regular_20_2", "qaoa_ring_60_1", "iqp_22", "blocks_3x16", "clifford_t_22_12", "surface_7_3", "mqt_qft_64",
)  # fmt: skip
"""Circuits that take 50 ms or about that by themselves."""


def decide(circuit: QuantumCircuit) -> None:
    """Conversion, reductions, and the engines in their order for every part; nothing runs."""
    program = program_of(circuit)
    assert isinstance(program, Program)
    for part in simplest(program, SHOTS, installed(), budget()).parts:
        next(routing.plan(features_of(part.program), SHOTS, installed(), budget()))


def spent_s(act: Callable[[], object]) -> float:
    """Processor seconds."""
    before_s = time.process_time()
    act()
    return time.process_time() - before_s


def decision_ms(count: int = 200) -> float:
    """The median over so many different circuits of 5 qubits."""
    made = [brickwork(f"overhead_{number}", QUBITS, LAYERS) for number in range(count)]
    decide(made[0])
    return 1e3 * statistics.median(spent_s(lambda circuit=circuit: decide(circuit)) for circuit in made)


def shares() -> dict[str, float]:
    """Of the runs above 50 ms, the share of deciding, by circuit."""
    found = {}
    for entry in suite():
        if entry.name not in LONG:
            continue
        circuit = entry.make()
        whole_s = spent_s(lambda circuit=circuit: routed(circuit, SHOTS, 1))
        if whole_s > LONG_S:
            fresh = entry.make()
            found[entry.name] = min(1.0, spent_s(lambda fresh=fresh: decide(fresh)) / whole_s)
    return found


def ansatz() -> QuantumCircuit:
    """Turns by parameters and entangling gates on 5 qubits."""
    turns = ParameterVector("t", QUBITS * LAYERS)
    circuit = QuantumCircuit(QUBITS)
    for layer in range(LAYERS):
        for qubit in range(QUBITS):
            circuit.ry(turns[layer * QUBITS + qubit], qubit)
        for qubit in range(QUBITS - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def work_of(circuit: QuantumCircuit, values: np.ndarray) -> bytes:
    """A work document as the service makes it."""
    held = io.BytesIO()
    qpy.dump(circuit, held)
    content = base64.b64encode(held.getvalue()).decode()
    names = [parameter.name for parameter in circuit.parameters]
    assert len(names) == values.shape[-1]
    pub = {"circuit": 0, "parameter_values": values.tolist(), "shots": SHOTS}
    document = {"v": 1, "primitive": "sampler", "circuits": [{"format": "qpy", "content": content}], "pubs": [pub]}
    return orjson.dumps(document | {"seed": 7})


def bindings_s(count: int = BINDINGS) -> tuple[float, float, float]:
    """One PUB of so many bindings, as many jobs of the same circuit, as many of circuits with the values written in."""
    circuit = ansatz()
    values = np.random.default_rng(1).uniform(-math.pi, math.pi, (count, circuit.num_parameters))
    one = work_of(circuit, values)
    many = [work_of(circuit, row) for row in values]
    bound = [work_of(circuit.assign_parameters(row.tolist()), np.zeros(0)) for row in values]
    limits = Limits()
    run.execute(many[0], "ideal", limits)
    return (
        spent_s(lambda: run.execute(one, "ideal", limits)),
        spent_s(lambda: [run.execute(work, "ideal", limits) for work in many]),
        spent_s(lambda: [run.execute(work, "ideal", limits) for work in bound]),
    )


def qasm3_ms(count: int = 100) -> tuple[float, float]:
    """The median of decoding a program for the first time, and again."""
    texts = [qasm3.dumps(brickwork(f"text_{number}", QUBITS, LAYERS)) for number in range(count)]
    limits = Limits()

    def decode(text: str) -> None:
        circuits.decode("openqasm3", text, limits, "the circuit")

    decode(qasm3.dumps(brickwork("warm", QUBITS, LAYERS)))
    first = statistics.median(spent_s(lambda text=text: decode(text)) for text in texts)
    again = statistics.median(spent_s(lambda text=text: decode(text)) for text in texts)
    return 1e3 * first, 1e3 * again


def main() -> None:
    """Measure all, tell."""
    run.warm_up()
    began_s = time.monotonic()
    deciding_ms = decision_ms()
    by_circuit = shares()
    for name, share in sorted(by_circuit.items(), key=lambda each: -each[1]):
        print(f"{name:24} deciding takes {share:7.2%} of the run")
    pub_s, jobs_s, bound_s = bindings_s()
    first_ms, again_ms = qasm3_ms()
    print(f"measured in {time.monotonic() - began_s:.0f} s")
    print(
        f"figures: decision_ms={deciding_ms:.2f} share_max={max(by_circuit.values(), default=0):.3f} "
        f"shares={len(by_circuit)} bindings_ms={1e3 * pub_s / BINDINGS:.3f} jobs_to_bindings={jobs_s / pub_s:.1f} "
        f"bound_jobs_to_bindings={bound_s / pub_s:.1f} qasm3_ms={first_ms:.2f} qasm3_again_ms={again_ms:.3f}"
    )


if __name__ == "__main__":
    main()
