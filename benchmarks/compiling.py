"""The portfolio of compilers beside one run of Qiskit at level 3: 16 circuits onto a heavy-hex device of 127 qubits.

The device's couplings are those of such machines; its errors and times are drawn by Qiskit's GenericBackendV2 from a
seed, so the predicted success compares compilers and says nothing about a real machine. `REPEATS` compiles each circuit
with as many seeds; ratios are geometric means over all of them.
"""

from __future__ import annotations

from backends import threads  # noqa: F401 - before the libraries it bounds

# isort: split
import argparse
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import (
    CDKMRippleCarryAdder,
    PauliEvolutionGate,
    QFTGate,
    efficient_su2,
    quantum_volume,
    real_amplitudes,
)
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.synthesis import LieTrotter
from qiskit.transpiler import CouplingMap

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import compile_circuit, forget
from backends.compiling.members import pre_passes
from backends.compiling.options import CompileOptions

_ROW = 15


def heavy_hex() -> list[tuple[int, int]]:
    """The 144 couplings of 127 qubits: seven rows, joined by bridges at every fourth column."""
    spots: dict[tuple[int, int], int] = {}
    for row in range(7):
        for column in range(_ROW):
            if (row, column) not in ((0, _ROW - 1), (6, 0)):
                spots[2 * row, column] = len(spots)
        for column in range(0 if row % 2 == 0 else 2, _ROW, 4) if row < 6 else ():
            spots[2 * row + 1, column] = len(spots)
    pairs: list[tuple[int, int]] = []
    for (row, column), spot in spots.items():
        for other in ((row + 1, column), *([(row, column + 1)] if row % 2 == 0 else [])):
            pairs += [(spot, spots[other])] if other in spots else []
    return pairs


def device() -> Calibrated:
    """The device, the same on every machine."""
    pairs = heavy_hex()
    both = CouplingMap(pairs + [(second, first) for first, second in pairs])
    return Calibrated(GenericBackendV2(127, ["cz", "rz", "sx", "x", "id"], coupling_map=both, seed=1).target)


def suite() -> Iterator[tuple[str, QuantumCircuit]]:
    """Sixteen circuits of 6 to 20 qubits, all measured."""
    rng = np.random.default_rng(1)
    found = {
        "qft_8": _gate(QFTGate(8), 8),
        "qft_14": _gate(QFTGate(14), 14),
        "su2_full_10": _bound(efficient_su2(10, reps=2, entanglement="full"), rng),
        "real_amplitudes_16": _bound(real_amplitudes(16, reps=3, entanglement="circular"), rng),
        "ising_20": _evolution([("ZZ", [i, i + 1], 1.0) for i in range(19)] + [("X", [i], 0.7) for i in range(20)], 4),
        "heisenberg_ring_8": _evolution([(p, [i, (i + 1) % 8], 1.0) for i in range(8) for p in ("XX", "YY", "ZZ")], 2),
        "qaoa_12": _qaoa(12, rng),
        "qaoa_20": _qaoa(20, rng),
        "clifford_t_8": _clifford_t(8, 160, rng),
        "clifford_t_12": _clifford_t(12, 200, rng),
        "ghz_star_20": _star(20),
        "volume_8": quantum_volume(8, 8, seed=1),
        "adder_5": CDKMRippleCarryAdder(5),
        "bernstein_vazirani_16": _hidden(16),
        "toffolis_8": _toffolis(8),
        "excitations_6": _excitations(),
    }
    for name, circuit in found.items():
        circuit.measure_all()
        yield name, circuit


