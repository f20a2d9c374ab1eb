"""A thousand one-circuit jobs by three startups through the batch endpoint: all end, and the books balance."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from qiskit import QuantumCircuit

from dispatcher.auditor import audit_store


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(1, qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def test_a_thousand_jobs_end_with_one_settlement_each(zone: Any) -> None:
    startups = [zone.startup() for _ in range(3)]
    shares = [334, 333, 333]

    def submit(number: int) -> list[Any]:
        circuits = [ghz(2 + (number + k) % 6) for k in range(shares[number])]
        return startups[number].client.submit_many(circuits, shots=128)

    with ThreadPoolExecutor(3) as pool:
        submitted = list(pool.map(submit, range(3)))
    for startup, jobs in zip(startups, submitted, strict=True):
        startup.client.wait_all(jobs, timeout=120)
        read = {job.id: job for job in startup.client.jobs()}
        assert set(read) == {job.id for job in jobs}
        assert {job.state for job in read.values()} == {"succeeded"}
        quota = startup.client.quota()
        assert quota.held.micro == 0
        assert quota.granted.micro == quota.settled.micro + quota.available.micro
        assert sum(job.cost.micro for job in read.values()) == quota.settled.micro
    database = zone.service.service.database
    report = audit_store(database)
    assert report.violations == []
    with sqlite3.connect(database.path) as raw:
        settlements = raw.execute(
            "SELECT job_id, count(*) FROM entries WHERE kind = 'settle' GROUP BY job_id"
        ).fetchall()
    assert len(settlements) == 1_000
    assert {count for _, count in settlements} == {1}


def test_one_startups_flood_does_not_hold_up_anothers_first_job(zone: Any) -> None:
    """500 jobs of one startup wait; the first job of another starts before most of them."""
    flooding, patient = zone.startup(), zone.startup()
    flood = flooding.client.submit_many([ghz(5)] * 500, shots=1024)
    first = patient.client.submit(ghz(3), shots=10)
    first.wait(30)
    still_open = len(list(flooding.client.jobs(state=["queued", "running"])))
    assert first.state == "succeeded"
    assert still_open > 100, f"the flood had only {still_open} jobs left when the other startup's first job had ended"
    flooding.client.wait_all(flood, timeout=120)
