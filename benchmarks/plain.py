"""The other side of the comparison, in a process of its own: the same work in a plain loop on Aer, or by the SDK."""

from __future__ import annotations

import sys
import time

from benchmarks.service import SHOTS, circuit


def sampler(count: int) -> float:
    """Seconds a circuit of `AerSimulator.run(...).result().get_counts()`."""
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(max_parallel_threads=1)
    circuits = [circuit(seed) for seed in range(count)]
    simulator.run(circuits[0], shots=SHOTS).result().get_counts()
    began = time.perf_counter()
    for number, made in enumerate(circuits):
        simulator.run(made, shots=SHOTS, seed_simulator=number).result().get_counts()
    return (time.perf_counter() - began) / count


def estimator_calls(count: int, estimator: object) -> list[float]:
    """Seconds of each of `count` strictly sequential calls with one PUB, as a variational loop makes them."""
    import numpy as np
    from qiskit.circuit.library import real_amplitudes
    from qiskit.quantum_info import SparsePauliOp

    ansatz = real_amplitudes(4, reps=2)
    energy = SparsePauliOp(["ZZII", "IZZI", "IIZZ", "XXXX"], [1.0, 1.0, 1.0, 0.5])
    point = np.full(ansatz.num_parameters, 0.1)
    seconds = []
    for _ in range(count + 3):
        began = time.perf_counter()
        value = float(estimator.run([(ansatz, energy, point)]).result()[0].data.evs)  # type: ignore[attr-defined]
        seconds.append(time.perf_counter() - began)
        point = point + 0.01 * np.cos(point * 7 + value)
    return seconds[3:]


def main() -> None:
    """`sampler N` and `estimator N` print seconds, `qubator N URL TOKEN` the milliseconds of each call."""
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "sampler":
        print(sampler(count))
    elif kind == "estimator":
        from qiskit_aer.primitives import EstimatorV2

        options = {"backend_options": {"max_parallel_threads": 1}}
        seconds = estimator_calls(count, EstimatorV2(options=options))
        print(sorted(seconds)[count // 2])
    else:
        from qubator import Client
        from qubator import EstimatorV2 as Remote

        with Client(sys.argv[3], sys.argv[4]) as client:
            seconds = estimator_calls(count, Remote(client))
        print(*(round(one * 1e3, 3) for one in seconds))


if __name__ == "__main__":
    main()
