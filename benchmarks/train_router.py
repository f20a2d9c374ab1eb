"""Measures every engine on the suite, and fits what the router's formulas miss.

`make train-router` measures (about ten minutes on one core), keeps the rows beside this file and writes
`backends/router/fitted.json`; FIT=1 fits the rows that are there, ONLY=engine measures one
engine again. The fit is a ridge regression of the logarithm of
measured by foretold seconds on `numbers_of` a part, an engine each; programs that ran into the limit count with three
times the limit if more is not foretold. The last line has, for families left out of the fit, by what factor the median
program is missed with and without the correction.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import resource
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from backends.engines.port import Budget, Engine, GaveUp, Unsuited
from backends.engines.roster import installed
from backends.program import Program, Unflat
from backends.programming import program_of
from backends.reductions import reduce
from backends.reductions.deferring import deferred
from backends.reductions.ordering import reordered
from backends.rejected import Rejected
from backends.router import predicting
from backends.router.features import Features, features_of
from benchmarks.circuit_suite.folder import entries_of

SHOTS = 1024
LIMIT_S = 2.0
_MEMORY_BYTES = 12 << 30
_AGAIN_S = 0.1
_RIDGE = 0.3
ROWS = Path(__file__).with_name("router_rows.json")
FITTED = Path(__file__).resolve().parents[1] / "backends" / "router" / "fitted.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One part under one engine; `ended` is False where it ran into the limit."""

    family: str
    circuit: str
    engine: str
    foretold_s: float
    seconds: float
    ended: bool
    numbers: tuple[float, ...]


def measure(only: str, rows: list[Row]) -> list[Row]:
    """Every engine (or one) on every part of every circuit, as it is written and with measurements at the end.

    What is in `rows` is not measured again; they are kept after every circuit, so that a run can be broken off.
    """
    known = {(row.circuit, row.engine) for row in rows}
    for entry in entries_of(""):
        if any(circuit == entry.name and only in ("", engine) for circuit, engine in known):
            continue
        program = program_of(entry.make())
        if isinstance(program, Unflat):
            continue
        forms = [reduce(program)]
        if (later := deferred(program)) is not None and later != program:
            forms.append(reduce(later))
        seen: set[Program] = set()
        for reduced in forms:
            for part in sorted(reduced.parts, key=lambda part: -part.program.qubits)[:3]:
                if part.program in seen:
                    continue
                seen.add(part.program)
                rows += _part(entry.family, entry.name, part.program, only)
        keep(rows)
        print(f"{entry.name:34} {len(rows)} rows", flush=True)
    return rows


def _part(family: str, circuit: str, program: Program, only: str) -> list[Row]:
    features = features_of(program)
    rows = []
    for name, engine in installed().items():
        if only not in ("", name) or engine.obstacle(features.traits) is not None:
            continue
        if name == "aer.matrix_product_state" and features.traits.terminal:
            # Never asked, as ours is; and it cannot be stopped.
            continue
        try:
            foretold = predicting.formula(name, features, SHOTS)
        except KeyError:
            continue
        if name not in predicting.COUNTED and (
            foretold.seconds > LIMIT_S or foretold.memory_bytes > _MEMORY_BYTES // 2
        ):
            continue
        took = _seconds(engine, program, features)
        if took is not None:
            numbers = predicting.numbers_of(features)
            rows.append(Row(family, circuit, name, foretold.seconds, took[0], took[1], numbers))
    return rows


def _seconds(engine: Engine, program: Program, features: Features) -> tuple[float, bool] | None:
    """CPU seconds, the better of two for short runs, and whether it ended; None if it cannot.

    Engines that keep to a budget get growing ones, as from the router, and what counts is the run that ended.
    """
    placed = reordered(program, features.order) if engine.name in ("mps", "prismq.mps") else program
    counted = engine.name in predicting.COUNTED
    budgets_s = [LIMIT_S / 64, LIMIT_S / 16, LIMIT_S / 4, LIMIT_S] if counted else [LIMIT_S]
    for budget_s in budgets_s:
        best_s = math.inf
        for _ in range(3):
            gc.collect()
            began_s = time.process_time()
            try:
                engine.sample(placed, SHOTS, 1, Budget(_MEMORY_BYTES, budget_s))
            except (GaveUp, MemoryError):
                break
            except (Unsuited, Rejected):
                return None
            best_s = min(best_s, time.process_time() - began_s)
            if best_s > _AGAIN_S:
                break
        if best_s < math.inf:
            return best_s, True
    return 3 * LIMIT_S, False


