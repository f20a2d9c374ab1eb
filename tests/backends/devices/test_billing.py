"""QPU time, worked out by hand: 10 µs between repetitions, 0.5 µs of reset, 7 ms a job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qiskit.circuit import QuantumCircuit

from backends.devices import billing
from backends.findings import CircuitFindings, Findings


def findings(depth: int, sampled: int, **change: Any) -> Findings:
    figures = {"mid_circuit": False, "control_flow": False} | change
    circuit = CircuitFindings(
        2, 2, 2, depth, 1, 1, 3, True, True, 0, **figures, executions=1, shots=sampled, sampled=sampled
    )
    return Findings("sampler", (circuit,), 1, 1, 1, sampled, 2, 100)


def test_a_bell_pair_by_hand(bench: Any) -> None:
    """sx 50, cz 200, sx 50 and a readout of 1,000 ns; 1,000 shots: 7 ms + 1,000 × (1.3 + 0.5 + 10) µs."""
    device = bench.line(2)
    circuit = QuantumCircuit(2)
    circuit.sx(0)
    circuit.sx(1)
    circuit.cz(0, 1)
    circuit.sx(1)
    circuit.measure_all()
    length_ns = bench.noisy(circuit, device).schedule.length_ns
    assert length_ns == 50 + 200 + 50 + 1_000
    assert billing.job_us(device, [(length_ns, 1_000)]) == 7_000 + 11_800
    assert billing.job_us(device, [(length_ns, 1_000), (0.0, 1)]) == 7_000 + 11_811, "started microseconds"
    assert billing.job_us(device, []) == 7_000


def test_a_quote_bounds_the_length_before_compiling(bench: Any) -> None:
    """Depth 4 of the longest gate, 200 ns: 2 × 800 expected and 20 × 800 at most, and the readout."""
    device = bench.line(2)
    expected, most = billing.quoted_us(device, findings(4, 1_000))
    assert expected == 7_000 + 1_000 * (1_000 + 1_600 + 10_500) / 1_000
    assert most == 7_000 + 1_000 * (1_000 + 16_000 + 10_500) / 1_000
    random, _ = billing.quoted_us(device, findings(4, 1_000, mid_circuit=True))
    assert random == 7_000 + 1_000 * (1_000 + 2 * 4 * 1_300 + 10_500) / 1_000


def test_more_shots_and_depth_never_cost_less(bench: Any) -> None:
    device = bench.device("zuchongzhi-3-like")
    by_depth = [billing.quoted_us(device, findings(depth, 100)) for depth in (1, 9, 90)]
    by_shots = [billing.quoted_us(device, findings(9, shots)) for shots in (1, 10, 100)]
    for quotes in (by_depth, by_shots):
        assert quotes == sorted(quotes)
        assert all(low <= high for low, high in quotes)


def test_folded_circuits_are_quoted_as_long_as_they_are(bench: Any) -> None:
    """1,000 shots of which 400 are three times as long: 800 shots more of 2 × 4 × 200 ns, and no more readouts."""
    device = bench.line(2)
    plain = findings(4, 1_000)
    (circuit,) = plain.circuits
    longer = replace(plain, circuits=(replace(circuit, folded=800),))
    (low, high), (low_longer, high_longer) = (billing.quoted_us(device, each) for each in (plain, longer))
    assert low_longer - low == 800 * 1.6
    assert high_longer - high == 800 * 16
