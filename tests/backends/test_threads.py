"""Importing the room's threads module bounds every library to one thread, unless the operator said otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = "import backends.threads, json, os; print(json.dumps(dict(os.environ)))"
ROOT = Path(__file__).resolve().parents[2]


def environment_after_import(**given: str) -> dict[str, str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=given, capture_output=True, check=True, cwd=ROOT)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_one_thread_each() -> None:
    found = environment_after_import()
    assert {name: found.get(name) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {
        "OMP_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    assert found["QISKIT_PARALLEL"] == "FALSE"


def test_the_operator_comes_first() -> None:
    found = environment_after_import(OMP_NUM_THREADS="4", QISKIT_PARALLEL="TRUE")
    assert (found["OMP_NUM_THREADS"], found["QISKIT_PARALLEL"], found["RAYON_NUM_THREADS"]) == ("4", "TRUE", "1")
