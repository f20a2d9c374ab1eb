"""What the passes know about gates: which only turn phases, which only move basis states, and which are controlled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DIAGONAL: Final = frozenset(
    {"z", "s", "sdg", "t", "tdg", "rz", "p", "cz", "cp", "crz", "rzz", "ccz", "mcp", "diagonal"}
)
"""Gates that leave every basis state where it is."""

MONOMIAL: Final = DIAGONAL | {"x", "y", "cx", "cy", "swap", "iswap", "ccx", "cswap", "mcx"}
"""Gates that take each basis state to one basis state: probabilities after them need probabilities before them only."""

CONTROLS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("cx", "cy", "ch", "csx", "crx", "cry", "cu", "cswap"), 1),
    "ccx": 2,
}
"""How many of a gate's first qubits only control the others; of "mcx" it is all but the last."""

SYMMETRIC: Final = frozenset({"cz", "cp", "ccz", "mcp", "swap", "iswap", "rzz", "rxx", "ryy"})
"""Gates whose qubits may stand in any order."""


def controls_of(name: str, width: int) -> int:
    """How many leading qubits of a gate on `width` qubits control it."""
    return width - 1 if name == "mcx" else CONTROLS.get(name, 0)
