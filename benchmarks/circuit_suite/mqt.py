"""Circuits of MQT Bench, at its algorithmic level: gates with definitions, as people write them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial

from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Entry, Known, Lawful

SIZES: dict[str, tuple[int, ...]] = {
    "ae": (5, 9, 13, 17),
    "bmw_quark_cardinality": (6, 12, 18),
    "bmw_quark_copula": (8, 14, 20),
    "bv": (8, 24, 60, 100),
    "cdkm_ripple_carry_adder": (8, 20, 40),
    "dj": (8, 24, 60, 100),
    "draper_qft_adder": (8, 16, 24, 40),
    "dynamic_qft": (4, 8, 16),
    "full_adder": (8, 20, 40),
    "ghz": (5, 20, 60, 100),
    "ghz_dynamic": (4, 8),
    "graphstate": (8, 30, 60, 100),
    "grover": (5, 7, 9),
    "half_adder": (9, 21),
    "hhl": (5, 8),
    "hrs_cumulative_multiplier": (5, 9, 13),
    "iqpe": (4, 8),
    "modular_adder": (8, 16, 28),
    "multiplier": (8, 16),
    "qaoa": (6, 10, 14, 18),
    "qft": (4, 10, 18, 28, 64),
    "qftentangled": (6, 12, 18, 24),
    "qnn": (6, 12, 20),
    "qpeexact": (5, 10, 18, 32),
    "qpeinexact": (5, 10, 18, 32),
    "qwalk": (5, 8, 10),
    "randomcircuit": (5, 8, 12, 16),
    "rg_qft_multiplier": (8, 16),
    "seven_qubit_steane_code": (13, 26),
    "shor": (18,),
    "shors_nine_qubit_code": (17, 34),
    "vbe_ripple_carry_adder": (10, 22, 40),
    "vqe_real_amp": (6, 12, 18, 24),
    "vqe_su2": (5, 10, 16, 22),
    "vqe_two_local": (4, 10, 16, 20),
    "wstate": (5, 16, 40, 100),
}


def entries() -> Iterator[Entry]:
    """All of them; the family is the benchmark's name with "mqt_" before it."""
    for benchmark, sizes in SIZES.items():
        for size in sizes:
            yield Entry(
                f"mqt_{benchmark}_{size}", f"mqt_{benchmark}", partial(make, benchmark, size), _known(benchmark)
            )


def make(benchmark: str, size: int) -> QuantumCircuit:
    """One circuit, measured at its end if nothing is measured."""
    from mqt.bench import get_benchmark_alg

    options = {"seed": 7} if benchmark == "graphstate" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        circuit = get_benchmark_alg(benchmark, size, **options)
    if not any(instruction.name == "measure" for instruction in circuit.data):
        circuit.measure_all()
    return circuit


def _known(benchmark: str) -> Known | None:
    """What the algorithm promises; the others are judged against exact distributions or a second engine."""
    match benchmark:
        case "ghz":
            return Lawful(lambda bits: (bits == bits[:, :1]).all(axis=1), lambda bits: bits[:, :1])
        case _:
            return None
