"""Circuits of the user's own: a folder of OpenQASM 3, OpenQASM 2 or QPY files in place of the suite."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qiskit import qasm2, qasm3, qpy
from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Entry
from benchmarks.circuit_suite.suite import suite


def entries_of(source: str) -> tuple[Entry, ...]:
    """The suite's circuits where `source` is empty, else those of the files below that folder.

    A file's family is its folder. Raises FileNotFoundError where there is no circuit.
    """
    if not source:
        return suite()
    folder = Path(source)
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".qasm", ".qasm3", ".qpy"))
    if not files:
        raise FileNotFoundError(f"no .qasm, .qasm3 or .qpy file below {folder}; CIRCUITS takes a folder of circuits")
    entries = []
    for path in files:
        for index in range(_count(path)):
            name = path.relative_to(folder).with_suffix("").as_posix().replace("/", "-") + (
                f"-{index}" if index else ""
            )
            entries.append(Entry(name, path.parent.name, partial(read, path, index)))
    return tuple(entries)


def read(path: Path, index: int = 0) -> QuantumCircuit:
    """One circuit of a file, measured at its end if nothing is measured."""
    if path.suffix == ".qpy":
        with path.open("rb") as file:
            circuit = qpy.load(file)[index]
    else:
        text = path.read_text(encoding="utf-8")
        old = "OPENQASM 2" in text[:2000]
        circuit = qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS) if old else qasm3.loads(text)
    if circuit.parameters:
        raise ValueError(
            f"{path} has open parameters ({', '.join(each.name for each in circuit.parameters)}); bind them"
        )
    if not circuit.num_clbits:
        circuit.measure_all()
    return circuit


def _count(path: Path) -> int:
    if path.suffix != ".qpy":
        return 1
    with path.open("rb") as file:
        return len(qpy.load(file))
