"""What the inspector found in a piece of work: the numbers that pricing, placing and the startup's own page read.

Import-light: findings are made in a child process and travel as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

Placed = tuple[tuple[str, tuple[int, ...]], ...]
"""Operations with their qubits."""


@dataclass(frozen=True, slots=True)
class CircuitFindings:
    """One decoded circuit, and how often the work's PUBs execute it.

    `active` qubits are those that have to be simulated; a circuit as wide as a device may have few. Gates and
    operations count by multiplicity over nested definitions and loops. `executions`, `shots` and `terms` are sums over
    the PUBs that use the circuit: parameter sets; shots of all of them; Pauli terms evaluated on all of them.
    """

    qubits: int
    active: int
    clbits: int
    depth: int
    gates_1q: int
    gates_2q: int
    operations: int
    clifford: bool
    measured: bool
    parameters: int
    mid_circuit: bool
    control_flow: bool
    executions: int = 0
    shots: int = 0
    terms: int = 0
    sampled: int = 0
    """Shots that a device needs for it: expectation values take some for every Pauli term, at most."""
    folded: int = 0
    """By how many shots of the circuit as sent its runs are longer, because extrapolation repeats gates."""
    exact: bool = False
    """Whether an expectation value is asked for with precision 0."""
    routed_us: int = 0
    """What its PUBs are expected to take on the engines that the router would choose, in µs; 0 where nobody looked."""
    routed_mib: int = 0
    """Below so much memory none of these engines can run it."""
    compiling_us: int = 0
    """What a portfolio of compilers is expected to take over it."""
    unsure: bool = False
    """Whether all of them may give up: they try within the time limit, and the job may fail without a result."""


@dataclass(frozen=True, slots=True)
class Findings:
    """One piece of work: its circuits in order, and the totals over its PUBs."""

    primitive: str
    circuits: tuple[CircuitFindings, ...]
    pubs: int
    parameter_sets: int
    executions: int
    shots: int
    qubits_max: int
    result_bytes: int
    only_devices: tuple[str, ...] = ()
    """Options asked for that nothing but a device can honour."""
    placed: tuple[Placed, ...] = ()
    """Of each circuit, where they are to run as they are: what they ask of a device."""

    def to_json(self) -> dict[str, Any]:
        """As `{"primitive", "circuits": [...], "totals": {...}}`, ready for JSON."""
        return {
            "primitive": self.primitive,
            # Written out: `asdict` copies deeply, and a batch has a thousand of these.
            "circuits": [{name: getattr(circuit, name) for name in _COUNTED} for circuit in self.circuits],
            "totals": {name: getattr(self, name) for name in _TOTALS},
            **({"only_devices": list(self.only_devices)} if self.only_devices else {}),
            **({"placed": self.placed} if self.placed else {}),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Findings:
        """The inverse of `to_json`; raises KeyError or TypeError on a document of another shape."""
        circuits: Sequence[Mapping[str, Any]] = document["circuits"]
        totals: Mapping[str, int] = document["totals"]
        return cls(
            primitive=document["primitive"],
            circuits=tuple(CircuitFindings(**circuit) for circuit in circuits),
            only_devices=tuple(document.get("only_devices", ())),
            placed=tuple(
                tuple((name, tuple(qubits)) for name, qubits in circuit) for circuit in document.get("placed", ())
            ),
            **{name: totals[name] for name in _TOTALS},
        )


_COUNTED = tuple(field.name for field in fields(CircuitFindings))
_OWN = ("primitive", "circuits", "only_devices", "placed")
_TOTALS = tuple(field.name for field in fields(Findings) if field.name not in _OWN)
