"""Where a job would run, and how long the engines that could run it are predicted to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """A backend's answer: how long the job would run there (µs), or why it does not take it."""

    backend: str
    estimate_us: int | None
    why: str | None

    @property
    def takes_it(self) -> bool:
        """Whether it would run there."""
        return self.why is None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a job would run: `backend`, or None and the problem document `refusal`. `record` is the whole answer.

    `pubs` tell for each PUB how the backend `ideal` would run it: what the reductions leave, features, candidates with
    predictions, and tries in their order; empty where the work is too long to be looked at. `sure` is False where
    every engine that `ideal` would try may give up.
    """

    asked: str
    backend: str | None
    refusal: Mapping[str, Any] | None
    verdicts: tuple[Verdict, ...]
    pubs: tuple[Mapping[str, Any], ...]
    seconds: float | None
    sure: bool
    record: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Route:
        """Read the service's answer."""
        ideal = answer["ideal"]
        return cls(
            asked=str(answer["asked"]),
            backend=answer["backend"],
            refusal=answer["refusal"],
            verdicts=tuple(Verdict(one["backend"], one["estimate_us"], one["why"]) for one in answer["backends"]),
            pubs=tuple(ideal["pubs"] or ()),
            seconds=ideal["seconds"],
            sure=bool(ideal["sure"]),
            record=answer,
        )
