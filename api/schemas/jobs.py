"""Requests for jobs: circuits, PUBs, options; one job or a batch of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from api.schemas import fields
from api.schemas.fields import Asked, Metadata, Name, Observables, ParameterValues
from ledger.model import MOST_MICRO

BELL_QASM = (
    'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg meas[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> meas;\n'
)
ANSATZ_QASM = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] theta;\nqubit[2] q;\nry(theta) q[0];\ncx q[0], q[1];\n'
)
SAMPLER_EXAMPLE: dict[str, Any] = {
    "primitive": "sampler",
    "pubs": [{"circuit": {"format": "openqasm2", "content": BELL_QASM}, "shots": 1024}],
    "options": {"seed": 7},
    "backend": "auto",
    "name": "Bell pair",
    "tags": ["demo"],
}
ESTIMATOR_EXAMPLE: dict[str, Any] = {
    "primitive": "estimator",
    "circuits": [{"format": "openqasm3", "content": ANSATZ_QASM}],
    "pubs": [
        {"circuit": 0, "parameter_values": [[0.0], [0.5], [1.0]], "observables": ["ZZ"], "precision": 0.0},
        {"circuit": 0, "parameter_values": {"theta": 0.3}, "observables": [{"XX": 0.5, "ZI": 1.0}]},
    ],
    "backend": "aer",
    "max_cost": 2_000_000,
}


class Circuit(Asked):
    """A circuit as text, or a QPY file in base64 (version 13 or newer, compressed or not)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"format": "openqasm2", "content": BELL_QASM}]}, str_min_length=1
    )

    format: Literal["qpy", "openqasm2", "openqasm3"]
    content: str


def _circuit_kind(given: object) -> str | None:
    if type(given) is int:
        return "index"
    return "circuit" if isinstance(given, (dict, Circuit)) else None


CircuitOrIndex = Annotated[
    Annotated[int, Tag("index")] | Annotated[Circuit, Tag("circuit")],
    Discriminator(
        _circuit_kind,
        custom_error_type="circuit_or_index",
        custom_error_message="must be a circuit {format, content} or the index of one in `circuits`",
    ),
]


class Pub(Asked):
    """One primitive unified bloc: a circuit, its parameter values, and what to do with it.

    `shots` belongs to the sampler, `observables` and `precision` to the estimator.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"circuit": 0, "shots": 1024}]})

    circuit: CircuitOrIndex
    parameter_values: ParameterValues = None
    shots: int | None = None
    observables: Observables = None
    precision: float | None = None


class _OfDevices(Asked):
    """Options of a device: null is what is left out."""


class Compilation(_OfDevices):
    """How a circuit is compiled for a device; left out, native circuits run as they are and others are compiled."""

    mode: Literal["single", "portfolio", "as-is"] | None = Field(
        default=None,
        description="One run of Qiskit (default), the best of several compilers, or not at all: it is checked.",
    )
    optimization_level: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None, description="Of a single run; default 2."
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(default=None, description="Default 0.")
    initial_layout: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=10_000)] | None = Field(
        default=None, description="Where each qubit of the circuit begins, as qubits of the device."
    )
    budget_ms: Annotated[int, Field(ge=0, le=60_000)] | None = Field(
        default=None, description="Of a portfolio: expected time of all runs; default 3000."
    )


class DynamicalDecoupling(_OfDevices):
    """Pulses while qubits wait."""

    enable: bool | None = None
    sequence_type: Literal["XX", "XY4"] | None = None


class Twirling(_OfDevices):
    """Random Paulis around two-qubit gates, in so many copies of the circuit."""

    enable_gates: bool | None = None
    num_randomizations: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] | None = None


class Zne(_OfDevices):
    """Extrapolation to zero noise."""

    noise_factors: Annotated[list[float], Field(min_length=2, max_length=8)] | None = None
    extrapolator: Literal["linear", "exponential", "richardson"] | None = None


class Resilience(_OfDevices):
    """Correction of readout errors (values, and distributions of samples), and of values by extrapolation."""

    measure_mitigation: bool | None = None
    zne_mitigation: bool | None = None
    zne: Zne | None = None


class Options(Asked):
    """What holds for every PUB that does not say otherwise. The sampler reads shots, the estimator precision."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"shots": 1024, "precision": 0.0, "seed": 7}]})

    shots: int | None = Field(default=None, description="Default 1024.")
    precision: float | None = Field(
        default=None, description="Standard error aimed at; default 0.0, which means exact."
    )
    seed: Annotated[int, Field(ge=0, le=fields.INTEGER_MAX)] | None = Field(
        default=None,
        description="The same seed gives the same result, bit for bit; null draws one and tells it in the result.",
    )
    noise: bool = Field(default=True, description="On a device: false runs the same compiled circuit without noise.")
    calibration: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2}|stated)$")] | None = Field(
        default=None, description="On a device: the day whose figures hold, or `stated`; null: the day of the run."
    )
    compilation: Compilation | None = Field(default=None, description="On a device: how circuits are compiled.")
    dynamical_decoupling: DynamicalDecoupling | None = Field(default=None, description="On a device.")
    twirling: Twirling | None = Field(default=None, description="On a device.")
    resilience: Resilience | None = Field(default=None, description="On a device.")


class JobRequest(Asked):
    """A sampler or estimator job."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLER_EXAMPLE, ESTIMATOR_EXAMPLE]})

    primitive: Literal["sampler", "estimator"]
    pubs: list[Pub] = Field(max_length=1_000)
    circuits: list[Circuit] = Field(
        default_factory=list,
        max_length=1_000,
        description="Circuits that PUBs refer to by index; a QPY file with several counts as several.",
    )
    options: Options = Field(default_factory=Options)
    backend: Name = "auto"
    priority: int = Field(
        default=0, ge=-100, le=100, description="Among the jobs of the same project; higher runs first."
    )
    name: Name | None = None
    tags: list[fields.Tag] = Field(default_factory=list, max_length=20)
    metadata: Metadata = Field(default_factory=dict, description="Yours: kept and given back, never read.")
    time_limit_s: Annotated[float, Field(ge=0.001, le=1_000_000_000)] | None = Field(
        default=None, description="Run time after which the job is stopped; null for the facility's default."
    )
    max_cost: Annotated[int, Field(ge=0, le=MOST_MICRO)] | None = Field(
        default=None, description="In micro-yuan: a job that may cost more is refused."
    )
    category: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")] = Field(
        default="general", description="Workload category: the terms of a programme may pay for some of them only."
    )
    quote_id: fields.Identifier | None = Field(
        default=None, description="A quote for just this job: its price and its programmes' terms are honoured."
    )
    project_id: fields.Identifier | None = Field(
        default=None, description="For operators, whose token belongs to no project: whom the job is for."
    )


class BatchRequest(Asked):
    """Up to 1,000 jobs, each with an outcome of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"jobs": [SAMPLER_EXAMPLE, ESTIMATOR_EXAMPLE]}]})

    jobs: list[JobRequest] = Field(max_length=1_000)
