"""Programs written for other people's libraries run unchanged: each in the environment of its libraries, over HTTP."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from qubator import Client

ROOT = Path(__file__).parents[2]
ON_DEMAND = {"07_zero_noise_extrapolation": "mitiq", "08_pennylane": "pennylane"}
"""Programs in environments of their own; the others share that of Qiskit's libraries."""


def programs() -> list[object]:
    """Every program with its environment."""
    return [
        pytest.param(
            path,
            ON_DEMAND.get(path.stem, "qiskit"),
            id=path.stem,
            marks=pytest.mark.on_demand if path.stem in ON_DEMAND else pytest.mark.programs,
        )
        for path in sorted((ROOT / "examples" / "programs").glob("[0-9][0-9]_*.py"))
    ]


@pytest.mark.parametrize(("program", "environment"), programs())
def test_it_runs_unchanged_and_its_jobs_succeed(
    program: Path, environment: str, surroundings: dict[str, str], tmp_path: Path
) -> None:
    python = ROOT / ".venv-programs" / environment / "bin" / "python"
    assert python.exists(), "its libraries are not installed: run make programs, or make peers-programs"
    client = Client(surroundings["QUBATOR_URL"], surroundings["QUBATOR_TOKEN"])
    known = {job.id for job in client.jobs()}
    done = subprocess.run(
        [python, program],
        env={**surroundings, "HOME": str(tmp_path), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    states = [job.state for job in client.jobs() if job.id not in known]
    assert set(states) == {"succeeded"}


def test_every_program_is_among_them() -> None:
    found = {path.stem for path in (ROOT / "examples" / "programs").glob("*.py")}
    assert {str(param.id) for param in programs()} == found  # type: ignore[attr-defined]
    assert set(ON_DEMAND) <= found
