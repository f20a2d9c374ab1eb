"""The mutable options of the primitives: what clients read, copy and set between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from qubator.money import Money


@dataclass
class PrimitiveOptions:
    """Options every primitive has. `seed` may be a NumPy generator: then each run draws a new seed from it.

    `time_limit_s` in seconds, `max_cost` in micro-units (or Money).
    """

    seed: int | np.random.Generator | None = None
    backend: str = "auto"
    priority: int = 0
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    time_limit_s: float | None = None
    max_cost: int | Money | None = None
    project: str | None = None
    category: str = "general"

    @property
    def seed_simulator(self) -> Any:
        """The seed, under the name that Qiskit's backend primitives give it."""
        return self.seed

    @seed_simulator.setter
    def seed_simulator(self, seed: Any) -> None:
        self.seed = seed

    def update(self, **values: Any) -> None:
        """Set several options at once. Raises TypeError for one that does not exist."""
        known = {each.name for each in fields(self)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise TypeError(f"no such option: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        for name, value in values.items():
            setattr(self, name, value)

    def update_options(self, **values: Any) -> None:
        """Set options as clients of the older primitives do: on a copy, and with words of their own among them, which
        are kept and mean nothing here."""
        for name, value in values.items():
            setattr(self, name, value)

    def get(self, name: str, default: Any = None) -> Any:
        """The option called `name`, or `default` where there is none."""
        return getattr(self, name, default)


@dataclass
class SamplerOptions(PrimitiveOptions):
    """Options of SamplerV2. `default_shots` holds where neither the PUB nor the run says otherwise."""

    default_shots: int = 1024


@dataclass
class EstimatorOptions(PrimitiveOptions):
    """Options of EstimatorV2. `default_precision` 0 asks for exact values."""

    default_precision: float = 0.0


_WITHOUT_EFFECT = ("abelian_grouping",)
"""How the service evaluates observables is its own affair; both values give the same expectation."""


def in_our_words(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options as people give them to Qiskit's backend primitives, in the words of the classes above. Raises ValueError
    for run options that ask for anything but classified bits."""
    words = dict(given or {})
    if "seed_simulator" in words:
        words["seed"] = words.pop("seed_simulator")
    level = (words.pop("run_options", None) or {}).get("meas_level")
    if level not in (None, 2):
        raise ValueError(f"meas_level {level} is out of scope: the service gives classified bits, meas_level 2")
    for word in _WITHOUT_EFFECT:
        words.pop(word, None)
    return words
