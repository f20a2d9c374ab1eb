"""The work document: circuits, PUBs and a seed as JSON, made by the service, read only in child processes.

{"v": 1, "primitive": "sampler" | "estimator", "seed": int | null,
 "circuits": [{"format": "qpy" | "openqasm2" | "openqasm3", "content": text}, …],
 "pubs": [{"circuit": index into all decoded circuits in order, "parameter_values": …,
           "shots": int | "observables": …, "precision": float}, …],
 optional, for devices: "noise": false, "calibration": "YYYY-MM-DD" | "stated", "compilation", "dynamical_decoupling",
 "twirling", "resilience": objects as in `compiling.options` and `mitigation.options`}
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import orjson

from backends import observables, parameters
from backends.circuits import Circuit
from backends.circuits import decode as decode_circuits
from backends.compiling.options import CompileOptions
from backends.limits import Limits
from backends.mitigation.options import NOTHING, MitigationOptions
from backends.observables import Observables
from backends.parameters import Values
from backends.rejected import Rejected

__all__ = ["Circuit", "EstimatorPub", "Pub", "Rejected", "SamplerPub", "Work", "decode"]

Primitive = Literal["sampler", "estimator"]
SEED_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class SamplerPub:
    """One circuit to sample: `values` has shape (*shape, parameters); every parameter set runs `shots` times."""

    circuit: Circuit
    values: Values
    shape: tuple[int, ...]
    shots: int


@dataclass(frozen=True, slots=True, eq=False)
class EstimatorPub:
    """One circuit and observables, broadcast against its parameter sets to `shape`; `precision` 0 is exact."""

    circuit: Circuit
    values: Values
    observables: Observables
    shape: tuple[int, ...]
    precision: float


Pub = SamplerPub | EstimatorPub


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A decoded work document. `seed` None leaves the choice to the run.

    Of devices alone: `noise` False asks for the ideal twin; `calibration` is a day, None for the figures as stated, or
    "today"; `compilation` None leaves native circuits as they are and compiles others; `mitigation` is what to do
    against errors.
    """

    primitive: Primitive
    circuits: tuple[Circuit, ...]
    pubs: tuple[Pub, ...]
    seed: int | None
    noise: bool = True
    calibration: date | Literal["today"] | None = "today"
    compilation: CompileOptions | None = None
    mitigation: MitigationOptions = NOTHING

    @property
    def as_it_is(self) -> bool:
        """Whether a device is to take the circuits without compiling them."""
        return self.compilation is not None and self.compilation.mode == "as-is"

    @property
    def only_devices(self) -> tuple[str, ...]:
        """The options asked for that nothing but a device can honour."""
        asked = {"compilation": self.compilation is not None, **self.mitigation.asked}
        return tuple(name for name, wanted in asked.items() if wanted)


def decode(work: bytes, limits: Limits) -> Work:
    """Read a work document into circuits, bound parameter arrays and observables, all within the limits.

    Raises `Rejected` with circuit_invalid, circuit_too_large, payload_unsupported, control_flow_too_deep,
    shots_out_of_range, precision_out_of_range, parameters_unbound, parameters_shape, parameters_not_finite,
    observable_invalid, observable_width or option_invalid. Takes about 0.1 ms for a small circuit.
    """
    if len(work) > limits.work_bytes:
        detail = f"the work document has {len(work)} bytes, at most {limits.work_bytes} are taken; split the job"
        raise Rejected("circuit_too_large", detail, {"bytes": len(work), "bytes_max": limits.work_bytes})
    try:
        document = orjson.loads(work)
        version, primitive = document["v"], document["primitive"]
        sources, entries, seed = document["circuits"], document["pubs"], document.get("seed")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Rejected("circuit_invalid", f"the work document is not readable: {error}", {}) from error
    if version != 1 or primitive not in ("sampler", "estimator"):
        raise Rejected(
            "payload_unsupported", f"work version {version!r}, primitive {primitive!r} are not known here", {}
        )
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= SEED_MAX):
        raise Rejected("circuit_invalid", f"the seed must be a whole number from 0 to {SEED_MAX}, or null", {})
    circuits = _circuits(sources, limits)
    pubs = _pubs(primitive, entries, circuits, limits)
    noise, calibration = _device_options(document)
    mitigation = MitigationOptions.from_json(document)
    asked = document.get("compilation")
    compilation = None if asked is None else CompileOptions.from_json(asked)
    if mitigation:
        _check_mitigation(mitigation, pubs, noise)
    return Work(primitive, circuits, pubs, seed, noise, calibration, compilation, mitigation)


def _check_mitigation(mitigation: MitigationOptions, pubs: Sequence[Pub], noise: bool) -> None:
    """Refuse with option_invalid what has nothing to mitigate, and what the primitive cannot have."""
    option = next(name for name, wanted in mitigation.asked.items() if wanted)
    if not noise:
        detail = f"{option} is asked for and noise is false: the ideal twin has no errors; leave one of them out"
        raise Rejected("option_invalid", detail, {"option": option})
    for position, pub in enumerate(pubs):
        if isinstance(pub, SamplerPub) and mitigation.zne:
            detail = "resilience.zne_mitigation extrapolates expectation values; ask the estimator for it"
            raise Rejected("option_invalid", detail, {"option": "resilience.zne_mitigation"})
        if isinstance(pub, EstimatorPub) and not pub.precision:
            detail = f"{option} needs sampled values, PUB {position} asks for exact ones; give a precision such as 0.02"
            raise Rejected("option_invalid", detail, {"option": option, "pub": position})


