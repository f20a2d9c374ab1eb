"""A programme that pays a share: quoted, refused without the project's own part, paid, explained; and quotes kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit

import ledger.core
from dispatcher.auditor import audit_store
from dispatcher.model import GrantTerms
from ledger.commands import PayOut, TopUp
from ledger.model import Entry
from ledger.rates import RateLine
from ledger.terms import Rule, Terms
from qubator import Client
from qubator.errors import Conflict, Refused
from qubator.money import Money
from service.embedded import CONSOLE
from store import book, rate_lines, terms
from store.database import Connection

DAY_US = 86_400_000_000


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def write(zone: Any, unit: Any) -> None:
    zone.service.service.database.writer.run(unit)


def programme(zone: Any, name: str, *rules: Rule, **more: Any) -> str:
    """A programme with terms of one version."""
    funder = zone.room.create_funder(CONSOLE, f"funder of {name}")
    made = zone.room.create_programme(CONSOLE, name, [(funder.id, 1)], "CNY", 10**12)
    write(zone, lambda conn: terms.insert_terms(conn, Terms(made.id, 1, rules, **more), zone.room.now_us()))
    return str(made.id)


def wallet(zone: Any, command: TopUp | PayOut) -> None:
    """Move money into a wallet, or out of it."""

    def unit(conn: Connection) -> None:
        books = book.load_book(conn, project_ids=[command.project_id])
        entry = ledger.core.decide(books, command)
        assert isinstance(entry, Entry)
        ledger.core.apply(books, entry)
        book.record(conn, [entry], books)

    write(zone, unit)


def grant(zone: Any, startup: Any, programme_id: str, amount: int) -> str:
    now = zone.room.now_us()
    issued = zone.room.issue_grant(
        CONSOLE, GrantTerms(startup.project_id, programme_id, "CNY", amount, now, now + DAY_US, 0)
    )
    return str(issued.id)


def test_a_share_is_quoted_refused_topped_up_paid_and_explained(zone: Any) -> None:
    startup = zone.startup(grant=None)
    client: Client = startup.client
    circuit = bell()
    third = programme(zone, "thirty percent", Rule(300_000, categories=("training",)))
    grant_id = grant(zone, startup, third, 10**8)

    quote = client.quote(circuit, shots=100, seed=1, category="training")
    share = quote.ceiling.micro * 3 // 10
    (payer,) = quote.payers
    assert (payer.payer, payer.share, payer.rule) == (grant_id, "30 %", f"{third}@1#1")
    assert quote.ceiling.micro - 3 <= payer.amount.micro + quote.missing.micro <= quote.ceiling.micro
    assert share - 3 <= payer.amount.micro <= share
    with pytest.raises(Refused) as caught:
        client.submit(circuit, shots=100, seed=1, category="training", quote=quote)
    assert (caught.value.code, caught.value.status) == ("wallet_short", 402)
    assert caught.value.fields["missing"] == quote.missing.micro
    assert f"missing    {quote.missing}" in str(caught.value)

    wallet(zone, TopUp(zone.room.now_us(), startup.project_id, startup.project_id, "CNY", 10**8))
    assert client.quota().wallet == Money(10**8)
    job = client.submit(circuit, shots=100, seed=1, category="training", quote=quote).wait(timeout=60)
    bill = job.receipt(explain=True)
    assert (bill["subsidised"] + bill["copay"], bill["price"]) == (bill["charged"], bill["charged"])
    assert bill["charged"] * 3 // 10 - 3 <= bill["subsidised"] <= bill["charged"] * 3 // 10
    assert [step["words"] for step in bill["explain"]] == bill["explanation"]
    paid = [step["amounts"] for step in bill["explain"] if step["step"] == "payer"]
    assert [(one["payer"], one["paid"], one["share_ppm"]) for one in paid] == [
        (grant_id, bill["subsidised"], 300_000),
        ("wallet", bill["copay"], 1_000_000),
    ]
    quota = client.quota()
    assert (quota.settled.micro, quota.wallet.micro) == (bill["subsidised"], 10**8 - bill["copay"])
    assert (quota.in_flight, quota.committed, quota.wallet_held) == (Money(0), Money(0), Money(0))

    wallet(zone, PayOut(zone.room.now_us(), "back", startup.project_id, "CNY", quota.wallet.micro))
    with pytest.raises(Refused) as caught:
        client.submit(circuit, shots=100, category="inference")
    assert caught.value.fields["sources"][0]["why_not_more"] == "category"
    assert "it does not pay for this workload category" in " ".join(str(caught.value).split())
    assert audit_store(zone.service.service.database).violations == []


def test_a_quote_is_kept_when_the_price_and_the_terms_change(zone: Any) -> None:
    startup = zone.startup(grant=None)
    client: Client = startup.client
    half = programme(zone, "half, then a tenth", Rule(500_000))
    grant_id = grant(zone, startup, half, 10**8)
    wallet(zone, TopUp(zone.room.now_us(), startup.project_id, startup.project_id, "CNY", 10**8))
    circuit = bell()
    before = client.quote(circuit, shots=100, backend="aer-mps")
    assert before.expires is not None
    assert timedelta(0) < before.expires - datetime.now(UTC) <= timedelta(minutes=16)

    now = zone.room.now_us()
    dear = RateLine(f"dear-{now}", "job", 50_000_000, backend="aer-mps", valid_from_us=now, created_us=now)
    write(zone, lambda conn: rate_lines.insert_lines(conn, [dear]))
    write(zone, lambda conn: terms.insert_terms(conn, Terms(half, 2, (Rule(100_000),)), now))
    after = client.quote(circuit, shots=100, backend="aer-mps")
    assert after.expected.micro > before.expected.micro + 40_000_000
    assert (before.payers[0].share, after.payers[0].share) == ("50 %", "10 %")

    kept = client.submit(circuit, shots=100, backend="aer-mps", quote=before).wait(timeout=60)
    bill = kept.receipt()
    assert kept.quote["ceiling"] == before.ceiling
    assert bill["charged"] <= before.ceiling.micro
    assert [(payer["payer"], payer["rule"]) for payer in bill["payers"]] == [
        (grant_id, f"{half}@1#1"),
        ("wallet", ""),
    ]
    with pytest.raises(Refused) as mismatch:
        client.submit(circuit, shots=101, backend="aer-mps", quote=before)
    assert mismatch.value.code == "quote_mismatch"


def test_a_quote_ends_and_is_told_so(zone: Any) -> None:
    client: Client = zone.startup().client
    circuit = bell()
    quote = client.quote(circuit, shots=10)

    def age(conn: Connection) -> None:
        conn.exec_driver_sql(f"UPDATE quotes SET expires_us = 1 WHERE id = '{quote.id}'")

    write(zone, age)
    with pytest.raises(Conflict) as caught:
        client.submit(circuit, shots=10, quote=quote)
    assert caught.value.code == "quote_expired"


def test_from_quote_to_explained_receipt_in_a_shell(zone: Any, tmp_path: Path) -> None:
    """The quote's ceiling is 96 % of the grant: the submission says that it runs out."""
    startup = zone.startup(grant=None)
    (tmp_path / "bell.qasm").write_text(
        'OPENQASM 2.0;include "qelib1.inc";qreg q[2];creg c[2];h q[0];cx q[0],q[1];measure q->c;'
    )
    ceiling = startup.client.quote(Path(tmp_path / "bell.qasm"), shots=50).ceiling.micro
    grant(zone, startup, zone.programme_id, ceiling * 100 // 96)
    kept = {word: value for word, value in os.environ.items() if not word.startswith("QUBATOR_")}
    env = {**kept, "QUBATOR_URL": zone.url, "QUBATOR_TOKEN": startup.token, "COLUMNS": "80"}

    def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "qubator.cli", *arguments],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        if "--json" not in arguments:
            assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
        return done

    quote = json.loads(shell("quote", "bell.qasm", "--shots", "50", "--json").stdout)
    assert f"--quote {quote['quote_id'][:4]}" in " ".join(shell("quote", "bell.qasm", "--shots", "50").stdout.split())
    done = shell("submit", "bell.qasm", "--shots", "50", "--quote", quote["quote_id"], "--json")
    job = json.loads(done.stdout)
    assert job["quote"] == quote["quote"]
    assert done.stderr.startswith("qubator: 95 % of the project's grants in CNY are used")
    assert [one["percent"] for one in job["warnings"]] == [95]
    shell("result", job["id"])
    told = shell("receipt", job["id"], "--explain").stdout
    assert told.startswith(" 1. ")
    assert "paid" in told
    assert "runs out" in shell("quota").stdout
