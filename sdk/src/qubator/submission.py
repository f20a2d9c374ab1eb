"""From what people write (circuits, PUBs, OpenQASM, QPY, files) to the body of a job request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Literal

from qubator import qpy_bytes
from qubator.circuits import CircuitText, as_circuit_text, circuits_of, is_native, is_native_pub
from qubator.device_options import (
    GROUPS,
    CompilationOptions,
    DynamicalDecouplingOptions,
    ResilienceOptions,
    TwirlingOptions,
    asked,
)
from qubator.money import Money
from qubator.quotes import Quote
from qubator.values import (
    encode_array,
    encode_bindings,
    encode_observables,
    encode_plain_observables,
    looks_like_observables,
)

Primitive = Literal["sampler", "estimator"]
DEFAULT_SHOTS = 1024
GENERAL = "general"
"""The workload category of a job that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTerms:
    """Everything about a job but its circuits. `max_cost` in micro-yuan (or Money), `time_limit_s` in seconds;
    `shots` and `precision` hold for PUBs that name none; `project` is for operators only; `quote` is one that was given
    for just this job, or its id. On devices: `noise` False asks for the ideal twin, `calibration` for the figures of a
    day ("2026-11-20") or "stated"."""

    primitive: Primitive | None = None
    shots: int | None = None
    precision: float | None = None
    seed: int | None = None
    backend: str = "auto"
    priority: int = 0
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    time_limit_s: float | None = None
    max_cost: int | Money | None = None
    project: str | None = None
    category: str = GENERAL
    quote: str | Quote | None = None
    noise: bool = True
    calibration: str | None = None
    compilation: CompilationOptions | Mapping[str, Any] | None = None
    dynamical_decoupling: DynamicalDecouplingOptions | Mapping[str, Any] | None = None
    twirling: TwirlingOptions | Mapping[str, Any] | None = None
    resilience: ResilienceOptions | Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Submission(JobTerms):
    """One job for `Client.submit_many`: `Submission(circuit, shots=100, name="bell")`."""

    pubs: Any

    def to_json(self, *, qpy_version: int | None = None) -> dict[str, Any]:
        """The request body. Raises TypeError or ValueError for what can't be a job, as Qiskit's own primitives do."""
        pubs = pubs_of(self.pubs)
        primitive = self.primitive or _primitive_of(pubs, self)
        check_shots(self.shots)
        check_precision(self.precision)
        return request_body(encode_pubs(pubs, primitive, self, qpy_version), primitive, self)


@dataclass(frozen=True, slots=True)
class EncodedPubs:
    """The two wire lists of a job: its circuits, and its PUBs that name circuits by their place."""

    circuits: list[dict[str, Any]]
    pubs: list[dict[str, Any]]


def request_body(encoded: EncodedPubs, primitive: Primitive, terms: JobTerms) -> dict[str, Any]:
    """The JSON body of POST /v1/jobs; terms left at their defaults are left out."""
    options: dict[str, Any] = {}
    if primitive == "sampler":
        options["shots"] = DEFAULT_SHOTS if terms.shots is None else int(terms.shots)
    elif terms.precision is not None:
        options["precision"] = float(terms.precision)
    if terms.seed is not None:
        options["seed"] = int(terms.seed)
    if not terms.noise:
        options["noise"] = False
    if terms.calibration is not None:
        options["calibration"] = terms.calibration
    for group in GROUPS:
        if told := asked(getattr(terms, group)):
            options[group] = told
    max_cost = terms.max_cost.micro if isinstance(terms.max_cost, Money) else terms.max_cost
    named: dict[str, Any] = {
        "backend": terms.backend,
        "priority": terms.priority,
        "name": terms.name,
        "tags": list(terms.tags),
        "metadata": dict(terms.metadata),
        "time_limit_s": terms.time_limit_s,
        "max_cost": max_cost,
        "project_id": terms.project,
        "category": None if terms.category == GENERAL else terms.category,
        "quote_id": terms.quote.id if isinstance(terms.quote, Quote) else terms.quote,
    }
    told_terms = {word: value for word, value in named.items() if value is not None and value not in ([], {})}
    body = {"primitive": primitive, "circuits": encoded.circuits, "pubs": encoded.pubs, "options": options}
    return body | told_terms


def pubs_of(circuit_or_pubs: Any) -> list[Any]:
    """The PUBs in what was given: one for a circuit or a tuple, one each for the members of any other iterable."""
    if is_native(circuit_or_pubs) or is_native_pub(circuit_or_pubs) or isinstance(circuit_or_pubs, tuple):
        return [circuit_or_pubs]
    text = as_circuit_text(circuit_or_pubs)
    if text is not None:
        return [text]
    if not isinstance(circuit_or_pubs, Iterable):
        raise TypeError(
            f"{type(circuit_or_pubs).__name__} is not a circuit: give a QuantumCircuit, a PUB tuple, OpenQASM text, "
            "QPY bytes, a Path, or a list of them"
        )
    pubs = list(circuit_or_pubs)
    if not pubs:
        raise ValueError("there is no circuit to submit")
    return pubs


