"""The engines by name, for those who must not import them: which library each belongs to, and how it is regarded."""

from __future__ import annotations

ENGINES = (
    "aer.statevector",
    "aer.matrix_product_state",
    "aer.stabilizer",
    "ddsim",
    "frame",
    "mps",
    "prismq.clifford",
    "prismq.rank",
    "prismq.statevector",
    "prismq.mps",
    "prismq.sparse",
    "qulacs",
    "sparse",
    "stim",
    "sweep",
)

_OURS = frozenset({"frame", "mps", "sparse", "sweep"})
_ON_PROBATION = frozenset({"prismq", "sweep"})
_REFERENCES = frozenset({"aer.statevector", "sweep"})


def library_of(engine: str) -> str:
    """Engines of one library may share its mistakes. `sweep` shares nothing with our others but gate matrices."""
    return engine.partition(".")[0] if engine not in _OURS or engine == "sweep" else "ours"


def on_probation(engine: str) -> bool:
    """Young: more of its answers are checked."""
    return library_of(engine) in _ON_PROBATION


def is_reference(engine: str) -> bool:
    """Exact dense states, of long standing or so plain that they can be read: believed against a single other."""
    return engine in _REFERENCES
