"""A target as it is calibrated now: its hash, and its figures where they can be read quickly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from qiskit.transpiler import Target

Qubits = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one gate on its qubits costs: the logarithm of its success, and its time; None where unknown."""

    log_success: float | None
    duration_s: float | None


Anywhere = Mapping[str, Mapping[Qubits | None, Cost]]


class Calibrated:
    """A target that nobody changes any more. A new calibration is a new object.

    A target has no place for figures of gates that act on any qubits: `anywhere` has them, by gate and by qubits, where
    None stands for all others.
    """

    def __init__(self, target: Target, anywhere: Anywhere = MappingProxyType({})) -> None:
        self.target = target
        self.qubits: int = target.num_qubits or 0
        self.dt_s: float | None = target.dt
        self.costs: dict[str, dict[Qubits | None, Cost]] = {}
        for name in sorted(target.operation_names):
            rows: dict[Any, Any] = target[name] or {None: None}
            self.costs[name] = {place: _cost(properties) for place, properties in rows.items()}
            self.costs[name] |= anywhere.get(name, {})
        # (T1, T2) of each qubit in seconds; infinite where unknown, and T2 at most what physics allows
        self.coherence: tuple[tuple[float, float], ...] = tuple(
            _coherence(target, qubit) for qubit in range(self.qubits)
        )
        self.key = self._key()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calibrated) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def cost(self, name: str, qubits: Qubits) -> Cost | None:
        """The cost of a gate there; None when the target has no such gate."""
        rows = self.costs.get(name)
        if rows is None:
            return None
        return rows.get(qubits) or rows.get(None)

    def _key(self) -> bytes:
        """The same for targets that are calibrated alike."""
        told = blake2b(digest_size=16)
        told.update(repr((self.qubits, self.dt_s, self.coherence)).encode())
        for name, rows in self.costs.items():
            operation = self.target.operation_from_name(name)
            parameters = [str(each) if isinstance(each, int | float) else "free" for each in _parameters(operation)]
            told.update(repr((name, parameters)).encode())
            for place, cost in sorted(rows.items(), key=lambda row: row[0] or ()):
                told.update(repr((place, cost.log_success, cost.duration_s)).encode())
        return told.digest()


def _parameters(operation: Any) -> list[Any]:
    return [] if isinstance(operation, type) else list(operation.params)


def _cost(properties: Any) -> Cost:
    error = getattr(properties, "error", None)
    duration = getattr(properties, "duration", None)
    return Cost(None, duration) if error is None else cost_of(error, duration)


def cost_of(error: float, duration_s: float | None) -> Cost:
    """The cost of a gate with that error."""
    return Cost(math.log1p(-error) if error < 1 else -math.inf, duration_s)


def _coherence(target: Target, qubit: int) -> tuple[float, float]:
    rows = target.qubit_properties
    properties = rows[qubit] if rows else None
    t1 = getattr(properties, "t1", None) or math.inf
    t2 = getattr(properties, "t2", None) or math.inf
    return t1, min(t2, 2 * t1)
