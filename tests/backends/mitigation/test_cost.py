"""The cost before anything runs: by hand, and as a bound on what does run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from qiskit.circuit import QuantumCircuit

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled
from backends.mitigation.applying import estimate
from backends.mitigation.cost import CALIBRATION_SHOTS, Cost, cost_of, folded_shots, plain_cost
from backends.mitigation.measuring import bases_of, terms_of
from backends.mitigation.options import MitigationOptions, Zne
from backends.mitigation.trying import Runner


def test_no_mitigation_costs_nothing_more() -> None:
    assert cost_of(MitigationOptions(), 3, 100, 4) == plain_cost(3, 100, 4) == Cost(12, 1200)


@pytest.mark.parametrize(
    ("options", "circuits", "shots"),
    [
        (MitigationOptions(decoupling="XX"), 6 + 3 + 3, 600 + 300 + 300),
        (MitigationOptions(readout=True), 6 + 3 + 2, 600 + 300 + 2 * CALIBRATION_SHOTS),
        (MitigationOptions(twirls=8), 48 + 3 + 24, 6 * 104 + 300 + 3 * 104),
        (MitigationOptions(zne=Zne()), 18 + 3 + 6, 1800 + 300 + 600),
        (MitigationOptions(twirls=8, zne=Zne()), 144 + 3 + 24 + 48, 18 * 104 + 300 + 3 * 104 + 6 * 104),
    ],
)
def test_each_method_by_hand(options: MitigationOptions, circuits: int, shots: int) -> None:
    """Three bases, a hundred shots, two parameter sets: the result, then the twin as it is, then with the methods."""
    assert cost_of(options, 3, 100, 2) == Cost(circuits, shots)


@pytest.mark.parametrize(
    "options",
    [
        MitigationOptions(),
        MitigationOptions("XX", 4, True, Zne()),
        MitigationOptions(readout=True),
        MitigationOptions(twirls=3, zne=Zne((1.0, 2.0))),
    ],
    ids=str,
)
def test_no_more_runs_than_was_quoted(
    options: MitigationOptions, compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    inner, ran = device(0.02, readout=(0.02, 0.05)), [0, 0]

    def run(circuits: Sequence[QuantumCircuit], shots: int) -> Any:
        ran[0] += len(circuits)
        ran[1] += len(circuits) * shots
        return inner(circuits, shots)

    terms = terms_of(["ZZIII", "IIXXI", "IIIIZ"], compiled.final_layout)
    found = estimate(compiled.circuit, terms, calibrated, options, run, 200, 1)
    assert found.cost == Cost(*ran), "what is told is what ran"
    quoted = cost_of(options, len(bases_of(terms)), 200)
    assert (found.cost.circuits, found.cost.shots) <= (quoted.circuits, quoted.shots)
    assert found.cost.shots <= quoted.shots


def test_folded_circuits_are_as_much_longer_as_noise_is_stronger() -> None:
    """Factors 1, 2 and 3.5: each base costs (1 + 2.5) × 100 shots more for the twin and each of two parameter sets."""
    assert folded_shots(MitigationOptions(zne=Zne((1.0, 2.0, 3.5))), 3, 100, 2) == 3 * 3 * 350
    assert folded_shots(MitigationOptions(twirls=8, zne=Zne((1.0, 3.0))), 1, 100) == 2 * 2 * 104
    assert folded_shots(MitigationOptions("XX", 8, True), 3, 100, 2) == 0
