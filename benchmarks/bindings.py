"""One PUB with 1,000 bindings beside 1,000 jobs of one binding each: what sweeps and variational loops may hope for.

The same circuit (5 qubits, 40 angles) on the backend `ideal`. In a worker: the call that a worker's child makes on a
work document (decoding, conversion, routing, encoding of the result), processor seconds of one warm process, the median
of three. Over HTTP: a service with one worker slot, the clock from the first submit to the last settlement; the jobs go
in two batches, as a client that knows them all beforehand would send them.
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import time
from random import Random
from typing import Any

import orjson
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ParameterVector

from backends.limits import Limits
from backends.run import execute, warm_up
from benchmarks.running import Running, running
from benchmarks.service import client_of, drain, submits_batched

BINDINGS = 1_000
QUBITS = 5
LAYERS = 4
SHOTS = 1024
TURNS = 3
ENERGY = {"ZZIII": 1.0, "IZZII": 1.0, "IIZZI": 1.0, "IIIZZ": 1.0, "XXXXX": 0.5}
BAR = 10
"""How many times as quick one PUB has to be."""


def ansatz() -> QuantumCircuit:
    """Four layers of two rotations a qubit and a ladder of CNOTs, every angle a parameter."""
    angles = iter(ParameterVector("angle", 2 * QUBITS * LAYERS))
    made = QuantumCircuit(QUBITS)
    for _ in range(LAYERS):
        for qubit in range(QUBITS):
            made.rx(next(angles), qubit)
            made.rz(next(angles), qubit)
        for qubit in range(QUBITS - 1):
            made.cx(qubit, qubit + 1)
    return made


def parameter_sets(count: int) -> list[list[float]]:
    """All different."""
    random = Random(1)
    return [[random.uniform(-3, 3) for _ in range(2 * QUBITS * LAYERS)] for _ in range(count)]


def request_of(primitive: str, values: Any, seed: int) -> dict[str, Any]:
    """The request of a job with one PUB; `values` are one parameter set or several."""
    circuit = ansatz()
    pub: dict[str, Any] = {"parameter_values": values}
    if primitive == "sampler":
        circuit.measure_all()
    else:
        pub["observables"] = ENERGY
    file = io.BytesIO()
    qpy.dump(circuit, file)
    pub["circuit"] = {"format": "qpy", "content": base64.b64encode(file.getvalue()).decode()}
    options = {"seed": seed} | ({"shots": SHOTS} if primitive == "sampler" else {"precision": 0.0})
    return {"primitive": primitive, "backend": "ideal", "pubs": [pub], "options": options}


def work_of(primitive: str, values: Any, seed: int) -> bytes:
    """The same as the work document that reaches a worker."""
    (pub,) = request_of(primitive, values, seed)["pubs"]
    circuits = [pub["circuit"]]
    pub |= {"circuit": 0} | ({"shots": SHOTS} if primitive == "sampler" else {"precision": 0.0})
    return orjson.dumps({"v": 1, "primitive": primitive, "circuits": circuits, "pubs": [pub], "seed": seed})


def in_a_worker(primitive: str, sets: list[list[float]]) -> tuple[float, float]:
    """Processor seconds of one PUB over all sets, and of a job for each."""
    together = work_of(primitive, sets, 7)
    apart = [work_of(primitive, one, 7 + number) for number, one in enumerate(sets)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for spent, works in zip(seconds, ([together], apart), strict=True):
            began = time.process_time()
            for work in works:
                execute(work, "ideal", Limits())
            spent.append(time.process_time() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def over_http(service: Running, primitive: str, sets: list[list[float]]) -> tuple[float, float]:
    """Seconds until one job over all sets, and until a job for each, is settled."""
    body = json.dumps(request_of(primitive, sets, 7)).encode()
    began = time.perf_counter()
    with client_of(service) as http:
        answer = http.post("/v1/jobs", content=body)
        answer.raise_for_status()
        http.get(f"/v1/jobs/{answer.json()['id']}/result", params={"wait": 30}).raise_for_status()
    together_s = time.perf_counter() - began
    requests = [request_of(primitive, one, 100 + number) for number, one in enumerate(sets)]
    began = time.perf_counter()
    submits_batched(service, requests, 1)
    drain(service)
    return together_s, time.perf_counter() - began


def main() -> None:
    """Measure and print the figures."""
    sets = parameter_sets(BINDINGS)
    figures: dict[str, float] = {}
    warm_up()
    for primitive in ("sampler", "estimator"):
        in_a_worker(primitive, sets[:20])
        together_s, apart_s = in_a_worker(primitive, sets)
        figures[f"{primitive}_pub_ms"] = round(together_s * 1e3, 1)
        figures[f"{primitive}_jobs_ms"] = round(apart_s * 1e3)
        figures[f"{primitive}_times"] = round(apart_s / together_s, 1)
    with running(slots=1) as service:
        for primitive in ("sampler", "estimator"):
            over_http(service, primitive, sets[:20])
            together_s, apart_s = over_http(service, primitive, sets)
            figures[f"{primitive}_http_pub_ms"] = round(together_s * 1e3)
            figures[f"{primitive}_http_jobs_ms"] = round(apart_s * 1e3)
            figures[f"{primitive}_http_times"] = round(apart_s / together_s, 1)
    low = [name for name, value in figures.items() if name.endswith("_times") and value < BAR]
    print(f"below {BAR} times: {', '.join(low)}" if low else f"every ratio is at least {BAR}")
    print("figures: " + " ".join(f"{name}={value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
