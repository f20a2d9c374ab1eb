"""Compile a circuit for a target and say how good the outcome is: the one road that every device takes.

Equal circuits, targets and options give equal compiled circuits, whatever the machine is doing besides. Parameters stay
symbolic: a circuit is compiled once for all its bindings.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.exceptions import QiskitError

from backends.compiling.blocks import NotRewritten, is_dynamic, rewritten, unrolled
from backends.compiling.calibrated import Calibrated
from backends.compiling.content import content_key
from backends.compiling.figures import Figures, figures_of
from backends.compiling.isa import check_isa
from backends.compiling.members import QISKIT, Member, passes_for, portfolio, pre_passes
from backends.compiling.options import SEED_MAX, CompileOptions
from backends.rejected import Rejected

_REMEMBERED = 256
_REMEMBERED_INSTRUCTIONS = 200_000
AS_IS = "as is"


@dataclass(frozen=True, slots=True)
class Tried:
    """One member of a portfolio: its figures, or why it has none."""

    name: str
    figures: Figures | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A circuit over the target's own gates and qubits, which nobody may change.

    Qubit i of the given circuit begins on `initial_layout[i]` and ends on `final_layout[i]`. `parameters` are the
    places, among the given circuit's parameters, of those that are left; `bind` takes values of all of them.
    """

    circuit: QuantumCircuit
    initial_layout: tuple[int, ...]
    final_layout: tuple[int, ...]
    parameters: tuple[int, ...]
    figures: Figures
    compiler: str
    versions: Mapping[str, str]
    tried: tuple[Tried, ...] = ()
    left_out: tuple[str, ...] = ()

    def bind(self, values: Sequence[float]) -> QuantumCircuit:
        """The compiled circuit with numbers for the given circuit's parameters, in their order."""
        if not self.parameters:
            return self.circuit
        return self.circuit.assign_parameters([values[place] for place in self.parameters])

    def to_json(self) -> dict[str, Any]:
        """For a result's metadata."""
        told: dict[str, Any] = {
            "compiler": self.compiler,
            "versions": dict(self.versions),
            **self.figures.to_json(),
            "initial_layout": list(self.initial_layout),
            "final_layout": list(self.final_layout),
        }
        if self.tried:
            told["tried"] = _summary(self.tried)
        return told | ({"left_out_by_budget": list(self.left_out)} if self.left_out else {})


def _summary(tried: Sequence[Tried]) -> dict[str, Any]:
    """For each compiler how many runs it had, and the best of its figures or why it has none."""
    told: dict[str, Any] = {}
    for each in tried:
        kind = each.name.partition(", then")[0] if ", then" in each.name else "Qiskit"
        row = told.setdefault(kind, {"runs": 0})
        if each.figures is None:
            row["failed"] = each.reason
            continue
        row["runs"] += 1
        row["predicted_success"] = max(row.get("predicted_success", 0.0), each.figures.predicted_success)
        least = min(row.get("two_qubit_gates", each.figures.two_qubit_gates), each.figures.two_qubit_gates)
        row["two_qubit_gates"] = least
    return told


def compile_circuit(
    circuit: QuantumCircuit, calibrated: Calibrated, options: CompileOptions, key: bytes | None = None
) -> Compiled:
    """The circuit for the target, remembered by content. `key` stands for the content where the caller has one.

    Refuses with circuit_not_isa (mode as-is), backend_infeasible (too wide, or nothing the target could do) and
    option_invalid (a layout that does not fit).
    """
    place = _place(circuit if key is None else key, calibrated, options)
    known = _memory.get(place)
    if known is None:
        known = _compile(circuit, calibrated, options)
        _memory.put(place, known)
    return known


def forget() -> None:
    """Empty the memory of compiled circuits."""
    _memory.clear()


def _compile(circuit: QuantumCircuit, calibrated: Calibrated, options: CompileOptions) -> Compiled:
    if options.mode == "as-is":
        check_isa(circuit, calibrated.target)
        here = tuple(range(circuit.num_qubits))
        places = tuple(range(circuit.num_parameters))
        return Compiled(circuit, here, here, places, figures_of(circuit, calibrated), AS_IS, {})
    _check_fit(circuit, calibrated, options)
    if options.mode == "single":
        member = Member(options.level, options.seed)
        return _shaped(circuit, _run(circuit, calibrated, member, options), calibrated, member)
    return _best(circuit, calibrated, options)


def _best(circuit: QuantumCircuit, calibrated: Calibrated, options: CompileOptions) -> Compiled:
    """Every member of the portfolio, and the best of them: by predicted success, then two-qubit gates, depth, order."""
    dynamic = is_dynamic(circuit)
    flat = circuit if dynamic else _unrolled(circuit)
    seed = min(options.seed, SEED_MAX - 100)
    members, cut = portfolio(seed, flat.size(), options.budget_ms, foreign=not dynamic)
    prepared: dict[str, QuantumCircuit | str] = {}
    best: Compiled | None = None
    tried: list[Tried] = []
    for member in members:
        source: QuantumCircuit | str = circuit
        if member.pre_pass is not None:
            if member.pre_pass not in prepared:
                prepared[member.pre_pass] = _prepare(flat, member.pre_pass)
            source = prepared[member.pre_pass]
        if isinstance(source, str):
            tried.append(Tried(member.name, None, source))
            continue
        made = _shaped(circuit, _run(source, calibrated, member, options), calibrated, member)
        tried.append(Tried(member.name, made.figures))
        if best is None or _rank(made.figures) < _rank(best.figures):
            best = made
    assert best is not None  # the first member has no pre-pass
    return replace(best, tried=tuple(tried), left_out=tuple(member.name for member in cut))


