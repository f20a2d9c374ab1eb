"""All engines there are, and which of them this installation has."""

from __future__ import annotations

from functools import cache

from backends.engines import on_aer, on_prismq
from backends.engines.frame import Frame
from backends.engines.mps import MatrixProductState
from backends.engines.on_ddsim import OnDdsim
from backends.engines.on_qulacs import OnQulacs
from backends.engines.on_stim import OnStim
from backends.engines.port import Engine
from backends.engines.sparse import Sparse


@cache
def engines() -> tuple[Engine, ...]:
    """Every engine that could be installed."""
    ours = (Sparse(), Frame(), MatrixProductState())
    return (*on_aer.methods(), *ours, OnStim(), OnDdsim(), *on_prismq.methods(), OnQulacs())


@cache
def installed() -> dict[str, Engine]:
    """The engines that are here, by name."""
    return {engine.name: engine for engine in engines() if engine.available()}
