"""Options that only devices honour, in the words of IBM's primitives: compilation and mitigation of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any


@dataclass
class CompilationOptions:
    """How the service compiles; None leaves the choice to it.

    `mode`: "single" (one run of Qiskit), "portfolio" (the best of several compilers), "as-is" (the circuit is checked).
    """

    mode: str | None = None
    optimization_level: int | None = None
    seed: int | None = None
    initial_layout: Sequence[int] | None = None
    budget_ms: int | None = None


@dataclass
class DynamicalDecouplingOptions:
    """Pulses while qubits wait: `sequence_type` "XX" or "XY4"."""

    enable: bool = False
    sequence_type: str | None = None


@dataclass
class TwirlingOptions:
    """Random Paulis around two-qubit gates, in `num_randomizations` copies ("auto" or a number)."""

    enable_gates: bool = False
    num_randomizations: int | str | None = None


@dataclass
class ZneOptions:
    """Extrapolation to zero noise: `extrapolator` "linear", "exponential" or "richardson"."""

    noise_factors: Sequence[float] | None = None
    extrapolator: str | None = None


@dataclass
class ResilienceOptions:
    """Correction of readout errors, and of expectation values by extrapolation."""

    measure_mitigation: bool = False
    zne_mitigation: bool = False
    zne: ZneOptions = field(default_factory=ZneOptions)


GROUPS: Mapping[str, type] = {
    "compilation": CompilationOptions,
    "dynamical_decoupling": DynamicalDecouplingOptions,
    "twirling": TwirlingOptions,
    "resilience": ResilienceOptions,
}


def asked(group: object) -> dict[str, Any]:
    """What of a group is asked for, as the request carries it; {} for nothing.

    A mapping goes as it is, so that the service names what is wrong with it; so do the details of a group that is not
    switched on, unless nothing else is said.
    """
    if group is None:
        return {}
    if isinstance(group, Mapping):
        return {str(name): _plain(value) for name, value in group.items()}
    if not is_dataclass(group):
        raise TypeError(f"{type(group).__name__} is no group of options: give a mapping or one of qubator's own")
    told: dict[str, Any] = {}
    for each in fields(group):
        value = _plain(getattr(group, each.name))
        if value not in (None, False, {}):
            told[each.name] = value
    return told


def _plain(value: Any) -> Any:
    if is_dataclass(value) or isinstance(value, Mapping):
        return asked(value)
    if isinstance(value, str) or not isinstance(value, Sequence):
        plain = getattr(value, "item", None)  # a number of NumPy
        return plain() if callable(plain) else value
    return [_plain(each) for each in value]