def _rank(figures: Figures) -> tuple[float, int, int]:
    """Smaller is better. Predictions are compared to nine digits: beyond them is rounding, not quality."""
    return -round(figures.log_success, 9), figures.two_qubit_gates, figures.depth


def _prepare(flat: QuantumCircuit, name: str) -> QuantumCircuit | str:
    """The circuit after a pre-pass, or why it has none."""
    try:
        return rewritten(flat, pre_passes()[name].rewrite)
    except NotRewritten as reason:
        return str(reason)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:  # what foreign code raises on circuits it dislikes
        return f"{type(error).__name__}: {error}"[:200]


def _unrolled(circuit: QuantumCircuit) -> QuantumCircuit:
    try:
        return unrolled(circuit)
    except QiskitError as error:
        raise _infeasible(error) from error


def _run(circuit: QuantumCircuit, calibrated: Calibrated, member: Member, options: CompileOptions) -> QuantumCircuit:
    try:
        made: QuantumCircuit = passes_for(calibrated, member.level, member.seed, options.layout).run(circuit)
    except QiskitError as error:
        raise _infeasible(error) from error
    return made


def _infeasible(error: Exception) -> Rejected:
    said = " ".join(str(getattr(error, "message", None) or error).split())[:300]
    detail = f"the circuit cannot be compiled for this device: {said}"
    return Rejected("backend_infeasible", detail, {})


def _shaped(given: QuantumCircuit, made: QuantumCircuit, calibrated: Calibrated, member: Member) -> Compiled:
    layout = made.layout
    if layout is None:
        initial = final = tuple(range(given.num_qubits))
    else:
        initial = tuple(layout.initial_index_layout(filter_ancillas=True))
        final = tuple(layout.final_index_layout(filter_ancillas=True))
    left = {parameter: place for place, parameter in enumerate(given.parameters)}
    made.name, made.metadata = "compiled", {}
    versions = {"qiskit": QISKIT}
    if member.pre_pass is not None:
        pre_pass = pre_passes()[member.pre_pass]
        versions[pre_pass.library] = pre_pass.version
    return Compiled(
        made,
        initial,
        final,
        tuple(left[parameter] for parameter in made.parameters),
        figures_of(made, calibrated),
        member.name,
        versions,
    )


def _check_fit(circuit: QuantumCircuit, calibrated: Calibrated, options: CompileOptions) -> None:
    width, there = circuit.num_qubits, calibrated.qubits
    if width > there:
        detail = f"the circuit has {width} qubits and the device {there}; use fewer, or a wider device"
        raise Rejected("backend_infeasible", detail, {"qubits": width, "qubits_max": there})
    layout = options.layout
    if layout is None:
        return
    if len(layout) != width:
        detail = f"initial_layout names {len(layout)} qubits, the circuit has {width}: name one for each"
        raise Rejected("option_invalid", detail, {"option": "compilation.initial_layout", "qubits": width})
    beyond = [place for place in layout if place >= there]
    if beyond:
        detail = f"initial_layout names qubit {beyond[0]}, the device has {there}, counted from 0"
        raise Rejected("option_invalid", detail, {"option": "compilation.initial_layout", "qubits_max": there})


class _Memory:
    """The circuits compiled last, bounded in number and in instructions."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Compiled] = OrderedDict()
        self._instructions = 0

    def get(self, place: bytes | None) -> Compiled | None:
        """What is remembered there, now as the last used."""
        found = None if place is None else self._kept.get(place)
        if found is not None and place is not None:
            self._kept.move_to_end(place)
        return found

    def put(self, place: bytes | None, made: Compiled) -> None:
        """Keep it, and let go of what was not used for longest."""
        size = len(made.circuit.data)
        if place is None or size > _REMEMBERED_INSTRUCTIONS:
            return
        self._kept[place] = made
        self._instructions += size
        while len(self._kept) > _REMEMBERED or self._instructions > _REMEMBERED_INSTRUCTIONS:
            _, oldest = self._kept.popitem(last=False)
            self._instructions -= len(oldest.circuit.data)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._instructions = 0


_memory = _Memory()


def _place(content: QuantumCircuit | bytes, calibrated: Calibrated, options: CompileOptions) -> bytes | None:
    """The key of the memory; None for a circuit that cannot be written down."""
    told = blake2b(calibrated.key, digest_size=16)
    told.update(repr((options, QISKIT, sorted(pre_passes()))).encode())
    if isinstance(content, bytes):
        told.update(content)
        return told.digest()
    key = content_key(content)
    if key is None:
        return None
    told.update(key)
    return told.digest()
