"""The engines by name, for those who must not import them: which library each belongs to, and how it is regarded."""

from __future__ import annotations

ENGINES = {
    "aer.statevector": "any circuit of some 30 qubits, as a dense state",
    "aer.matrix_product_state": "wide circuits of little entanglement, outcomes on the way too",
    "aer.stabilizer": "Clifford circuits",
    "ddsim": "circuits with much repetition in their amplitudes, as decision diagrams",
    "frame": "nearly Clifford circuits of any width",
    "mps": "wide circuits of little entanglement, with a bound on what is dropped",
    "prismq.clifford": "Clifford circuits",
    "prismq.rank": "Clifford circuits with up to 24 T gates",
    "prismq.statevector": "small circuits, as a dense state",
    "prismq.mps": "wide circuits of little entanglement",
    "prismq.sparse": "circuits in which few basis states have an amplitude",
    "qulacs": "small circuits measured at their end, as a dense state",
    "sparse": "arithmetic over few numbers, up to 62 qubits",
    "stim": "Clifford circuits of any width, outcomes on the way too",
    "sweep": "many parameter sets of one circuit of up to ten qubits",
}
"""What each is for."""

_PACKAGES = {
    "aer": ("qiskit-aer", "Apache-2.0"),
    "ddsim": ("mqt-core", "MIT"),
    "prismq": ("prism-q", "MIT OR Apache-2.0"),
    "qulacs": ("qulacs", "MIT"),
    "stim": ("stim", "Apache-2.0"),
}
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


def package_of(engine: str) -> tuple[str, str] | None:
    """The package on PyPI and its licence; None for our own."""
    return _PACKAGES.get(engine.partition(".")[0])