def encode_pubs(
    pubs: Iterable[Any], primitive: Primitive, terms: JobTerms, qpy_version: int | None = None
) -> EncodedPubs:
    """The wire lists for `pubs`: all distinct QuantumCircuits in one QPY file first, then texts in order."""
    native: dict[int, tuple[int, Any]] = {}
    texts: dict[CircuitText, int] = {}
    rows: list[tuple[Any, dict[str, Any]]] = []
    text_count = 0
    for pub in pubs:
        text = as_circuit_text(pub[0] if isinstance(pub, tuple | list) and pub else pub)
        if text is None:
            coerced = _coerced(pub, primitive, terms)
            native.setdefault(id(coerced.circuit), (len(native), coerced.circuit))
            rows.append((coerced.circuit, native_row(coerced, primitive)))
            continue
        if text not in texts:
            texts[text] = text_count
            text_count += text.count
        rows += [((text, offset), _text_row(pub, primitive)) for offset in range(text.count)]
    circuits = []
    if native:
        content = qpy_bytes.dump([circuit for _, circuit in native.values()], qpy_version)
        circuits.append({"format": "qpy", "content": qpy_bytes.packed(content)})
    circuits += circuits_of(texts)
    wire = []
    for place, row in rows:
        by_text = isinstance(place, tuple)
        wire.append({"circuit": len(native) + texts[place[0]] + place[1] if by_text else native[id(place)][0], **row})
    return EncodedPubs(circuits, wire)


def native_row(pub: Any, primitive: Primitive) -> dict[str, Any]:
    """The wire members of a coerced SamplerPub or EstimatorPub, without its circuit."""
    row: dict[str, Any] = {}
    values = pub.parameter_values
    if values.num_parameters or values.shape:
        row["parameter_values"] = encode_array(values.as_array(pub.circuit.parameters))
    if primitive == "estimator":
        row["observables"] = encode_observables(pub.observables)
        if pub.precision is not None:
            row["precision"] = float(pub.precision)
    elif pub.shots is not None:
        row["shots"] = int(pub.shots)
    return row


def _text_row(pub: Any, primitive: Primitive) -> dict[str, Any]:
    parts = list(pub) if isinstance(pub, tuple | list) else [pub]
    longest = 4 if primitive == "estimator" else 3
    if len(parts) > longest:
        raise ValueError(f"a PUB of {primitive} has at most {longest} parts, not {len(parts)}")
    parts += [None] * (longest - len(parts))
    row: dict[str, Any] = {}
    if primitive == "estimator":
        if parts[1] is None:
            raise ValueError("an estimator PUB needs observables: (circuit, observables, …)")
        row["observables"] = encode_plain_observables(parts[1])
    values = encode_bindings(parts[longest - 2])
    if values is not None:
        row["parameter_values"] = values
    last = parts[longest - 1]
    if primitive == "estimator":
        check_precision(last)
        return row if last is None else {**row, "precision": float(last)}
    check_shots(last)
    return row if last is None else {**row, "shots": int(last)}


def _coerced(pub: Any, primitive: Primitive, terms: JobTerms) -> Any:
    if primitive == "sampler":
        from qiskit.primitives.containers.sampler_pub import SamplerPub

        return SamplerPub.coerce(pub, terms.shots)
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    return EstimatorPub.coerce(pub, terms.precision)


def _primitive_of(pubs: Sequence[Any], terms: JobTerms) -> Primitive:
    if terms.precision is not None:
        return "estimator"
    for pub in pubs:
        if type(pub).__name__ == "EstimatorPub":
            return "estimator"
        if isinstance(pub, tuple | list) and len(pub) > 1 and looks_like_observables(pub[1]):
            return "estimator"
    return "sampler"


def check_shots(shots: object) -> None:
    """Raises TypeError unless `shots` is None or a whole number, ValueError unless positive (as Qiskit does)."""
    if shots is None:
        return
    if not isinstance(shots, Integral) or isinstance(shots, bool):
        raise TypeError("shots must be an integer")
    if shots <= 0:
        raise ValueError("shots must be positive")


def check_precision(precision: object) -> None:
    """Raises TypeError unless `precision` is None or a real number, ValueError when negative (as Qiskit does)."""
    if precision is None:
        return
    if not isinstance(precision, Real):
        raise TypeError(f"precision must be a real number, not {type(precision)}.")
    if precision < 0:
        raise ValueError("precision must be non-negative")
