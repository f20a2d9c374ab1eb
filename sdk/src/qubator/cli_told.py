"""What a device's result tells of itself, for people: how it was compiled and simulated, and what mitigation did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qubator.cli_text import pairs


def told_lines(pub: Mapping[str, Any], width: int) -> Iterator[str]:
    """Name and text, a line each; nothing for results of engines without noise."""
    metadata = pub.get("metadata") or {}
    shown: dict[str, object] = {}
    compiled = metadata.get("compiled") or {}
    if compiled:
        success = compiled.get("predicted_success")
        likely = "" if success is None else f", predicted success {100 * success:.1f} %"
        gates = compiled.get("two_qubit_gates")
        shown["compiled"] = (
            f"{compiled.get('compiler')}: {gates} two-qubit gates, depth {compiled.get('depth')}{likely}"
        )
    for number, way in enumerate(metadata.get("simulation") or () if compiled else ()):
        bias = f"; bias: {way['bias']}" if way.get("bias") else ""
        shown["simulated" if number == 0 else f"and {number}"] = f"{way.get('method')}{bias}"
    mitigation = metadata.get("mitigation") or {}
    for row in mitigation.get("methods") or ():
        shown[str(row.get("method")).replace("_", " ")] = _verdict(row)
    if shown:
        yield ""
        yield from pairs(shown, width=width)


def _verdict(row: Mapping[str, Any]) -> str:
    """Whether a method was applied, and what it did to the twin whose answer is known."""
    before, after = row.get("twin_error_before"), row.get("twin_error_after")
    seen = "" if before is None or after is None else f" (its error went from {before:.3g} to {after:.3g})"
    return f"applied: it helped the twin{seen}" if row.get("applied") else f"{row.get('why', 'not applied')}{seen}"
