"""What is known of a device: qubits, gates, durations, overheads, and where each figure comes from.

Import-light. Times are nanoseconds (microseconds where a name ends so); errors are one minus the average fidelity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["superconducting", "neutral_atom", "generic"]

ASSUMED = "assumed"
"""How the source of a figure begins that nobody has published: what follows says why this value."""

VIRTUAL = frozenset({"rz", "p", "u1", "z", "s", "sdg", "t", "tdg"})
"""Turns about Z are a change of phase in software on every device here: no time, no error."""

READY = ("delay", "measure", "reset")
"""What every qubit that works can do besides its gates."""

BRANCHES = frozenset({"if_else", "for_loop", "switch_case"})
"""What a dynamic device takes."""


@dataclass(frozen=True, slots=True)
class QubitFigures:
    """One qubit. `reads_1_of_0` is how often a 0 is read as 1, `reads_0_of_1` the opposite."""

    t1_ns: float
    t2_ns: float
    reads_1_of_0: float
    reads_0_of_1: float
    readout_ns: float
    frequency_hz: float | None = None

    @property
    def readout_error(self) -> float:
        """The mean over both outcomes."""
        return (self.reads_1_of_0 + self.reads_0_of_1) / 2


@dataclass(frozen=True, slots=True)
class GateFigures:
    """One gate where it may act; `qubits` None stands for any qubits, each set with these figures."""

    name: str
    qubits: tuple[int, ...] | None
    error: float
    duration_ns: float


@dataclass(frozen=True, slots=True)
class Overheads:
    """What a device bills beside the circuit itself: for every shot the delay between repetitions and the reset of the
    qubits, for every job the time to load it."""

    rep_delay_ns: float
    reset_ns: float
    job_us: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How far figures wander from day to day: the standard deviation of their logarithms, and how much of yesterday's
    deviation is left today."""

    seed: int
    times: float
    errors: float
    memory: float


@dataclass(frozen=True, eq=False)
class Device:
    """A simulated processor; two are equal only if they are the same object.

    `sources` names for every kind of figure where it comes from, or begins with "assumed".

    `dead` lists qubits and couplings of the original that are kept out because they do not work. `calibrated` is the
    day (YYYY-MM-DD) of the figures. `dynamic`: whether outcomes may steer later gates. `feedback_ns` is how long such
    an outcome takes to arrive.
    """

    name: str
    title: str
    description: str
    kind: Kind
    qubits: tuple[QubitFigures, ...]
    gates: tuple[GateFigures, ...]
    overheads: Overheads
    feedback_ns: float
    dynamic: bool
    calibrated: str
    drift: Drift
    sources: tuple[tuple[str, str], ...]
    dead_qubits: tuple[int, ...] = ()
    dead_edges: tuple[tuple[int, int], ...] = ()
    dt_ns: float | None = None

    @property
    def width(self) -> int:
        """How many qubits it has, dead ones among them: qubits keep their numbers."""
        return len(self.qubits)

    @property
    def live(self) -> tuple[int, ...]:
        """The qubits that work."""
        dead = set(self.dead_qubits)
        return tuple(qubit for qubit in range(self.width) if qubit not in dead)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...] | None:
        """Where two qubits meet, in the direction of the gate; None where any two may."""
        if all(gate.qubits is None for gate in self.gates):
            return None
        pairs = dict.fromkeys(gate.qubits for gate in self.gates if gate.qubits and len(gate.qubits) == 2)
        return tuple((pair[0], pair[1]) for pair in pairs)

    @cached_property
    def native(self) -> tuple[str, ...]:
        """The gates that the device has, in alphabetical order."""
        return tuple(sorted({gate.name for gate in self.gates}))

    @cached_property
    def figures(self) -> dict[tuple[str, tuple[int, ...] | None], GateFigures]:
        """Gates by name and qubits."""
        return {(gate.name, gate.qubits): gate for gate in self.gates}

    @cached_property
    def longest_gate_ns(self) -> float:
        """The longest of its gates."""
        return max(gate.duration_ns for gate in self.gates)

    @cached_property
    def longest_readout_ns(self) -> float:
        """The longest readout."""
        return max(self.qubits[qubit].readout_ns for qubit in self.live)

    @property
    def assumptions(self) -> tuple[tuple[str, str], ...]:
        """What nobody has published, and what stands in its place."""
        return tuple((figure, source) for figure, source in self.sources if source.startswith(ASSUMED))

    def takes(self, name: str, qubits: tuple[int, ...]) -> bool:
        """Whether it has this operation on these qubits, as it stands."""
        if name in BRANCHES:
            return self.dynamic
        if name in READY:
            return qubits[0] < self.width and qubits[0] not in self.dead_qubits
        return self.gate(name, qubits) is not None

    def gate(self, name: str, qubits: tuple[int, ...]) -> GateFigures | None:
        """The figures of a gate on these qubits; None where it cannot act."""
        return self.figures.get((name, qubits)) or self.figures.get((name, None))