def fit(rows: Sequence[Row], without: str = "") -> Mapping[str, tuple[float, ...]]:
    """The weights of each engine's correction, from all families but one; what was measured too little has none."""
    weights = {}
    for engine in sorted({row.engine for row in rows}):
        own = [row for row in rows if row.engine == engine and row.family != without]
        if len(own) < 2 * len(own[0].numbers) if own else True:
            continue
        numbers = np.array([row.numbers for row in own])
        missed = np.log10(
            [
                max(row.seconds, row.foretold_s) / row.foretold_s if not row.ended else row.seconds / row.foretold_s
                for row in own
            ]
        )
        # A circuit's parts count together as much as another circuit.
        share = {row.circuit: 0 for row in own}
        for row in own:
            share[row.circuit] += 1
        weight = np.array([1 / share[row.circuit] for row in own])
        penalty = _RIDGE * np.eye(numbers.shape[1])
        penalty[0, 0] = 1e-6
        gram = (numbers * weight[:, None]).T @ numbers + penalty
        solved = np.linalg.solve(gram, (numbers * weight[:, None]).T @ missed)
        weights[engine] = tuple(round(float(one), 5) for one in solved)
    return weights


def misses(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    """For each engine the median factor between foretold and measured without and with the correction, left out."""
    found: dict[str, list[tuple[float, float]]] = {}
    for family in sorted({row.family for row in rows}):
        weights = fit(rows, family)
        for row in rows:
            if row.family == family and row.ended and row.engine in weights:
                corrected = float(np.dot(weights[row.engine], row.numbers))
                plain = np.log10(row.seconds / row.foretold_s)
                found.setdefault(row.engine, []).append((10 ** abs(plain), 10 ** abs(plain - corrected)))
    return {
        engine: (statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs))
        for engine, pairs in sorted(found.items())
    }


def read() -> list[Row]:
    """The rows kept."""
    return [Row(**(one | {"numbers": tuple(one["numbers"])})) for one in orjson.loads(ROWS.read_bytes())]


def keep(rows: Sequence[Row]) -> None:
    """Write the rows, one a line."""
    lines = [
        orjson.dumps(
            {
                "family": row.family,
                "circuit": row.circuit,
                "engine": row.engine,
                "foretold_s": float(f"{row.foretold_s:.4g}"),
                "seconds": float(f"{row.seconds:.4g}"),
                "ended": row.ended,
                "numbers": [round(one, 4) for one in row.numbers],
            }
        ).decode()
        for row in rows
    ]
    ROWS.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def main() -> None:
    """Measure, keep, fit, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", default=bool(os.environ.get("FIT")))
    parser.add_argument("--only", default=os.environ.get("ONLY", ""))
    parser.add_argument("--go-on", action="store_true", help="measure what the rows that are kept do not have")
    asked = parser.parse_args()
    only: str = asked.only
    if not asked.fit:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES + (4 << 30),) * 2)
        measure(only, [row for row in read() if row.engine != only] if only or asked.go_on else [])
    rows = read()
    FITTED.write_bytes(orjson.dumps({"weights": fit(rows)}, option=orjson.OPT_INDENT_2) + b"\n")
    judged = misses(rows)
    print(f"{'engine':28} {'formula':>8} {'learned':>8}")
    for engine, (plain, corrected) in judged.items():
        print(f"{engine:28} {plain:8.2f} {corrected:8.2f}")
    plain, corrected = (statistics.geometric_mean(pair[at] for pair in judged.values()) for at in (0, 1))
    print(f"figures: rows={len(rows)} engines={len(judged)} formula_off_by={plain:.2f} learned_off_by={corrected:.2f}")


if __name__ == "__main__":
    main()
