"""The ways to run a circuit that are compared: Aer as its users call it, the router as a worker calls it, each engine.

Each takes a Qiskit circuit as decoded and gives outcomes; all that lies between is its own expense, but for putting the
outcomes into one form for the judges (`Drawn.bits`).
"""

from __future__ import annotations

import base64
import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Bits
from benchmarks.circuit_suite.folder import entries_of
from benchmarks.contest.child import MEMORY_BYTES

__all__ = ["contestant", "engines", "entries_of", "forced", "on_aer", "routed", "small", "version_of"]

ROUTER = "router"
ROUTER_ON_AER = "router-aer-only"
AUTOMATIC = "aer-automatic"
AUTOMATIC_MPS = "aer-mps"
PLAIN = "plain "
"""Before an engine's name: without reductions, for judging only."""
_BACKENDS = Path(__file__).resolve().parents[2] / "backends"
_EXTRAS = ("mqt.core", "prism_q", "qulacs", "stim")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """How to get at the outcomes, and what the contestant says about them.

    `converted_s` is the part of the time that went into Qiskit's transpiler.
    """

    bits: Callable[[], Bits]
    fidelity: float
    method: str
    converted_s: float = 0.0
    note: str = ""


Contestant = Callable[[QuantumCircuit, int, int], Drawn]


def contestant(name: str) -> Contestant:
    """By name: one of the above, or that of an installed engine."""
    if name == AUTOMATIC:
        return lambda circuit, shots, seed: on_aer(circuit, "automatic", shots, seed)
    if name == AUTOMATIC_MPS:
        return lambda circuit, shots, seed: on_aer(circuit, "matrix_product_state", shots, seed)
    if name == ROUTER:
        return routed
    if name == ROUTER_ON_AER:
        forget_extras()
        return routed
    if name.startswith(PLAIN):
        return lambda circuit, shots, seed: forced(name.removeprefix(PLAIN), circuit, shots, seed, plain=True)
    return lambda circuit, shots, seed: forced(name, circuit, shots, seed)


def engines() -> tuple[str, ...]:
    """The installed engines by name."""
    from backends.engines.roster import installed

    return tuple(installed())


@cache
def version_of(name: str) -> str:
    """What a row was measured with: the library's release, and for our own code its contents."""
    import qiskit
    import qiskit_aer

    from backends.engines.roster import installed

    if name in (AUTOMATIC, AUTOMATIC_MPS):
        return f"{qiskit_aer.__version__}, qiskit {qiskit.__version__}"
    bare = name.removeprefix(PLAIN)
    if bare in installed():
        engine = installed()[bare]
        file = sys.modules[type(engine).__module__].__file__
        assert file is not None
        return f"{engine.version}+{_contents(Path(file))}"
    return _contents(_BACKENDS)


def _contents(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


@cache
def _simulator(method: str) -> tuple[Any, list[str]]:
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=method, max_parallel_threads=1, max_memory_mb=MEMORY_BYTES >> 20)
    return simulator, sorted(set(simulator.target.operation_names) & get_standard_gate_name_mapping().keys())


def on_aer(circuit: QuantumCircuit, method: str, shots: int, seed: int) -> Drawn:
    """Aer as its careful users call it: transpiled to its gates without optimisation, run, the outcomes read."""
    from qiskit import transpile

    simulator, basis = _simulator(method)
    began_s = time.process_time()
    # Against its target it would refuse more than 30 qubits before looking at them, and take ten times as long.
    ready = transpile(circuit, basis_gates=basis, optimization_level=0)
    converted_s = time.process_time() - began_s
    result = simulator.run(ready, shots=shots, seed_simulator=seed, memory=True).result()
    if not result.success:
        reason = " ".join(str(each.status) for each in result.results) or str(result.status)
        raise RuntimeError(reason)
    memory = result.get_memory()

    def bits() -> Bits:
        text = "".join(memory).replace(" ", "").encode()
        return np.frombuffer(text, dtype=np.uint8).reshape(shots, -1)[:, ::-1] - 48

    return Drawn(bits, 1.0, str(result.results[0].metadata.get("method", method)), converted_s)


