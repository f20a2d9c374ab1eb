"""Devices of the fleet: what GHZ and mirror circuits come to beside what the figures predict, and how long runs take.

A mirror circuit of Clifford layers and their inverses ends in zeros unless something fails; a GHZ state in all zeros or
all ones. The noise model's own prediction is how likely nothing at all fails: errors may leave an outcome as it is or
undo each other, so what is measured is that or more. Beside it stands the predicted success that a result tells, the
product of the stated successes of gates, waits and readouts.
"""

from __future__ import annotations

from backends import threads  # noqa: F401 - before the libraries it bounds

# isort: split
import base64
import io
import math
import time
from typing import Any

import numpy as np
import orjson
from qiskit import qpy
from qiskit.circuit import QuantumCircuit

from backends.circuits import Circuit
from backends.devices.compiling import compiled
from backends.devices.model import Device
from backends.devices.noise import noise_of
from backends.devices.reading import device_of, fleet
from backends.devices.roads import Noisy
from backends.devices.scheduling import schedule
from backends.limits import Limits
from backends.run import execute, warm_up

SHOTS = 4_000
WIDTH = 24
LAYERS = 3


def ghz(width: int) -> QuantumCircuit:
    """All zeros and all ones."""
    circuit = QuantumCircuit(width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def mirror(width: int, layers: int = LAYERS, seed: int = 3) -> QuantumCircuit:
    """Random Clifford layers on a line and their inverses: all zeros."""
    rng = np.random.default_rng(seed)
    half = QuantumCircuit(width)
    for layer in range(layers):
        for qubit in range(width):
            getattr(half, ("h", "s", "sx", "x")[rng.integers(4)])(qubit)
        for qubit in range(layer % 2, width - 1, 2):
            half.cz(qubit, qubit + 1)
    whole = half.copy()
    whole.barrier()
    whole.compose(half.inverse(), inplace=True)
    whole.measure_all()
    return whole


def work_of(circuit: QuantumCircuit, shots: int, seed: int) -> bytes:
    """A sampler's work with the figures as stated."""
    stream = io.BytesIO()
    qpy.dump(circuit, stream)
    source = {"format": "qpy", "content": base64.b64encode(stream.getvalue()).decode()}
    pubs = [{"circuit": 0, "parameter_values": None, "shots": shots}]
    work = {"v": 1, "primitive": "sampler", "circuits": [source], "pubs": pubs, "seed": seed, "calibration": "stated"}
    return orjson.dumps(work)


def run(circuit: QuantumCircuit, device: str, shots: int, seed: int = 1) -> tuple[float, Any, Any]:
    """Seconds from the work document to the result document; the outcomes as bytes; what the PUB tells."""
    work = work_of(circuit, shots, seed)
    started_s = time.perf_counter()
    execution = execute(work, device, Limits())
    seconds = time.perf_counter() - started_s
    (pub,) = orjson.loads(execution.result)["pubs"]
    array = pub["registers"]["meas"]["array"]
    rows = np.frombuffer(base64.b64decode(array["base64"]), array["dtype"]).reshape(array["shape"])
    return seconds, rows, pub["metadata"]


def untouched(circuit: QuantumCircuit, device: Device, *, ones: bool) -> float:
    """How likely the noise model lets nothing fail, of outcomes that are zeros, or zeros and ones in equal shares."""
    (program,) = compiled(Circuit(circuit, b""), device).programs(np.zeros((1, 0)))
    noise = noise_of(device)
    noisy = Noisy(schedule(program, device), program.clbits, noise)
    gates = math.prod(channel.paulis[0] for op in noisy.schedule.operations for _, channel in noise.of(op))
    reads = [noise.flips(qubit) for qubit in noisy.heard.values()]
    zeros, all_ones = (math.prod(1 - read[place] for read in reads) for place in (0, 1))
    return float(gates * ((zeros + all_ones) / 2 if ones else zeros))


def share(rows: Any, width: int, *, ones: bool) -> float:
    """How many of the outcomes are all zeros, or all ones where these count."""
    full = np.frombuffer(((1 << width) - 1).to_bytes(-(-width // 8), "big"), dtype=np.uint8)
    hits = (rows == 0).all(axis=-1)
    return float((hits | (rows == full).all(axis=-1) if ones else hits).mean())


def main() -> None:
    """Run all, print a line a circuit and the figures."""
    warm_up()
    ratios: list[float] = []
    told_ratios: list[float] = []
    below = 0
    for name in fleet():
        device = device_of(name)
        assert device is not None
        width = min(WIDTH, len(device.live))
        for kind, circuit in (("ghz", ghz(width)), ("mirror", mirror(width))):
            seconds, rows, told = run(circuit, name, SHOTS)
            measured, predicted = share(rows, width, ones=kind == "ghz"), told["compiled"]["predicted_success"]
            least = untouched(circuit, device, ones=kind == "ghz")
            scatter = math.sqrt(least * (1 - least) / SHOTS)
            below += measured < least - 5 * scatter
            ratios.append(measured / least)
            told_ratios.append(measured / predicted)
            method = told["simulation"][0]["method"]
            print(
                f"{name:<21}{kind:<7}{width:>3} qubits  measured {measured:.4f} ± {scatter:.4f}   "
                f"without a fault {least:.4f}   told {predicted:.4f}   {method}, {seconds:.2f} s",
                flush=True,
            )
    figures = [
        f"devices={len(fleet())} circuits={len(ratios)} below_model={below} lowest_to_model={min(ratios):.3f}",
        f"lowest_to_told={min(told_ratios):.3f} highest_to_told={max(told_ratios):.3f}",
    ]
    for word, circuit, device_name in (
        ("ghz20", ghz(20), "sherbrooke-snapshot"),
        ("clifford100", mirror(100, 5), "fez-snapshot"),
    ):
        first_s = run(circuit, device_name, 1024)[0]
        again_s = sorted(run(circuit, device_name, 1024, seed)[0] for seed in (2, 3, 4))[1]
        figures.append(f"{word}_first_s={first_s:.3f} {word}_s={again_s:.3f}")
    print("figures:", " ".join(figures))


if __name__ == "__main__":
    main()
