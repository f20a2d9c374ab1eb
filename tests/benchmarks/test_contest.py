"""A whole contest on three small circuits: everybody is measured, judged and told; what takes too long is stopped."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit import qasm3, qpy
from qiskit.circuit import QuantumCircuit

from benchmarks import router
from benchmarks.circuit_suite.folder import entries_of
from benchmarks.contest.child import Runner
from benchmarks.contest.contestants import AUTOMATIC, ROUTER, ROUTER_ON_AER, engines, version_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Bell pair in OpenQASM 3; a turn on three qubits and a conditional circuit in QPY."""
    folder = tmp_path_factory.mktemp("circuits")
    bell = QuantumCircuit(2, 2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure([0, 1], [0, 1])
    (folder / "bell.qasm").write_text(qasm3.dumps(bell), encoding="utf-8")
    turned = QuantumCircuit(3)
    for qubit in range(3):
        turned.rx(0.4 + qubit, qubit)
    turned.cx(0, 2)
    turned.measure_all()
    random = QuantumCircuit(2, 2)
    random.rx(1.1, 0)
    random.measure(0, 0)
    with random.if_test((random.clbits[0], 1)):
        random.x(1)
    random.measure(1, 1)
    with (folder / "two.qpy").open("wb") as file:
        qpy.dump([turned, random], file)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["router", *arguments])
    router.main()
    return capsys.readouterr().out


def test_a_folder_of_circuits_is_measured_once_and_the_router_every_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = tmp_path / "losses.txt"
    arguments = ("--circuits", str(folder), "--cache", str(tmp_path), "--limit", "20", "--losses", str(lost))
    first = run(monkeypatch, capsys, *arguments)
    figures = dict(word.split("=") for word in first.splitlines()[-1].removeprefix("figures: ").split())
    assert (figures["circuits"], figures["solved"], figures["solvable"], figures["cached"]) == ("3", "3", "3", "0")
    assert figures["automatic_solved"] == "3"
    second = run(monkeypatch, capsys, *arguments)
    measured, cached = map(int, re.findall(r"(\d+) rows measured now, (\d+) taken", second)[0])
    assert (measured, cached) == (3, 3 * (1 + len(engines())))
    assert re.search(rf"^{folder.name} +3 ", second, re.MULTILINE)
    assert lost.read_text(encoding="utf-8").startswith("3 of 3 circuits, limit 20 s\nfigures: circuits=3 ")


def test_an_unknown_family_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["router", "--circuits", str(folder), "--family", "lattice"])
    with pytest.raises(SystemExit, match=r"no family or circuit is called lattice; there are .*bell"):
        router.main()


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    warm = Runner("", (AUTOMATIC,))
    yield warm
    warm.close()


def test_what_takes_too_long_is_stopped_and_the_next_one_runs(runner: Runner) -> None:
    entries = {entry.name: entry for entry in entries_of("")}
    late = runner.run(entries["brickwork_24_12"], AUTOMATIC, 0.2)
    assert (late["status"], late["seconds"]) == ("timeout", 0.2)
    well = runner.run(entries["mqt_ghz_5"], AUTOMATIC, 20.0)
    assert (well["status"], well["bits"].shape) == ("ok", (1024, 5))
    assert 0 < well["converted_s"] < well["seconds"]


def test_what_does_not_fit_is_told(runner: Runner) -> None:
    entries = {entry.name: entry for entry in entries_of("")}
    wide = runner.run(entries["tfim_40"], AUTOMATIC, 20.0)
    assert (wide["status"], "nsufficient memory" in wide["note"]) == ("memory", True)


def test_aer_alone_is_aer_alone() -> None:
    entries = {entry.name: entry for entry in entries_of("")}
    alone = Runner("", (ROUTER_ON_AER,))
    try:
        for name in ("mqt_ghz_100", "clifford_t_10_6", "teleport_2"):
            answer = alone.run(entries[name], ROUTER_ON_AER, 30.0)
            assert answer["status"] == "ok"
            used = answer["method"].split("/")
            assert all(each.startswith(("aer", "frame", "sparse", "mps", "reductions")) for each in used), used
    finally:
        alone.close()


def test_versions_name_the_library_and_our_code() -> None:
    assert version_of("stim").startswith("1.")
    assert version_of("aer.statevector") != version_of("aer-automatic")
    assert version_of(ROUTER) != version_of("sparse")
