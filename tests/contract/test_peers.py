"""Qiskit's own tests of its primitives, run against ours over HTTP; where ours differ on purpose stands why."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNS_ALL = "ours runs dynamic circuits, which StatevectorSampler refuses"
DRAWS = "with one seed Qiskit gives every PUB the same random numbers; here each PUB draws its own"
NO_EXACT = "an exact value of a state that a reset makes random is refused here, Qiskit answers with one random draw"
LEVEL_1 = "measurement level 1 (kerneled data) is out of scope"
EXACT = "precision 0 asks for the exact value here, BackendEstimatorV2 refuses it"
NO_SHOTS = "ours evaluates the state and spends no shots, so there is no such member"
ONE_JOB = "ours sends all PUBs as one job and never calls backend.run"


@dataclass(frozen=True)
class Suite:
    """One suite: its module, how many tests it has at least, and which fail for a reason of ours, by "test" or
    "test [subtest]"."""

    module: str
    tests_min: int
    differs: dict[str, str]


SUITES = {
    "StatevectorSampler": Suite(
        "statevector_sampler",
        20,
        {"test_run_errors [with control flow]": RUNS_ALL, "test_run_numpy_params [split a list]": DRAWS},
    ),
    "StatevectorEstimator": Suite(
        "statevector_estimator", 12, {"test_precision_seed": DRAWS, "test_reset [precision=0]": NO_EXACT}
    ),
    "BackendSamplerV2 over our backend": Suite("backend_sampler_v2", 40, {"test_run_level1": LEVEL_1}),
    "BackendEstimatorV2 over our backend": Suite("backend_estimator_v2", 40, {}),
    "BackendSamplerV2": Suite("backend_sampler_v2", 40, {"test_run_level1": LEVEL_1}),
    "BackendEstimatorV2": Suite(
        "backend_estimator_v2",
        40,
        {
            "test_job_size_limit_backend_v2": ONE_JOB,
            "test_metadata": NO_SHOTS,
            "test_run_errors_1": EXACT,
            "test_run_errors_2": EXACT,
            "test_run_errors_3": EXACT,
            "test_run_errors_4": EXACT,
        },
    ),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one test or subtest."""

    test: str
    subtest: str | None
    outcome: str
    error: str

    @property
    def name(self) -> str:
        return self.test if self.subtest is None else f"{self.test} [{self.subtest}]"


def run(suite: str, peers: Path, surroundings: dict[str, str], scratch: Path) -> tuple[list[Outcome], str]:
    """Run one suite in a process of its own; gives the outcomes and what pytest said."""
    outcomes = scratch / "outcomes"
    outcomes.touch()
    module = f"test/python/primitives/test_{SUITES[suite].module}.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "peer_plugin", "-p", "no:cacheprovider", module],
        cwd=peers,
        env={**surroundings, "PYTHONPATH": str(HERE), "PEER_SUITE": suite, "PEER_OUTCOMES": str(outcomes)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return [Outcome(**json.loads(line)) for line in outcomes.read_text().splitlines()], done.stdout + done.stderr


@pytest.mark.parametrize("suite", SUITES)
def test_qiskits_own_tests_pass_against_our_classes(
    suite: str,
    peers: Path,
    surroundings: dict[str, str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    outcomes, said = run(suite, peers, surroundings, tmp_path)
    expected = SUITES[suite].differs
    failed = {one.name: one.error for one in outcomes if one.outcome == "failed"}
    tests = {one.test for one in outcomes}
    differ = {name.partition(" [")[0] for name in failed if name in expected}
    unexpected = {name: error for name, error in failed.items() if name not in expected}
    broken = {name.partition(" [")[0] for name in unexpected}
    told = f"{suite}: {len(tests - broken - differ)} passed, {len(broken)} failed, {len(differ - broken)} skipped"
    reasons = "".join(f"\n  {name}: {expected[name]}" for name in failed if name in expected)
    record_property("peers", told + reasons)
    assert len(tests) >= SUITES[suite].tests_min, said
    assert not unexpected, told + "".join(f"\n{name}: {error}" for name, error in unexpected.items())
    assert set(expected) <= set(failed), "these pass by now: take them out of the table"


def test_without_qiskits_source_it_says_what_to_do(
    fetch_peers: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(Exception, match=r"could not be fetched .* name the file in QUBATOR_PEERS_ARCHIVE"):
        fetch_peers(tmp_path / "cache")


def test_an_archive_at_hand_is_taken_and_only_its_tests(
    fetch_peers: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tmp_path / "qiskit-0"
    for name in ("test/python/test_one.py", "qiskit/__init__.py"):
        (content / name).parent.mkdir(parents=True)
        (content / name).write_text("")
    with tarfile.open(tmp_path / "qiskit-0.tar.gz", "w:gz") as archive:
        archive.add(content, "qiskit-0")
    monkeypatch.setenv("QUBATOR_PEERS_ARCHIVE", str(tmp_path / "qiskit-0.tar.gz"))
    found = fetch_peers(tmp_path / "cache")
    assert [path.name for path in found.iterdir()] == ["test"]
    monkeypatch.setenv("QUBATOR_PEERS_ARCHIVE", str(tmp_path / "none"))
    assert fetch_peers(tmp_path / "cache") == found
    with pytest.raises(Exception, match="there is no file"):
        fetch_peers(tmp_path / "other")