def _gate(gate: QFTGate, qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.append(gate, range(qubits))
    return circuit


def _bound(circuit: QuantumCircuit, rng: np.random.Generator) -> QuantumCircuit:
    return circuit.assign_parameters(rng.uniform(0, 6, circuit.num_parameters))


def _evolution(terms: Sequence[tuple[str, list[int], float]], steps: int) -> QuantumCircuit:
    qubits = 1 + max(max(places) for _, places, _ in terms)
    operator = SparsePauliOp.from_sparse_list(terms, qubits)
    circuit = QuantumCircuit(qubits)
    circuit.append(PauliEvolutionGate(operator, 0.3, synthesis=LieTrotter(reps=steps)), range(qubits))
    return circuit


def _qaoa(qubits: int, rng: np.random.Generator) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(range(qubits))
    edges = [(i, j) for i in range(qubits) for j in range(i) if rng.random() < 3 / qubits]
    for turn in (0.4, 0.9):
        for first, second in edges:
            circuit.rzz(turn, first, second)
        circuit.rx(1 - turn, range(qubits))
    return circuit


def _clifford_t(qubits: int, gates: int, rng: np.random.Generator) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for kind in rng.integers(4, size=gates):
        first, second = rng.choice(qubits, 2, replace=False).tolist()
        if kind == 0:
            circuit.t(first)
        elif kind == 1:
            circuit.h(first)
        else:
            circuit.cx(first, second)
    return circuit


def _star(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(1, qubits):
        circuit.cx(0, qubit)
    return circuit


def _hidden(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.x(qubits - 1)
    circuit.h(range(qubits))
    for qubit in range(0, qubits - 1, 2):
        circuit.cx(qubit, qubits - 1)
    circuit.h(range(qubits))
    return circuit


def _toffolis(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits - 2):
        circuit.ccx(qubit, qubit + 1, qubit + 2)
    return circuit


def _excitations() -> QuantumCircuit:
    circuit = QuantumCircuit(6)
    for number, label in enumerate(["XXXY", "YXXX", "XYXX", "XXYX", "YYYX", "XYYY", "YXYY", "YYXY"], start=1):
        circuit.append(PauliEvolutionGate(SparsePauliOp(label), 0.1 * number), [0, 1, 3, 4])
        circuit.append(PauliEvolutionGate(SparsePauliOp(label), 0.07 * number), [1, 2, 4, 5])
    return circuit


def main() -> None:
    """Compile all, print a line a circuit and the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=1)
    repeats = arguments.parse_args().repeats
    calibrated = device()
    gates: list[float] = []
    gains: list[float] = []
    alone: list[float] = []
    worst = math.inf
    seconds = {"single": 0.0, "portfolio": 0.0}
    winners: Counter[str] = Counter()
    for name, circuit in suite():
        for seed in range(0, 1000 * repeats, 1000):
            forget()
            found = []
            for options in (CompileOptions("single", 3, seed), CompileOptions("portfolio", 3, seed)):
                started_s = time.process_time()
                found.append(compile_circuit(circuit, calibrated, options))
                seconds[options.mode] += time.process_time() - started_s
            one, best = (each.figures for each in found)
            gain = best.log_success - one.log_success
            gates.append(math.log(best.two_qubit_gates / one.two_qubit_gates))
            gains.append(gain)
            worst = min(worst, gain)
            plain = [each.figures for each in found[1].tried if each.figures and each.name.startswith("Qiskit")]
            alone.append(max(each.log_success for each in plain) - one.log_success)
            winners[found[1].compiler.partition(",")[0].partition(" ")[0].lower()] += 1
            print(
                f"{name:<22}two-qubit gates {one.two_qubit_gates:>4} -> {best.two_qubit_gates:>4}   predicted success "
                f"{one.predicted_success:.4f} -> {best.predicted_success:.4f} (× {math.exp(gain):.2f})   "
                f"{found[1].compiler}",
                flush=True,
            )
    runs = len(gains)
    libraries = sorted({each.library for each in pre_passes().values()}) or ["none"]
    print(
        f"figures: circuits={runs} compilers=qiskit+{'+'.join(libraries)} "
        f"two_qubit_gates_ratio={math.exp(sum(gates) / runs):.3f} success_gain={math.exp(sum(gains) / runs):.3f} "
        f"success_gain_qiskit_alone={math.exp(sum(alone) / runs):.3f} "
        f"worst_gain={math.exp(worst):.3f} level3_s={seconds['single'] / runs:.3f} "
        f"portfolio_s={seconds['portfolio'] / runs:.3f} "
        + " ".join(f"won_{name}={count}" for name, count in sorted(winners.items()))
    )


if __name__ == "__main__":
    main()
