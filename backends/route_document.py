"""Routes as JSON: features, candidates, predictions and choice, for people who ask where their circuit would go."""

from __future__ import annotations

import math
from typing import Any

from backends.router.routing import Candidate
from backends.routes import PartRoute, PubRoute
from backends.trust.watch import installed

_PARTS_SHOWN = 8
_TRIES_SHOWN = 24
_COUNTLESS_S = 1e9
_COUNTLESS_MIB = 1 << 30


def document(routes: tuple[PubRoute, ...] | None) -> dict[str, Any]:
    """As {"pubs": [...], "seconds", "sure"}; numbers beyond any bound are null. None: too long to be looked at."""
    if routes is None:
        return {"pubs": None, "seconds": None, "sure": False}
    return {
        "pubs": [{"pub": number, **_pub(route)} for number, route in enumerate(routes)],
        "seconds": _seconds(sum(route.seconds for route in routes)),
        "sure": all(route.sure for route in routes),
    }


def _pub(route: PubRoute) -> dict[str, Any]:
    told: dict[str, Any] = {"circuit": route.circuit, "by": route.by, "parameter_sets": route.sets}
    if route.why:
        told["why"] = route.why
    if route.by != "router":
        return told
    largest = sorted(route.parts, key=lambda part: -part.foretold.seconds)[:_PARTS_SHOWN]
    return {
        **told,
        "reductions": list(route.reductions),
        "components": sum(part.times for part in route.parts),
        "parts": [_part(part) for part in largest],
        "seconds": _seconds(route.seconds),
        "memory_mib": _mib(route.memory_bytes),
        "sure": route.sure,
    }


def _part(part: PartRoute) -> dict[str, Any]:
    found, traits = part.foretold, part.foretold.features.traits
    features = found.features
    shown = {one.engine.name for one in found.candidates}
    return {
        "times": part.times,
        "features": {
            "qubits": traits.busy,
            "gates": traits.gates,
            "two_qubit_gates": features.entangling,
            "non_clifford_gates": features.non_clifford,
            "arbitrary_angles": features.generic,
            "mid_circuit": 0 if traits.terminal else features.looking,
            "cut_width": features.bond,
            "branching": features.branching,
            "scrambling": round(found.scrambling.afresh, 2),
        },
        "candidates": [_candidate(one) for one in found.candidates],
        "unfit": {
            name: why
            for name, engine in installed().items()
            if name not in shown and (why := engine.obstacle(traits)) is not None
        },
        "tries": [
            {"engine": one.engine.name, "at_most_s": _seconds(one.budget_s)} for one in found.tries[:_TRIES_SHOWN]
        ],
        "seconds": _seconds(found.seconds),
        "memory_mib": _mib(found.memory_bytes),
        "sure": found.sure,
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    predicted = one.predicted
    return {
        "engine": one.engine.name,
        "version": one.engine.version,
        "seconds": _seconds(predicted.seconds),
        "least_s": _seconds(predicted.least_s),
        "most_s": _seconds(predicted.most_s),
        "memory_mib": _mib(predicted.memory_bytes),
    }


def _seconds(seconds: float) -> float | None:
    """To four digits: a prediction has not that many."""
    return float(f"{seconds:.4g}") if seconds < _COUNTLESS_S and math.isfinite(seconds) else None


def _mib(size: int) -> int | None:
    mib = -(-size >> 20)
    return mib if mib < _COUNTLESS_MIB else None
