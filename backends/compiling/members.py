"""The compilers that a portfolio tries, in their order, and what each is expected to take.

A member is Qiskit's level 3 with a seed, alone or after another compiler's pre-pass. The list depends on the options,
the circuit's size and what is installed, never on the clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version

from qiskit.transpiler import PassManager, generate_preset_pass_manager

from backends.compiling.blocks import Rewrite
from backends.compiling.calibrated import Calibrated

LEVEL = 3
QISKIT = version("qiskit")
_MANAGERS_KEPT = 64

# What one run is expected to take: a start, and so much for each gate of the unrolled circuit. Fitted once to the 16
# circuits of benchmarks/compiling.py on one core; only whether the budget holds depends on it.
_ROUTING_MS, _ROUTING_PER_GATE_MS = 12.0, 0.08
_PRE_PASS_MS: Mapping[str, tuple[float, float]] = {"tket": (5.0, 0.4), "pyzx": (5.0, 0.5)}

# (pre-pass, how many seeds), in the order in which they are tried: what gains most for its time comes first.
_LIST: tuple[tuple[str | None, int], ...] = ((None, 4), ("pyzx", 4), (None, 4), ("tket", 3), (None, 8))


@dataclass(frozen=True, slots=True)
class PrePass:
    """Another compiler's part: what it does to unitary stretches, and its name and version."""

    rewrite: Rewrite
    library: str
    version: str


@dataclass(frozen=True, slots=True)
class Member:
    """One run: Qiskit at a level with a seed, after the pre-pass of that name if there is one."""

    level: int
    seed: int
    pre_pass: str | None = None

    @property
    def name(self) -> str:
        """As results tell it."""
        own = f"Qiskit level {self.level}, seed {self.seed}"
        return own if self.pre_pass is None else f"{self.pre_pass}, then {own}"


@cache
def pre_passes() -> Mapping[str, PrePass]:
    """The other compilers that are installed."""
    found: dict[str, PrePass] = {}
    try:
        from backends.compiling import on_tket

        found["tket"] = PrePass(on_tket.peephole, "pytket", on_tket.VERSION)
    except ImportError:
        pass
    try:
        from backends.compiling import on_pyzx

        found["pyzx"] = PrePass(on_pyzx.phases, "pyzx", on_pyzx.VERSION)
    except ImportError:
        pass
    return found


def portfolio(seed: int, gates: int, budget_ms: int, *, foreign: bool) -> tuple[list[Member], list[Member]]:
    """Who is tried, and who is left out because the budget would be exceeded. Plain level 3 is always tried, first.

    `gates` is the size of the unrolled circuit; `foreign`: whether other compilers may have it.
    """
    return _within(_listed(seed, pre_passes() if foreign else ()), gates, budget_ms)


def portfolio_ms(gates: int, budget_ms: int) -> float:
    """What a portfolio is expected to take over a circuit of so many gates, as if every pre-pass were installed."""
    kept, _ = _within(_listed(0, _PRE_PASS_MS), gates, budget_ms)
    begun: set[str] = set()
    spent_ms = 0.0
    for member in kept:
        spent_ms += expected(member, gates, begun)
        begun |= {member.pre_pass} if member.pre_pass else set()
    return spent_ms


def _listed(seed: int, there: Collection[str]) -> list[Member]:
    listed: list[Member] = []
    used: dict[str | None, int] = {}
    for pre_pass, count in _LIST:
        if pre_pass is not None and pre_pass not in there:
            continue
        start = used.get(pre_pass, 0)
        listed += [Member(LEVEL, seed + number, pre_pass) for number in range(start, start + count)]
        used[pre_pass] = start + count
    return listed


def _within(listed: Sequence[Member], gates: int, budget_ms: int) -> tuple[list[Member], list[Member]]:
    kept: list[Member] = []
    cut: list[Member] = []
    spent_ms = 0.0
    begun: set[str] = set()
    for member in listed:
        expected_ms = expected(member, gates, begun)
        if kept and spent_ms + expected_ms > budget_ms:
            cut.append(member)
            continue
        kept.append(member)
        spent_ms += expected_ms
        if member.pre_pass is not None:
            begun.add(member.pre_pass)
    return kept, cut


def expected(member: Member, gates: int, begun: set[str]) -> float:
    """Milliseconds that a member is expected to take; a pre-pass is done once, for its first member."""
    routing_ms = _ROUTING_MS + _ROUTING_PER_GATE_MS * gates
    if member.pre_pass is None or member.pre_pass in begun:
        return routing_ms
    start_ms, per_gate_ms = _PRE_PASS_MS[member.pre_pass]
    return routing_ms + start_ms + per_gate_ms * gates


@lru_cache(maxsize=_MANAGERS_KEPT)
def passes_for(calibrated: Calibrated, level: int, seed: int, layout: tuple[int, ...] | None) -> PassManager:
    """Qiskit's passes for a target; made once, for that takes about as long as running them on a small circuit."""
    return generate_preset_pass_manager(
        level, target=calibrated.target, seed_transpiler=seed, initial_layout=None if layout is None else list(layout)
    )
