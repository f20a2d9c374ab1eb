"""What a device refuses before anything runs, each with its reason; and how long the rest takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backends.devices.admission import memory_bytes, obstacle, run_us
from backends.findings import CircuitFindings, Findings

PLAIN = CircuitFindings(
    5, 5, 5, 10, 20, 10, 40, False, True, 0, False, False, executions=1, shots=1_024, sampled=1_024
)  # fmt: skip


def work(**change: Any) -> Findings:
    circuit = replace(PLAIN, **change)
    return Findings("sampler", (circuit,), 1, 1, 1, circuit.shots, circuit.qubits, 1_000)


@pytest.mark.parametrize(
    ("device", "change", "words"),
    [
        ("nairobi-snapshot", {"qubits": 8}, "circuit 0 has 8 qubits, nairobi-snapshot has 7 that work; use fewer"),
        ("sherbrooke-snapshot", {"qubits": 126, "active": 126, "clifford": True}, "has 125 that work"),
        ("wukong-like", {"mid_circuit": True}, "only measures at the end; choose a device whose record says dynamic"),
        ("wukong-like", {"control_flow": True}, "only measures at the end"),
        ("fez-snapshot", {"exact": True, "qubits": 11, "active": 11}, "give a precision such as 0.02"),
        ("fez-snapshot", {"qubits": 60, "active": 60, "gates_2q": 5_000}, "a worker has 1024 MiB; use fewer"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(
    bench: Any, device: str, change: dict[str, Any], words: str
) -> None:
    refusal = obstacle(bench.device(device), work(**change), 1_024)
    assert refusal is not None
    assert refusal.code == "backend_infeasible"
    assert words in refusal.detail
    assert refusal.fields["backend"] == device


def test_what_fits_is_taken(bench: Any) -> None:
    assert obstacle(bench.device("nairobi-snapshot"), work(mid_circuit=True, exact=False), 64) is None
    wide = work(qubits=120, active=120, clifford=True, gates_2q=10**5)
    assert obstacle(bench.device("sherbrooke-snapshot"), wide, 64) is None
    assert obstacle(bench.device("fez-snapshot"), work(qubits=100, active=100, gates_2q=99), 64) is None
    assert obstacle(bench.device("generic"), work(exact=True, qubits=10, active=10), 64) is None


def test_memory_is_that_of_the_method_that_takes_least() -> None:
    assert memory_bytes(replace(PLAIN, clifford=True, active=150)) == 2**22
    assert memory_bytes(replace(PLAIN, active=10)) == 16 * 2 << 10
    assert memory_bytes(replace(PLAIN, active=60, gates_2q=59)) == 2**22 + 60 * (64 << 2)


def test_what_takes_for_ever_is_said_to_take_for_ever() -> None:
    """Forty qubits, forty layers: neither a dense state nor a tensor ends within an hour for 1,024 shots."""
    assert run_us(work(qubits=40, active=40, gates_2q=1_600, operations=4_000)) > 3_600_000_000
    assert run_us(work()) < 500_000
    assert run_us(work(qubits=100, active=100, clifford=True, gates_2q=99, operations=300)) < 2_000_000


def test_more_of_anything_never_takes_less() -> None:
    for name, values in {
        "sampled": (1, 100, 10**6),
        "active": (2, 9, 15, 25),
        "operations": (1, 50, 5_000),
        "executions": (1, 10, 1_000),
    }.items():
        times = [run_us(work(**{name: value})) for value in values]
        assert times == sorted(times), name


def test_repeated_gates_take_longer() -> None:
    for clifford in (True, False):
        assert run_us(work(clifford=clifford, active=14, folded=10_240)) > run_us(work(clifford=clifford, active=14))
