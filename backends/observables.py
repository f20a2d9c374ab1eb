"""Observables as the work document carries them: nested lists of Pauli labels or of {label: coefficient}.

They become one table of distinct Pauli labels and, for every observable, coefficients over that table, so that a label
used by many observables is evaluated once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from backends.limits import Limits
from backends.rejected import Rejected

# A coefficient's imaginary part below this is rounding, above it the operator is not Hermitian.
IMAGINARY_TOLERANCE = 1e-10
_NESTING_MAX = 16
_LETTERS = "IXYZ"


@dataclass(frozen=True, slots=True)
class Observables:
    """An array of real Pauli sums over one width.

    `sums` runs over the array in C order; each sum is pairs of (position in `labels`, coefficient). Labels read as in
    Qiskit: the rightmost letter acts on qubit 0.
    """

    shape: tuple[int, ...]
    labels: tuple[str, ...]
    sums: tuple[tuple[tuple[int, float], ...], ...]

    @property
    def terms(self) -> int:
        """Pauli terms over all sums."""
        return sum(map(len, self.sums))


def read(given: Any, qubits: int, limits: Limits, where: str) -> Observables:
    """Check and gather observables for a circuit of `qubits` qubits.

    Refuses with observable_invalid, observable_width or circuit_too_large; `where` names the PUB in the sentence.
    """
    shape = _shape_of(given, where)
    flat: list[Any] = [given]
    for _ in shape:
        flat = [one for part in flat for one in part]
    places: dict[str, int] = {}
    sums: list[tuple[tuple[int, float], ...]] = []
    terms = 0
    for one in flat:
        weights = _weights(one, where)
        terms += len(weights)
        if terms > limits.observable_terms:
            detail = f"{where} has more than {limits.observable_terms} Pauli terms in its observables; split it"
            raise Rejected("circuit_too_large", detail, {"observable_terms_max": limits.observable_terms})
        for label in weights:
            if label not in places:
                _check_label(label, qubits, where)
                places[label] = len(places)
        sums.append(tuple((places[label], weight) for label, weight in weights.items()))
    return Observables(shape, tuple(places), tuple(sums))


def _shape_of(given: Any, where: str) -> tuple[int, ...]:
    """The shape of a nested list; every list on one level has the same length."""
    shape: list[int] = []
    level: list[Any] = [given]
    while level and isinstance(level[0], list):
        lengths = {len(one) if isinstance(one, list) else -1 for one in level}
        if len(lengths) > 1 or len(shape) == _NESTING_MAX:
            _invalid(where, "are nested lists of unequal lengths; give a rectangular array")
        shape.append(lengths.pop())
        level = [one for part in level for one in part]
    if any(isinstance(one, list) for one in level):
        _invalid(where, "are nested lists of unequal lengths; give a rectangular array")
    return tuple(shape)


def _weights(one: Any, where: str) -> Mapping[str, float]:
    """One observable as label -> real coefficient."""
    if isinstance(one, str):
        return {one: 1.0}
    if not isinstance(one, dict):
        _invalid(where, "have an entry that is neither a Pauli label nor a mapping from labels to coefficients")
    weights = {label: _coefficient(label, coefficient, where) for label, coefficient in one.items()}
    if not any(weights.values()):
        _invalid(where, "have an empty or zero entry; give at least one term with a coefficient other than 0")
    return weights


def _coefficient(label: str, given: Any, where: str) -> float:
    """A real coefficient, given as a number or as [real, imaginary]."""
    if type(given) is float and math.isfinite(given):
        return given
    parts = given if isinstance(given, list) and len(given) == 2 else [given, 0.0]
    if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
        _invalid(where, f'have a coefficient of "{label}" that is no number; give 1.5 or [1.5, 0.0]')
    try:
        real, imaginary = float(parts[0]), float(parts[1])
    except OverflowError:
        real = imaginary = math.inf
    if not (math.isfinite(real) and math.isfinite(imaginary)):
        _invalid(where, f'have a coefficient of "{label}" that is not finite')
    if abs(imaginary) > IMAGINARY_TOLERANCE:
        _invalid(
            where, f'are not Hermitian: the coefficient of "{label}" has imaginary part {imaginary:g}; make it real'
        )
    return real


def _check_label(label: str, qubits: int, where: str) -> None:
    if not label or label.strip(_LETTERS):
        _invalid(where, f'have the label "{label[:40]}" with letters other than I, X, Y and Z; write Pauli strings')
    if len(label) != qubits:
        detail = (
            f"{where} has an observable on {len(label)} qubits for a circuit of {qubits}; the widths must be equal: "
            "after transpiling call observable.apply_layout(circuit.layout)"
        )
        raise Rejected("observable_width", detail, {"observable_qubits": len(label), "circuit_qubits": qubits})


def _invalid(where: str, reason: str) -> NoReturn:
    raise Rejected("observable_invalid", f"{where} has observables that {reason}", {})
