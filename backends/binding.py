"""Where a compiled circuit's parameters go, and the numbers that go there for every parameter set at once.

Most gate angles are linear in the parameters; those of all sets come from one matrix product. The rest are evaluated
one by one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter, ParameterExpression

from backends.parameters import Values
from backends.rejected import Rejected

Place = tuple[int, int]
"""The position of an engine operation, and of one of its parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """The places to fill and how: `weights @ values + offsets`, and `bent` for places that are not linear."""

    places: tuple[Place, ...]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    bent: tuple[tuple[int, ParameterExpression, tuple[tuple[Parameter, int], ...]], ...]

    def fill(self, values: Values) -> list[tuple[Place, list[float]]]:
        """For each place its number in every parameter set; `values` has shape (sets, parameters).

        Refuses with parameters_not_finite where an expression has no finite real value.
        """
        angles = values @ self.weights.T + self.offsets
        for row, expression, columns in self.bent:
            for index, numbers in enumerate(values.tolist()):
                angles[index, row] = _evaluate(expression, {name: numbers[column] for name, column in columns})
        if not np.isfinite(angles).all():
            raise Rejected("parameters_not_finite", "a gate angle is no finite number for these parameter values", {})
        return list(zip(self.places, angles.T.tolist(), strict=True))


def plan(found: Sequence[tuple[Place, ParameterExpression]], parameters: Sequence[Parameter]) -> Binding:
    """Prepare filling `found` places from arrays whose columns follow `parameters`."""
    columns = {parameter: index for index, parameter in enumerate(parameters)}
    weights = np.zeros((len(found), len(parameters)))
    offsets = np.zeros(len(found))
    bent = []
    for row, (_, expression) in enumerate(found):
        if isinstance(expression, Parameter):
            weights[row, columns[expression]] = 1.0
            continue
        slopes = _slopes(expression)
        if slopes is None:
            bent.append((row, expression, tuple((name, columns[name]) for name in expression.parameters)))
            continue
        for parameter, slope in slopes.items():
            weights[row, columns[parameter]] = slope
        offsets[row] = _evaluate(expression, dict.fromkeys(expression.parameters, 0.0))
    return Binding(tuple(place for place, _ in found), weights, offsets, tuple(bent))


def _slopes(expression: ParameterExpression) -> dict[Parameter, float] | None:
    """The constant derivatives of a linear expression; None if one of them is not constant."""
    slopes: dict[Parameter, float] = {}
    try:
        for parameter in expression.parameters:
            slope = float(expression.gradient(parameter))  # a TypeError where it depends on parameters
            if not math.isfinite(slope):
                return None
            slopes[parameter] = slope
    except (TypeError, ValueError, ZeroDivisionError, RuntimeError):
        return None
    return slopes


def _evaluate(expression: ParameterExpression, numbers: Mapping[Parameter, float]) -> float:
    """One expression at one parameter set."""
    try:
        value = expression.bind(dict(numbers)).numeric()
    except (TypeError, ValueError, ZeroDivisionError, OverflowError, RuntimeError) as error:
        detail = f"the angle {str(expression)[:80]} cannot be evaluated at these parameter values"
        raise Rejected("parameters_not_finite", detail, {}) from error
    if isinstance(value, complex):
        if abs(value.imag) > 1e-12:
            detail = f"the angle {str(expression)[:80]} is not real at these parameter values"
            raise Rejected("parameters_not_finite", detail, {})
        value = value.real
    return float(value)
