"""A trial: how circuits run under a recipe, and what the search keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from qiskit.circuit import QuantumCircuit

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled
from backends.compiling.isa import check_isa
from backends.mitigation.cost import Cost
from backends.mitigation.folding import folded
from backends.mitigation.measuring import terms_of
from backends.mitigation.options import MitigationOptions, Zne
from backends.mitigation.trying import Recipe, Runner, Trial, search
from backends.mitigation.twins import twin_of

LABELS = ["ZIIII", "ZZIII", "IXXII", "IIIIZ"]


@pytest.fixture
def trial(compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]) -> Trial:
    return Trial(calibrated, device(0.02, readout=(0.02, 0.05)), terms_of(LABELS, compiled.final_layout), 1000, 4)


def test_shots_are_divided_among_copies(trial: Trial, compiled: Compiled) -> None:
    counts = trial.counts(compiled.circuit, Recipe(twirls=3), [1.0])
    assert [sum(each.values()) for each in counts[1.0]] == [1002] * len(trial.bases)
    assert trial.spent == Cost(3 * len(trial.bases), 1002 * len(trial.bases))


def test_factors_are_keyed_by_what_they_came_to(trial: Trial, compiled: Compiled) -> None:
    gates = compiled.circuit.count_ops()["cz"]
    counts = trial.counts(compiled.circuit, Recipe(), [1.0, 1.01, 2.0])
    assert list(counts) == [1.0, 1 + 2 * round(gates / 2) / gates], "1.01 asks for less than one gate more"


def test_whatever_runs_is_the_devices_own(compiled: Compiled, calibrated: Calibrated) -> None:
    seen: list[QuantumCircuit] = []

    def run(circuits: Sequence[QuantumCircuit], shots: int) -> list[dict[str, int]]:
        """Every bit is 1 where a circuit begins with a pulse on it, as the calibration's second does."""
        seen.extend(circuits)
        ones = [circuit.data[0].name == "x" for circuit in circuits]
        return [{"01"[one] * circuit.num_clbits: shots} for one, circuit in zip(ones, circuits, strict=True)]

    trial = Trial(calibrated, run, terms_of(LABELS, compiled.final_layout), 100, 4)
    trial.counts(compiled.circuit, Recipe("XY4", 2), [1.0, 3.0])
    trial.calibrate([0, 3])
    assert len(seen) == 2 * 2 * len(trial.bases) + 2
    for circuit in seen:
        check_isa(circuit, calibrated.target)


def test_folded_gates_are_not_optimised_away(trial: Trial, compiled: Compiled) -> None:
    amplified, _ = folded(compiled.circuit, 3)
    assert trial.native(amplified).count_ops()["cz"] == 3 * compiled.circuit.count_ops()["cz"]


def test_the_search_keeps_what_helps_and_says_what_did_not(trial: Trial, compiled: Compiled) -> None:
    trial.shots = 16_000
    twin = twin_of(compiled.circuit, trial.terms, 4)
    recipe, seen = search(trial, twin, MitigationOptions("XX", 0, True, Zne()))
    rows = {row["method"]: row for row in seen}
    assert list(rows) == ["dynamical_decoupling", "measure_mitigation", "zne"]
    assert rows["measure_mitigation"]["applied"]
    assert rows["zne"]["applied"]
    assert rows["zne"]["twin_error_after"] < rows["measure_mitigation"]["twin_error_after"]
    assert not rows["dynamical_decoupling"]["applied"], "nothing happens to qubits that wait"
    assert rows["dynamical_decoupling"]["why"].endswith("scatter of the shots, not applied")
    assert recipe.errors is not None
    assert (recipe.decoupling, recipe.zne) == (None, Zne())
