"""The borders between the rooms: kept by today's imports, and each seen to stop an import that crosses it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "pyproject.toml"
ROOMS = ("api", "backends", "dispatcher", "ledger", "scheduler", "service", "simulation", "store", "workers")
ENGINES = ("qiskit", "qiskit_aer", "qiskit_qasm3_import")

# contract -> a module and the line that breaks that contract
CROSSINGS = [
    ("layers", "store/a.py", "import dispatcher"),
    ("layers", "simulation/a.py", "import api"),
    ("layers", "workers/a.py", "import store"),
    ("layers", "backends/a.py", "def later():\n    import workers"),
    ("cores", "scheduler/a.py", "import ledger"),
    ("cores", "ledger/a.py", "import scheduler"),
    ("database", "dispatcher/a.py", "from sqlalchemy import Connection"),
    ("database", "workers/a.py", "import sqlite3"),
    ("face", "api/a.py", "import backends"),
    ("face", "api/a.py", "import workers"),
    ("engines", "service/a.py", "import qiskit"),
    ("engines", "dispatcher/a.py", "from qiskit_aer import AerSimulator"),
    ("client", "qubator/a.py", "import ledger"),
    ("client-unknown", "service/a.py", "import qubator"),
]


def _lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo", "--config", str(CONFIG)]
    return subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)


def _empty_house(folder: Path) -> None:
    for room in (*ROOMS, "qubator"):
        (folder / room).mkdir()
        (folder / room / "__init__.py").touch()


def test_every_border_is_kept() -> None:
    answer = _lint(ROOT)
    assert answer.returncode == 0, answer.stdout


def test_an_empty_house_breaks_nothing(tmp_path: Path) -> None:
    _empty_house(tmp_path)
    assert _lint(tmp_path).returncode == 0


@pytest.mark.parametrize(("contract", "module", "line"), CROSSINGS)
def test_each_border_stops_who_crosses_it(tmp_path: Path, contract: str, module: str, line: str) -> None:
    _empty_house(tmp_path)
    (tmp_path / module).write_text(line, encoding="utf-8")
    answer = _lint(tmp_path, "--contract", contract)
    assert answer.returncode == 1, answer.stdout
    assert f"{module.partition('/')[0]}.a -> " in answer.stdout


def test_an_engine_is_found_behind_other_modules(tmp_path: Path) -> None:
    _empty_house(tmp_path)
    (tmp_path / "service/a.py").write_text("import workers.b", encoding="utf-8")
    (tmp_path / "workers/b.py").write_text("import qiskit", encoding="utf-8")
    assert _lint(tmp_path, "--contract", "engines").returncode == 1


def test_every_contract_has_been_seen_to_fail() -> None:
    contracts = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {contract for contract, *_ in CROSSINGS}


IMPORT_THE_SERVICE = f"""
import importlib, pkgutil, sys
for room in ("api", "dispatcher", "ledger", "scheduler", "service", "simulation", "store"):
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(*sorted(set(sys.modules) & set({(*ENGINES, "numpy")!r})))
"""


def test_the_whole_service_loads_no_engine() -> None:
    """What the import linter can't see (imports by name) shows when everything is really imported."""
    answer = subprocess.run([sys.executable, "-c", IMPORT_THE_SERVICE], cwd=ROOT, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout.strip()) == (0, ""), answer.stderr
