"""The catalogue says what there is and what cannot run where; and the service may read it without any engine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from backends import catalogue as catalogue_module
from backends.catalogue import (
    catalogue,
    described,
    described_briefly,
    engines,
    estimate_us,
    feasible,
    memory_mib_needed,
    qpu_us,
    spec_of,
    weighed,
)
from backends.devices.reading import fleet
from backends.findings import CircuitFindings, Findings
from backends.rejected import Rejection

ROOT = Path(__file__).resolve().parents[2]
LIGHT = (
    "catalogue",
    "estimate",
    "findings",
    "limits",
    "qpy_format",
    "qpy_scan",
    "qasm_scan",
    "rejected",
    "seeds",
    "threads",
)


def work(*circuits: CircuitFindings) -> Findings:
    return Findings("sampler", circuits, 1, 1, 1, 1024, max(one.qubits for one in circuits), 1000)


def circuit(qubits: int, *, active: int | None = None, clifford: bool = False, gates_2q: int = 40) -> CircuitFindings:
    active = qubits if active is None else active
    return CircuitFindings(
        qubits, active, qubits, 10, 50, gates_2q, 100, clifford, True, 0, False, False, executions=1, shots=1024
    )


def test_what_the_service_imports_is_light() -> None:
    program = (
        f"import sys, importlib\nfor name in {LIGHT!r}: importlib.import_module('backends.' + name)\n"
        "from backends.catalogue import catalogue\nassert len(catalogue()) == 15\n"
        "print([name for name in sys.modules if name.partition('.')[0] in "
        "('qiskit', 'qiskit_aer', 'numpy', 'scipy', 'openqasm3', 'qiskit_qasm3_import')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_five_engines_in_the_order_auto_tries_them_then_the_devices() -> None:
    assert [spec.name for spec in engines()] == ["ideal", "aer", "aer-statevector", "aer-stabilizer", "aer-mps"]
    assert [spec.name for spec in catalogue()] == [*(spec.name for spec in engines()), *fleet()]
    assert all(spec.simulated and spec.title and spec.description for spec in catalogue())
    assert [spec.engine for spec in catalogue()] == ["router"] + ["aer"] * 4 + ["device"] * 10
    assert catalogue() is catalogue()


def test_further_snapshots_are_offered_where_the_operator_asks() -> None:
    assert catalogue(("torino",))[-1].name == "torino-snapshot"
    assert feasible(work(circuit(5)), "torino-snapshot", 1024, ("torino",)) == ("torino-snapshot",)
    refusal = feasible(work(circuit(5)), "torino-snapshot", 1024)
    assert isinstance(refusal, Rejection)
    assert refusal.code == "unknown_backend"
    assert spec_of("torino-snapshot") is not None, "rates and grants may name it before it is offered"


def test_devices_have_estimates_bills_and_records_of_their_own() -> None:
    small = work(replace(circuit(5), sampled=1024))
    assert feasible(small, "nairobi-snapshot", 1024) == ("nairobi-snapshot",)
    assert estimate_us("nairobi-snapshot", small) != estimate_us("aer", small)
    billed = qpu_us("nairobi-snapshot", small)
    assert billed is not None
    assert 100_000 + 1024 * 255 < billed[0] < billed[1], "the overhead of a job, and 255 µs a shot"
    assert qpu_us("aer", small) is None
    assert described("nairobi-snapshot", None)["device"]["calibrated"] == "2024-05-27"
    assert described("nairobi-snapshot", date(2026, 11, 20))["device"]["calibrated"] == "2026-11-20"
    assert described_briefly("nairobi-snapshot")["device"]["couplings"] == 6
    assert described("aer", None) == described_briefly("aer") == {}
    refusal = feasible(work(circuit(8)), "nairobi-snapshot", 1024)
    assert isinstance(refusal, Rejection)
    assert "7 that work" in refusal.detail


def test_every_basis_is_sorted_and_without_the_gates_that_crash_or_mean_something_else() -> None:
    for spec in catalogue():
        assert list(spec.basis_gates) == sorted(set(spec.basis_gates))
        assert not {"multiplexer", "store", "kraus", "set_statevector", "mcu"} & set(spec.basis_gates)
        assert {"measure", "reset", "barrier", "delay"} <= set(spec.basis_gates)
        assert spec.engine == "device" or {"cx", "h"} <= set(spec.basis_gates)


def test_auto_lists_all_that_can_best_first() -> None:
    assert feasible(work(circuit(5)), "auto", 1024) == ("ideal", "aer", "aer-statevector", "aer-mps")
    assert feasible(work(circuit(5, clifford=True)), "auto", 1024) == (
        "ideal",
        "aer",
        "aer-statevector",
        "aer-stabilizer",
        "aer-mps",
    )


def test_auto_goes_to_tensors_and_tableaus_when_the_state_is_too_large() -> None:
    assert feasible(work(circuit(40)), "auto", 1024) == ("ideal", "aer-mps")
    assert feasible(work(circuit(100, clifford=True)), "auto", 1024) == ("ideal", "aer", "aer-stabilizer", "aer-mps")


def test_auto_takes_another_where_the_router_is_expected_to_be_far_slower() -> None:
    quick = replace(circuit(5), executions=1, routed_us=900, routed_mib=64)
    assert feasible(work(quick), "auto", 1024)[0] == "ideal"
    assert feasible(work(replace(quick, routed_us=50_000_000)), "auto", 1024)[-1] == "ideal"


def test_what_the_router_foretells_is_its_estimate_and_what_it_cannot_place_is_refused() -> None:
    routed = replace(circuit(60, clifford=False), executions=1, routed_us=4_000_000, routed_mib=64)
    assert 4_000_000 < estimate_us("ideal", work(routed)) < 4_100_000
    assert estimate_us("ideal", work(replace(routed, routed_us=0))) == estimate_us("aer-mps", work(routed))
    assert feasible(work(routed), "ideal", 1024) == ("ideal",)
    refusal = feasible(work(replace(routed, routed_mib=3_000_000)), "ideal", 1024)
    assert isinstance(refusal, Rejection)
    assert "needs 3000000 MiB on ideal, a worker has 1024 MiB; no engine can run it" in refusal.detail
    countless = feasible(work(replace(routed, routed_mib=1 << 40)), "ideal", 1024)
    assert isinstance(countless, Rejection)
    assert "needs more than 1024 TiB" in countless.detail


def test_every_backend_is_weighed() -> None:
    found = {one.backend: one for one in weighed(work(circuit(30)), 1024)}
    assert list(found) == [spec.name for spec in catalogue()]
    assert found["aer-mps"].obstacle is None
    assert found["aer-mps"].estimate_us == estimate_us("aer-mps", work(circuit(30)))
    refusal = found["aer"].obstacle
    assert refusal is not None
    assert refusal.code == "backend_infeasible"


def test_a_named_backend_is_taken_at_its_word() -> None:
    assert feasible(work(circuit(5)), "aer-mps", 1024) == ("aer-mps",)


def test_memory_decides_by_the_qubit() -> None:
    """25 qubits are 512 MiB, taken whole by the engine; 24 are 256 MiB twice."""
    assert [memory_mib_needed("statevector", circuit(width)) for width in (10, 23, 24, 25, 26)] == [
        1,
        256,
        512,
        512,
        1024,
    ]
    assert feasible(work(circuit(25)), "aer-statevector", 512) == ("aer-statevector",)
    refusal = feasible(work(circuit(26)), "aer-statevector", 1023)
    assert isinstance(refusal, Rejection)
    assert refusal.code == "backend_infeasible"
    assert refusal.fields == {
        "backend": "aer-statevector",
        "qubits": 26,
        "qubits_max": 200,
        "needed_mib": 1024,
        "memory_mib": 1023,
    }
    assert "26 qubits" in refusal.detail
    assert "1024 MiB" in refusal.detail


def test_the_result_needs_memory_too() -> None:
    large = replace(work(circuit(5)), result_bytes=100 << 20)
    assert feasible(large, "aer", 301) == ("aer",)
    refusal = feasible(large, "aer", 300)
    assert isinstance(refusal, Rejection)
    assert refusal.fields["needed_mib"] == 301


def test_only_busy_qubits_need_memory() -> None:
    """A circuit laid out on a device of 127 qubits with five of them busy is a circuit of five."""
    assert feasible(work(circuit(127, active=5)), "aer", 16) == ("aer",)
    assert feasible(work(circuit(127, active=5)), "aer-statevector", 16) == ("aer-statevector",)


def test_gates_decide_for_the_tableau() -> None:
    refusal = feasible(work(circuit(5, clifford=True), circuit(5)), "aer-stabilizer", 1024)
    assert isinstance(refusal, Rejection)
    assert refusal.code == "backend_infeasible"
    assert "circuit 1" in refusal.detail


def test_width_decides() -> None:
    assert feasible(work(circuit(200, active=3)), "aer", 1024) == ("aer",)
    refusal = feasible(work(circuit(201, active=3)), "aer", 1024)
    assert isinstance(refusal, Rejection)
    assert (refusal.code, refusal.fields["qubits"], refusal.fields["qubits_max"]) == ("backend_infeasible", 201, 200)


def test_an_unknown_backend_is_answered_with_the_list() -> None:
    refusal = feasible(work(circuit(5)), "ibm_kyoto", 1024)
    assert isinstance(refusal, Rejection)
    assert refusal.code == "unknown_backend"
    assert refusal.fields["backends"] == ["auto", *(spec.name for spec in catalogue())]


def test_nothing_can_run_it() -> None:
    refusal = feasible(work(circuit(150, gates_2q=10**5)), "auto", 64)
    assert isinstance(refusal, Rejection)
    assert refusal.code == "backend_infeasible"
    assert refusal.fields == {"backend": "auto", "qubits": 150, "memory_mib": 64}
    assert all(spec.name in refusal.detail for spec in engines())


def test_estimates_are_by_backend_and_an_unknown_one_is_a_bug() -> None:
    wide = work(circuit(20, clifford=True))
    assert estimate_us("aer", wide) == estimate_us("aer-stabilizer", wide) < estimate_us("aer-statevector", wide)
    with pytest.raises(KeyError):
        estimate_us("ibm_kyoto", wide)


def test_spec_of() -> None:
    assert spec_of("aer-mps") in catalogue()
    assert spec_of("auto") is None


def test_empty_work_runs_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Findings("sampler", (), 0, 0, 0, 0, 0, 0)
    assert feasible(nothing, "auto", 1) == tuple(spec.name for spec in engines())
    narrow = replace(catalogue()[0], qubits_max=4)
    monkeypatch.setattr(catalogue_module, "engines", lambda: (narrow,))
    assert isinstance(feasible(work(circuit(5)), "auto", 1024), Rejection)
