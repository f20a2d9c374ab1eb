"""What the service costs beside the same circuits in a plain Python loop on Aer, measured in one run.

The loop is Aer at its best for this: one simulator object, one thread, ready circuits, no transpiler. The service runs
with one worker slot, so that both sides use one core for simulating; the client, the API and the worker share two.
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import httpx
from qiskit import QuantumCircuit, qpy

from benchmarks.running import Running, running

BATCH = 500
SHOTS = 1024
JOBS = 2_000
CALLS = 100


def circuit(seed: int, qubits: int = 5) -> QuantumCircuit:
    """Four layers of rotations and a ladder of CNOTs, another angle set for each seed."""
    random = Random(seed)
    made = QuantumCircuit(qubits)
    for _ in range(4):
        for qubit in range(qubits):
            made.rx(random.random(), qubit)
            made.rz(random.random(), qubit)
        for qubit in range(qubits - 1):
            made.cx(qubit, qubit + 1)
    made.measure_all()
    return made


def request_of(made: QuantumCircuit, seed: int) -> dict[str, Any]:
    """The job request of one circuit."""
    file = io.BytesIO()
    qpy.dump(made, file)
    content = base64.b64encode(file.getvalue()).decode()
    pub = {"circuit": {"format": "qpy", "content": content}}
    return {"primitive": "sampler", "pubs": [pub], "options": {"shots": SHOTS, "seed": seed}}


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def client_of(service: Running, token: str | None = None) -> httpx.Client:
    """A keep-alive connection, with nothing of the SDK in between."""
    headers = {"Authorization": f"Bearer {token or service.token}", "Content-Type": "application/json"}
    return httpx.Client(base_url=service.url, headers=headers, timeout=120)


def plain_loop() -> float:
    """Seconds a circuit takes in the plain loop, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain", "sampler", str(JOBS)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def plain_estimator() -> float:
    """Seconds one call of Aer's EstimatorV2 takes in a strictly sequential loop."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain", "estimator", str(CALLS)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def with_workers_held(service: Running, measure: Callable[[], float]) -> float:
    """Measure admission alone: the backends take nothing new meanwhile."""
    with client_of(service, service.operator) as operator:
        names = [one["name"] for one in operator.get("/v1/backends").json()["backends"]]
        for name in names:
            operator.put(f"/v1/backends/{name}/state", json={"state": "offline", "reason": "bench"}).raise_for_status()
        try:
            return measure()
        finally:
            for name in names:
                operator.put(f"/v1/backends/{name}/state", json={"state": "online", "reason": ""}).raise_for_status()


def submits_one_by_one(service: Running, bodies: list[bytes], threads: int) -> float:
    """Durable submits per second, one job a request."""
    share = len(bodies) // threads

    def send(part: int) -> None:
        with client_of(service) as http:
            for body in bodies[part * share : (part + 1) * share]:
                http.post("/v1/jobs", content=body).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(threads)))
    return share * threads / (time.perf_counter() - began)


def submits_batched(service: Running, requests: list[dict[str, Any]], connections: int) -> float:
    """Durable submits per second, BATCH distinct circuits a request, over so many connections at once."""
    bodies = [json.dumps({"jobs": requests[at : at + BATCH]}).encode() for at in range(0, len(requests), BATCH)]

    def send(part: list[bytes]) -> None:
        with client_of(service) as http:
            for body in part:
                answer = http.post("/v1/jobs/batch", content=body)
                answer.raise_for_status()
                assert all(one["status"] == 201 for one in answer.json()["jobs"])

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(send, [bodies[number::connections] for number in range(connections)]))
    return len(requests) / (time.perf_counter() - began)


def drain(service: Running) -> None:
    """Wait until nothing is open."""
    with client_of(service) as http:
        while any(
            http.get("/v1/jobs", params={"state": state, "limit": 1}).json()["jobs"] for state in ("queued", "running")
        ):
            time.sleep(0.05)


def latencies(service: Running) -> tuple[list[float], list[float]]:
    """Submit-to-start (the service's own stamps) and submit-to-result (the client's clock) of lone 2-qubit jobs, ms."""
    starts, results = [], []
    with client_of(service) as http:
        for number in range(CALLS):
            body = json.dumps(request_of(circuit(50_000 + number, qubits=2), number)).encode()
            began = time.perf_counter()
            job = http.post("/v1/jobs", params={"wait": 10}, content=body).json()
            http.get(f"/v1/jobs/{job['id']}/result", params={"wait": 10}).raise_for_status()
            results.append((time.perf_counter() - began) * 1e3)
            starts.append((job["started_us"] - job["created_us"]) / 1e3)
    return starts, results


def end_to_end(service: Running, requests: list[dict[str, Any]]) -> float:
    """Jobs per second from the first submit to the last result stored."""
    began = time.perf_counter()
    submits_batched(service, requests, 1)
    drain(service)
    return len(requests) / (time.perf_counter() - began)


def sequential_estimator(service: Running) -> list[float]:
    """Milliseconds of each of CALLS strictly sequential one-PUB calls through the SDK's EstimatorV2."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain", "qubator", str(CALLS), service.url, service.token],
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure everything and print the figures."""
    requests = [request_of(circuit(seed), seed) for seed in range(JOBS)]
    loop_s = plain_loop()
    aer_call_ms = plain_estimator() * 1e3
    with running(slots=1) as service:
        warm = [json.dumps(request_of(circuit(90_000 + seed), seed)).encode() for seed in range(50)]
        submits_one_by_one(service, warm, 1)
        drain(service)
        singles = [json.dumps(request_of(circuit(10_000 + seed), seed)).encode() for seed in range(800)]
        one = with_workers_held(service, lambda: submits_one_by_one(service, singles[:400], 1))
        eight = with_workers_held(service, lambda: submits_one_by_one(service, singles[400:], 8))
        drain(service)
        fresh = [request_of(circuit(20_000 + seed), seed) for seed in range(10 * BATCH)]
        batched_1 = with_workers_held(service, lambda: submits_batched(service, fresh[: 4 * BATCH], 1))
        drain(service)
        batched = with_workers_held(service, lambda: submits_batched(service, fresh[4 * BATCH :], 3))
        drain(service)
        starts, results = latencies(service)
        rate = end_to_end(service, requests)
        calls = sequential_estimator(service)
    loop_rate = 1 / loop_s
    figures = {
        "submits_single_per_s": round(one),
        "submits_8_threads_per_s": round(eight),
        "submits_batched_per_s": round(batched),
        "submits_batched_1_per_s": round(batched_1),
        "submits_batched_to_loop": round(batched / loop_rate, 2),
        "start_ms_p50": round(quantile(starts, 0.5), 1),
        "start_ms_p95": round(quantile(starts, 0.95), 1),
        "result_ms_p50": round(quantile(results, 0.5), 1),
        "result_ms_p95": round(quantile(results, 0.95), 1),
        "result_p50_to_loop": round(quantile(results, 0.5) / (loop_s * 1e3), 1),
        "loop_per_s": round(loop_rate),
        "end_to_end_per_s": round(rate),
        "end_to_end_to_loop": round(rate / loop_rate, 2),
        "aer_call_ms": round(aer_call_ms, 1),
        "call_ms_p50": round(statistics.median(calls), 1),
        "call_ms_p95": round(quantile(calls, 0.95), 1),
        "call_over_aer_ms": round(statistics.median(calls) - aer_call_ms, 1),
    }
    print("figures: " + " ".join(f"{name}={value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
