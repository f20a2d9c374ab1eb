"""Where a job would run, as documentation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Told
from api.schemas.prices import FINDINGS_EXAMPLE
from api.schemas.problems import ProblemDocument

_ENGINE_EXAMPLE: dict[str, Any] = {
    "engine": "prismq.clifford",
    "version": "0.13.4",
    "seconds": 0.0003,
    "least_s": 0.000045,
    "most_s": 0.00072,
    "memory_mib": 64,
}
_PART_EXAMPLE: dict[str, Any] = {
    "times": 1,
    "features": {
        "qubits": 2,
        "gates": 2,
        "two_qubit_gates": 1,
        "non_clifford_gates": 0,
        "arbitrary_angles": 0,
        "mid_circuit": 0,
        "cut_width": 1,
        "branching": 1,
        "scrambling": 0.0,
    },
    "candidates": [_ENGINE_EXAMPLE],
    "unfit": {},
    "tries": [{"engine": "prismq.clifford", "at_most_s": None}],
    "seconds": 0.0003,
    "memory_mib": 1,
    "sure": True,
}


class Verdict(Told):
    """Whether a backend takes the job: how long it would run there, or why not."""

    backend: str
    takes_it: bool
    estimate_us: int | None
    why: str | None


class CandidateEngine(Told):
    """An engine that could run a part, had it the memory: predicted seconds of one thread with an interval, and memory;
    null is beyond any bound.
    """

    engine: str
    version: str
    seconds: float | None
    least_s: float | None
    most_s: float | None
    memory_mib: int | None


class Try(Told):
    """An engine in its turn, and after how many nominal seconds it gives up; null where it is run to its end."""

    engine: str
    at_most_s: float | None


class RoutedPart(Told):
    """An independent part of what the reductions leave of a circuit; `times` equal ones run as one."""

    times: int
    features: dict[str, int | float] = Field(
        description="`cut_width` and `branching` are bounds: logarithms of the largest bond on the best line of qubits "
        "and of the number of amplitudes. `scrambling` counts entangling gates a qubit between strong turns."
    )
    candidates: list[CandidateEngine] = Field(description="The quickest first, as predicted.")
    unfit: dict[str, str] = Field(description="The other engines of this installation, and why they cannot run it.")
    tries: list[Try] = Field(description="In this order, until one has an answer.")
    seconds: float | None
    memory_mib: int | None
    sure: bool


class RoutedPub(Told):
    """One PUB: run by the `router`, by the `sweep` of many small states, or by `aer`, for the reason in `why`."""

    pub: int
    circuit: int
    by: Literal["router", "sweep", "aer"]
    parameter_sets: int
    why: str | None = None
    reductions: list[str] = Field(default_factory=list)
    components: int | None = None
    parts: list[RoutedPart] = Field(default_factory=list, description="The longest ones, of the first parameter set.")
    seconds: float | None = None
    memory_mib: int | None = None
    sure: bool = True


class IdealRoute(Told):
    """How the backend `ideal` would run the work. Null PUBs: it is too long to be looked at before it runs."""

    pubs: list[RoutedPub] | None
    seconds: float | None
    sure: bool = Field(description="Whether every part has an engine that surely answers within its memory.")


class RouteAnswer(Told):
    """Where a job would run: `backend`, or null and the `refusal` that it would get."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "asked": "auto",
                    "backend": "ideal",
                    "refusal": None,
                    "memory_mib": 4_096,
                    "backends": [
                        {"backend": "ideal", "takes_it": True, "estimate_us": 830, "why": None},
                        {"backend": "aer", "takes_it": True, "estimate_us": 690, "why": None},
                    ],
                    "ideal": {
                        "pubs": [
                            {
                                "pub": 0,
                                "circuit": 0,
                                "by": "router",
                                "parameter_sets": 1,
                                "reductions": [],
                                "components": 1,
                                "parts": [_PART_EXAMPLE],
                                "seconds": 0.0003,
                                "memory_mib": 1,
                                "sure": True,
                            }
                        ],
                        "seconds": 0.0003,
                        "sure": True,
                    },
                    "findings": FINDINGS_EXAMPLE,
                }
            ]
        }
    )

    asked: str
    backend: str | None
    refusal: ProblemDocument | None
    memory_mib: int = Field(description="What a worker has for one job.")
    backends: list[Verdict]
    ideal: IdealRoute
    findings: dict[str, Any]