def forced(name: str, circuit: QuantumCircuit, shots: int, seed: int, *, plain: bool = False) -> Drawn:
    """One engine for all that the reductions leave, without a clock; nothing is known of it beforehand."""
    from backends.engines.port import Budget, Unsuited
    from backends.engines.roster import installed
    from backends.engines.traits import traits_of
    from backends.program import Program, Unflat
    from backends.programming import program_of
    from backends.reductions import join, reduce
    from backends.reductions.ordering import line_order, reordered

    program = program_of(circuit)
    if isinstance(program, Unflat):
        raise Unsuited(program.reason)
    engine = installed()[name]

    def sampled(part: Program, number: int) -> Any:
        if (obstacle := engine.obstacle(traits_of(part))) is not None:
            raise Unsuited(obstacle)
        if not plain and name in ("mps", "prismq.mps", "aer.matrix_product_state"):
            part = reordered(part, line_order(part))
        return engine.sample(part, shots, seed + number, Budget(MEMORY_BYTES))

    if plain:
        found = sampled(program, 0)
        return Drawn(lambda: found.bits, found.how.fidelity, found.how.method)
    reduced = reduce(program)
    parts = [sampled(part.program, number) for number, part in enumerate(reduced.parts)]
    bits = join(reduced, [part.bits for part in parts], shots)
    fidelity = (1 - reduced.error) * float(np.prod([part.how.fidelity for part in parts]))
    return Drawn(lambda: bits, fidelity, "/".join(sorted({part.how.method for part in parts})) or "reductions")


def routed(circuit: QuantumCircuit, shots: int, seed: int) -> Drawn:
    """The backend `ideal` as a worker's child calls it, on work that has just been decoded."""
    from backends import run
    from backends.limits import Limits
    from backends.work import Circuit, SamplerPub, Work

    decoded = Circuit(circuit, seed.to_bytes(8, "big"))
    pub = SamplerPub(decoded, np.zeros(0), (), shots)
    result = run.backend_of("ideal").run(Work("sampler", (decoded,), (pub,), seed), Limits()).result
    document = orjson.loads(result)
    (answer,) = document["pubs"]
    hows = answer["metadata"].get("engines", ())
    fidelity = float(np.prod([how["fidelity_at_least"] for how in hows]))
    fidelity *= 1 - answer["metadata"].get("error_bound", 0.0)
    names = [how["engine"] for how in hows] if "engines" in answer["metadata"] else [document["metadata"]["engine"]]
    note = "; ".join(answer["metadata"].get("tried_before", ()))
    return Drawn(lambda: _bits_of(answer, circuit), fidelity, "/".join(sorted(set(names))) or "reductions", 0.0, note)


def _bits_of(answer: dict[str, Any], circuit: QuantumCircuit) -> Bits:
    """A sampled PUB's registers as the circuit's classical bits."""
    from backends.registers import registers_of

    shots = int(answer["metadata"]["shots"])
    bits = np.zeros((shots, circuit.num_clbits), dtype=np.uint8)
    for register in registers_of(circuit):
        array = answer["registers"][register.name]["array"]
        raw = np.frombuffer(base64.b64decode(array["base64"]), dtype=np.uint8).reshape(shots, register.bytes)
        unpacked = np.unpackbits(raw[:, ::-1], axis=1, bitorder="little", count=len(register.slots))
        bits[:, list(register.slots)] = unpacked
    return bits


def forget_extras() -> None:
    """From here on this process has Aer and our own engines only, as if nothing else were installed."""
    from backends.engines import roster

    for name in _EXTRAS:
        sys.modules[name] = None  # type: ignore[assignment] # how Python is told that there is no such module
    roster.installed.cache_clear()


def small() -> tuple[QuantumCircuit, ...]:
    """Circuits to warm up with: they take every path once that has something to set up."""
    plain = QuantumCircuit(3)
    plain.h(0)
    plain.cx(0, 1)
    plain.rx(0.3, 2)
    plain.ccx(0, 1, 2)
    plain.measure_all()
    dynamic = QuantumCircuit(2, 2)
    dynamic.h(0)
    dynamic.measure(0, 0)
    with dynamic.if_test((dynamic.clbits[0], 1)):
        dynamic.x(1)
    dynamic.measure(1, 1)
    return plain, dynamic
