"""Reading what was typed: files, parameter values, observables, amounts; the options `submit` and `quote` share."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from qubator.circuits import CircuitText, from_bytes, from_file
from qubator.money import parse_amount
from qubator.submission import JobTerms, Submission

F = TypeVar("F", bound=Callable[..., Any])

SEED_MAX = 2**63 - 1
"""The largest seed the service takes."""

_PI = re.compile(r"(?P<sign>-?)(?:(?P<times>[\d.]+)\*?)?pi(?:/(?P<over>[\d.]+))?\Z")
_TERM = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?:(?P<weight>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*?)?\s*(?P<pauli>[IXYZ]+)\s*"
)


def read_circuit(file: str) -> CircuitText:
    """The circuit in `file`, or on standard input for "-". Raises ValueError when it is none."""
    if file == "-":
        return from_bytes(sys.stdin.buffer.read())
    return from_file(Path(file))


def parse_number(text: str) -> float:
    """A finite number; "pi" may stand in it: pi, -pi/2, 3*pi/4, 2pi. Raises ValueError."""
    compact = text.strip().replace(" ", "").replace("π", "pi")
    match = _PI.match(compact)
    try:
        if match is None:
            number = float(compact)
        else:
            number = float(match["times"] or 1) * math.pi / float(match["over"] or 1)
            number = -number if match["sign"] else number
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is not a number (numbers may use pi: 3*pi/4)") from None
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a finite number")
    return number


def parse_parameters(given: Sequence[str]) -> dict[str, Any] | None:
    """ "name=value" texts to a mapping; "name=v1,v2,…" is a sweep of as many parameter sets. Raises ValueError."""
    values: dict[str, Any] = {}
    for text in given:
        name, equals, numbers = text.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"{text!r}: parameters are given as name=value")
        parsed = [parse_number(each) for each in numbers.split(",")]
        values[name.strip()] = parsed if len(parsed) > 1 else parsed[0]
    lengths = {len(value) for value in values.values() if isinstance(value, list)}
    if len(lengths) > 1:
        raise ValueError(f"swept parameters need equally many values, not {sorted(lengths)}")
    if lengths:
        (length,) = lengths
        values = {name: value if isinstance(value, list) else [value] * length for name, value in values.items()}
    return values or None


def parse_observable(text: str) -> str | dict[str, float]:
    """A Pauli string ("ZZ"), or a weighted sum of them ("0.5*ZZ - 1.2 XX"), as the service reads it."""
    terms: dict[str, float] = {}
    place = 0
    while place < len(text):
        match = _TERM.match(text, place)
        if match is None or (place and not match["sign"]):
            raise ValueError(f"{text!r} is not a sum of Pauli strings such as ZZ or 0.5*ZZ-1.2*XX")
        weight = float(match["weight"] or 1)
        pauli = match["pauli"]
        terms[pauli] = terms.get(pauli, 0.0) + (-weight if match["sign"] == "-" else weight)
        place = match.end()
    if not terms:
        raise ValueError("an observable is a Pauli string such as ZZ, or a sum such as 0.5*ZZ-1.2*XX")
    if len({len(pauli) for pauli in terms}) > 1:
        raise ValueError(f"{text!r}: all Pauli strings of an observable have one letter for each qubit")
    return text.strip() if list(terms) == [text.strip()] else terms


class _Amount(click.ParamType[int]):
    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Micro-units of a decimal amount."""
        if isinstance(value, int):
            return value
        try:
            return parse_amount(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


AMOUNT = _Amount()


_MITIGATIONS: dict[str, tuple[str, dict[str, bool]]] = {
    "dd": ("dynamical_decoupling", {"enable": True}),
    "twirling": ("twirling", {"enable_gates": True}),
    "readout": ("resilience", {"measure_mitigation": True}),
    "zne": ("resilience", {"zne_mitigation": True}),
}


def _of_devices(
    mode: str | None, optimization_level: int | None, layout: str | None, mitigate: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The groups of options that the command line asks for."""
    found: dict[str, dict[str, Any]] = {}
    if mode is not None:
        found["compilation"] = {"mode": mode}
    if optimization_level is not None:
        found.setdefault("compilation", {})["optimization_level"] = optimization_level
    if layout is not None:
        try:
            places = [int(place) for place in layout.split(",")]
        except ValueError:
            raise click.UsageError(f"--layout takes qubits of the device, say 0,1,4; not {layout!r}") from None
        found.setdefault("compilation", {})["initial_layout"] = places
    for name in mitigate:
        group, members = _MITIGATIONS[name]
        found.setdefault(group, {}).update(members)
    return found


def job_terms(command: F) -> F:
    """The options that describe a job."""
    options = (
        click.option("--shots", type=click.IntRange(min=1), help="Samples per parameter set (default 1024)."),
        click.option("--precision", type=click.FloatRange(min=0), help="Standard error of estimates; 0 is exact."),
        click.option("--observable", "observables", multiple=True, metavar="SUM",
                     help="Estimate this instead of sampling: ZZ, or 0.5*ZZ-1.2*XX. Repeat for several."),
        click.option("--param", "params", multiple=True, metavar="NAME=VALUE",
                     help="Value of a circuit parameter (pi is known); NAME=V1,V2,… sweeps."),
        click.option("--seed", type=click.IntRange(0, SEED_MAX), help="The same seed gives the same result."),
        click.option("--backend", default="auto", show_default=True, help="See `qubator backends`."),
        click.option("--noise/--no-noise", default=True, help="On a device: without noise, its ideal twin."),
        click.option("--calibration", metavar="DAY", help="On a device: figures of a day (2026-11-20), or stated."),
        click.option("--compile", "mode", type=click.Choice(["single", "portfolio", "as-is"]),
                     help="On a device: one run of Qiskit, the best of several compilers, or not at all."),
        click.option("--optimization-level", type=click.IntRange(0, 3), help="On a device: of a single run."),
        click.option("--layout", metavar="Q0,Q1,…", help="On a device: where each qubit of the circuit begins."),
        click.option("--mitigate", multiple=True, type=click.Choice(list(_MITIGATIONS)),
                     help="On a device: decoupling (dd), twirling, readout, zne. Repeat for several."),
        click.option("--priority", type=click.IntRange(-100, 100), default=0, help="Within your project."),
        click.option("--name", help="A name to find the job by."),
        click.option("--tag", "tags", multiple=True, help="A tag; repeat for several."),
        click.option("--time-limit", "time_limit_s", type=click.FloatRange(min=0.001), metavar="SECONDS",
                     help="Stop the job after this run time."),
        click.option("--max-cost", type=AMOUNT, metavar="AMOUNT", help="Refuse the job if it may cost more (yuan)."),
        click.option("--category", default="general", metavar="NAME",
                     help="Kind of workload: programmes may pay for some kinds only."),
        click.option("--project", metavar="ID", help="For operators: whose job it is."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def make_submission(
    file: str,
    *,
    observables: Sequence[str],
    params: Sequence[str],
    precision: float | None,
    mode: str | None = None,
    optimization_level: int | None = None,
    layout: str | None = None,
    mitigate: Sequence[str] = (),
    **terms: Any,
) -> Submission:
    """The job that the command line describes. Raises ValueError or OSError for a file that is no circuit."""
    terms |= _of_devices(mode, optimization_level, layout, mitigate)
    circuit = read_circuit(file)
    values = parse_parameters(params)
    if precision is not None and not observables:
        raise click.UsageError("--precision belongs to estimates: name an --observable")
    if observables and terms.get("shots") is not None:
        raise click.UsageError("--shots belongs to sampling: an estimate takes --precision")
    if not observables:
        return _submission((circuit, values), JobTerms(primitive="sampler", **terms))
    parsed = [parse_observable(text) for text in observables]
    # several observables and a sweep: every observable at every parameter set, shape (observables, sets)
    swept = values is not None and any(isinstance(value, list) for value in values.values())
    shaped: Any = parsed[0] if len(parsed) == 1 else [[each] for each in parsed] if swept else parsed
    return _submission((circuit, shaped, values), JobTerms(primitive="estimator", precision=precision, **terms))


def _submission(pub: tuple[Any, ...], terms: JobTerms) -> Submission:
    return Submission(pub, **{word: getattr(terms, word) for word in JobTerms.__dataclass_fields__})
