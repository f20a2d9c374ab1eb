"""Judges rows: by what is known, by exact probabilities, by an affine space, or by engines that are independent."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson

from backends.engines.traits import traits_of
from backends.program import Program
from backends.programming import program_of
from benchmarks.circuit_suite.entry import Bits, Entry
from benchmarks.circuit_suite.exact import DENSE_QUBITS, exact_of
from benchmarks.circuit_suite.judging import Exact, Verdict, by_affine_hull, by_law, by_peer, by_probabilities
from benchmarks.contest.contestants import AUTOMATIC, AUTOMATIC_MPS, PLAIN, ROUTER, ROUTER_ON_AER
from benchmarks.contest.rows import Row, Rows

FIDELITY_MIN = 0.99
NOBODY = "nothing to judge it by: no other engine has an answer"
_AFFINE_SHOTS = 8192
_SMALL_QUBITS = 16


class Judge:
    """Remembers exact distributions and verdicts in the folder of the rows."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._folder = rows.folder / "exact"
        self._folder.mkdir(exist_ok=True)
        self._path = rows.folder / "verdicts.jsonl"
        self._known: dict[str, Verdict] = {}
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                kept = orjson.loads(line)
                self._known[kept["key"]] = Verdict(kept["passed"], kept["means"], kept["finding"])

    def verdict(self, entry: Entry, row: Row, others: Sequence[Row]) -> Verdict:
        """Of one row that gave outcomes; `others` are all rows of the circuit. Failed where nothing can tell."""
        key = repr((*row.key, row.seconds))
        if key in self._known:
            return self._known[key]
        verdict = self._own(entry, row)
        peers = None
        if verdict is None or (verdict.passed and verdict.means == "affine" and "stim" in libraries(row)):
            # The affine space was spanned by Stim itself: another library has to agree, where there is one.
            peers = self._by_peers(row, others)
        if verdict is None or (peers is not None and not peers.passed):
            verdict = peers
        if verdict is None:
            return Verdict(False, "none", NOBODY)
        if not verdict.means.startswith("peer"):  # peers may still come
            self._known[key] = verdict
            line = {"key": key, "passed": verdict.passed, "means": verdict.means, "finding": verdict.finding}
            with self._path.open("ab") as file:
                file.write(orjson.dumps(line) + b"\n")
        return verdict

    def _own(self, entry: Entry, row: Row) -> Verdict | None:
        bits = self.rows.bits(row)
        if entry.known is not None:
            return by_law(bits, entry.known)
        reference = self._reference(entry, row.digest)
        if isinstance(reference, Exact):
            return by_probabilities(bits, reference)
        return None if reference is None else by_affine_hull(bits, reference)

    def _reference(self, entry: Entry, digest: str) -> Exact | Bits | None:
        path = self._folder / f"{entry.name}-{digest}.npz"
        if not path.exists():
            circuit = entry.make()
            if circuit.num_qubits <= _SMALL_QUBITS:
                _prepare(entry, path)
            else:  # in a process of its own: a dense state's memory is given back with it
                process = multiprocessing.get_context("spawn").Process(target=_prepare, args=(entry, path))
                process.start()
                process.join()
                if process.exitcode:
                    raise RuntimeError(f"nobody could work out what {entry.name} should give")
        with np.load(path) as kept:
            match str(kept["kind"]):
                case "exact":
                    return Exact(tuple(kept["columns"].tolist()), kept["probabilities"])
                case "affine":
                    bits: Bits = kept["bits"]
                    return bits
                case _:
                    return None

    def _by_peers(self, row: Row, others: Sequence[Row]) -> Verdict | None:
        """Passed where most independent engines agree. Those that share no reductions with the row count alone if
        there are any: with the reductions they would share their mistakes.
        """
        peers = [
            other
            for other in others
            if other.status == "ok"
            and other.fidelity >= FIDELITY_MIN
            and other.contestant != row.contestant
            and libraries(other).isdisjoint(libraries(row))
        ]
        apart = [peer for peer in peers if not (_reduces(peer) and _reduces(row))]
        means = "peer" if apart else "peer, reduced alike"
        peers = apart or peers
        if not peers:
            return None
        bits = self.rows.bits(row)
        verdicts = [by_peer(bits, self.rows.bits(peer)) for peer in peers]
        agreeing = sum(verdict.passed for verdict in verdicts)
        findings = [
            f"{peer.contestant}: {verdict.finding}"
            for peer, verdict in zip(peers, verdicts, strict=True)
            if not verdict.passed
        ]
        return Verdict(2 * agreeing > len(peers), means, "; ".join(findings))


def _reduces(row: Row) -> bool:
    return row.contestant not in (AUTOMATIC, AUTOMATIC_MPS) and not row.contestant.startswith(PLAIN)


def libraries(row: Row) -> frozenset[str]:
    """What two engines must not share to be independent: the library, and in Aer the method."""
    if row.contestant in (ROUTER, ROUTER_ON_AER):
        names = row.method.split("/")
    elif row.contestant in (AUTOMATIC, AUTOMATIC_MPS):
        names = [f"aer.{row.method}"]
    else:
        names = [row.contestant.removeprefix(PLAIN)]
    return frozenset(name if name.startswith("aer") else name.partition(".")[0] for name in names)


def _prepare(entry: Entry, path: Path) -> None:
    """Work out what the circuit's outcomes can be judged by, and keep it."""
    circuit = entry.make()
    program = program_of(circuit)
    if not isinstance(program, Program):
        np.savez(path, kind="none")
        return
    traits = traits_of(program)
    affine = traits.clifford and not traits.conditional and "initialize" not in traits.names
    if affine and program.qubits > 10:
        from backends.engines.on_stim import OnStim
        from backends.engines.port import Budget

        bits = OnStim().sample(program, _AFFINE_SHOTS, 77, Budget()).bits
        np.savez_compressed(path, kind="affine", bits=bits)
        return
    found = None
    if program.qubits <= DENSE_QUBITS:
        found = exact_of(circuit, program)
    if found is None:
        np.savez(path, kind="none")
    else:
        np.savez(path, kind="exact", columns=np.array(found.columns), probabilities=found.probabilities)