def _device_options(document: Any) -> tuple[bool, date | Literal["today"] | None]:
    noise, given = document.get("noise", True), document.get("calibration")
    if not isinstance(noise, bool):
        raise Rejected("circuit_invalid", f"noise is true or false, not {noise!r}", {})
    if given is None:
        return noise, "today"
    if given == "stated":
        return noise, None
    try:
        return noise, date.fromisoformat(given)
    except (TypeError, ValueError) as error:
        detail = f'calibration is a day such as 2026-11-20, or "stated", not {str(given)[:40]!r}'
        raise Rejected("circuit_invalid", detail, {}) from error


def _circuits(sources: Any, limits: Limits) -> tuple[Circuit, ...]:
    if not isinstance(sources, list):
        raise Rejected("circuit_invalid", "the circuits of a work document must be a list", {})
    circuits: list[Circuit] = []
    for position, source in enumerate(sources):
        if not isinstance(source, dict) or not isinstance(source.get("content"), str):
            raise Rejected(
                "circuit_invalid", f"circuit {position} must be an object with format and content as text", {}
            )
        circuits.extend(decode_circuits(str(source.get("format")), source["content"], limits, f"circuit {position}"))
        if len(circuits) > limits.circuits:
            detail = f"the work has more than {limits.circuits} circuits; split the job"
            raise Rejected("circuit_too_large", detail, {"circuits_max": limits.circuits})
    return tuple(circuits)


def _pubs(primitive: Primitive, entries: Any, circuits: tuple[Circuit, ...], limits: Limits) -> tuple[Pub, ...]:
    if not isinstance(entries, list):
        raise Rejected("circuit_invalid", "the pubs of a work document must be a list", {})
    if len(entries) > limits.pubs:
        detail = f"the work has {len(entries)} PUBs, at most {limits.pubs} are taken; split the job"
        raise Rejected("circuit_too_large", detail, {"pubs": len(entries), "pubs_max": limits.pubs})
    read = _sampler_pub if primitive == "sampler" else _estimator_pub
    pubs: list[Pub] = []
    numbers = sets = terms = 0
    for position, entry in enumerate(entries):
        where = f"PUB {position}"
        index = entry.get("circuit") if isinstance(entry, dict) else None
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(circuits):
            detail = f"{where} names circuit {index!r}, and there are {len(circuits)}, counted from 0"
            raise Rejected("circuit_invalid", detail, {"circuits": len(circuits)})
        circuit = circuits[index]
        values = parameters.bind(entry.get("parameter_values"), _parameters_of(circuit), limits, where)
        pub = read(entry, circuit, values, limits, where)
        pubs.append(pub)
        numbers += values.size
        sets += math.prod(values.shape[:-1])
        terms += pub.observables.terms if isinstance(pub, EstimatorPub) else 0
        _bound("parameter numbers", numbers, limits.parameter_numbers)
        _bound("parameter sets", sets, limits.executions)
        _bound("Pauli terms", terms, limits.observable_terms)
    return tuple(pubs)


def _parameters_of(circuit: Circuit) -> Any:
    """The circuit's parameters in their order, looked up once for each circuit."""
    if "parameters" not in circuit.notes:
        circuit.notes["parameters"] = tuple(circuit.circuit.parameters)
    return circuit.notes["parameters"]


def _sampler_pub(entry: Any, circuit: Circuit, values: Values, limits: Limits, where: str) -> SamplerPub:
    shots = entry.get("shots")
    if not isinstance(shots, int) or isinstance(shots, bool) or not 1 <= shots <= limits.shots:
        detail = f"{where} asks for {shots!r} shots; give a whole number from 1 to {limits.shots}"
        given = shots if isinstance(shots, int) else str(shots)
        raise Rejected("shots_out_of_range", detail, {"shots": given, "shots_max": limits.shots})
    return SamplerPub(circuit, values, values.shape[:-1], shots)


def _estimator_pub(entry: Any, circuit: Circuit, values: Values, limits: Limits, where: str) -> EstimatorPub:
    precision = entry.get("precision", 0.0)
    if not isinstance(precision, int | float) or isinstance(precision, bool) or not 0 <= precision < math.inf:
        detail = f"{where} asks for precision {precision!r}; give a number, 0 for the exact value"
        raise Rejected("precision_out_of_range", detail, {"precision_min": limits.precision_min})
    if 0 < precision < limits.precision_min:
        detail = (
            f"{where} asks for precision {precision:g}; give 0 for the exact value or at least {limits.precision_min:g}"
        )
        fields = {"precision": float(precision), "precision_min": limits.precision_min}
        raise Rejected("precision_out_of_range", detail, fields)
    if entry.get("observables") is None:
        raise Rejected("observable_invalid", f"{where} has no observables; an estimator PUB needs at least one", {})
    gathered = observables.read(entry["observables"], circuit.circuit.num_qubits, limits, where)
    try:
        shape = np.broadcast_shapes(values.shape[:-1], gathered.shape)
    except ValueError as error:
        detail = (
            f"{where} has observables of shape {list(gathered.shape)} and parameter sets of shape "
            f"{list(values.shape[:-1])}, which do not broadcast; make trailing axes equal or 1"
        )
        raise Rejected("parameters_shape", detail, {}) from error
    return EstimatorPub(circuit, values, gathered, shape, float(precision))


def _bound(name: str, found: int, bound: int) -> None:
    if found > bound:
        detail = f"the work has {found} {name}, at most {bound} are taken; split the job"
        raise Rejected("circuit_too_large", detail, {name.replace(" ", "_").lower(): found, "max": bound})
