"""Programs that a dense state has run before anybody could have thought about them."""

from __future__ import annotations

from collections.abc import Mapping

from backends.engines.port import Engine
from backends.engines.traits import Traits

_QUBITS_MAX = 13
"""Up to here a gate on a dense state takes less than the 8 µs that reducing and routing take for each."""
_WIDEST = 3
"""Wider gates are rewritten by some engines at a length that only their predictions know."""
_DENSE = ("prismq.statevector", "qulacs", "aer.statevector")


def at_once(traits: Traits, engines: Mapping[str, Engine]) -> Engine | None:
    """The engine to ask without further thought; None where thinking pays."""
    if traits.busy > _QUBITS_MAX or traits.widest > _WIDEST or not traits.terminal:
        return None
    able = (engines[name] for name in _DENSE if name in engines)
    return next((engine for engine in able if engine.obstacle(traits) is None), None)
