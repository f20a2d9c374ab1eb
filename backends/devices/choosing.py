"""Which way of simulating noise suits a circuit: exact where small, frames for Clifford circuits, else trajectories."""

from __future__ import annotations

from dataclasses import replace

from backends.devices import density, frames, trajectories
from backends.devices.roads import Noisy, Sampled
from backends.engines.on_aer import AerMethod
from backends.engines.port import Budget, Unsuited
from backends.rejected import Rejected
from backends.router.features import Features, features_of
from backends.router.predicting import predict

EXACT_S = 3.0
"""The exact way is taken up to here even where another is quicker."""
_METHODS: tuple[AerMethod, ...] = ("statevector", "matrix_product_state", "stabilizer")


def sample(noisy: Noisy, shots: int, seed: int, budget: Budget) -> Sampled:
    """Outcomes of a scheduled circuit. Refuses with backend_infeasible what fits into no memory."""
    features = features_of(noisy.program)
    exact = is_exact(noisy)
    if exact and density.seconds(noisy) <= EXACT_S:
        return density.sample(noisy, shots, seed)
    note = ""
    if features.traits.clifford:
        if frames.available():
            try:
                return frames.sample(noisy, shots, seed)
            except Unsuited as reason:
                note = f"not on Stim: {reason}"
        else:
            note = "Stim, which runs such circuits sooner, is not installed"
    seconds, method = quickest(features, shots, budget)
    if exact and density.seconds(noisy) <= seconds:
        return density.sample(noisy, shots, seed)
    order = features.order if method == "matrix_product_state" else None
    found = trajectories.sample(noisy, shots, seed, method, order)
    return Sampled(found.bits, replace(found.how, note=note))


def is_exact(noisy: Noisy) -> bool:
    """Whether the density matrix tells all outcomes."""
    return noisy.outcome is not None and len(noisy.lines) <= density.QUBITS_MAX


def quickest(features: Features, shots: int, budget: Budget) -> tuple[float, AerMethod]:
    """The method whose trajectories are done first, and when; one run a shot, as if no two drew the same errors."""
    able: list[tuple[float, AerMethod]] = []
    for method in _METHODS:
        if method == "stabilizer" and not features.traits.clifford:
            continue
        predicted = predict(f"aer.{method}", features, 1)
        if predicted.memory_bytes <= budget.memory_bytes:
            able.append((shots * predicted.seconds, method))
    if not able:
        busy = features.traits.busy
        detail = f"the circuit entangles {busy} qubits so much that no simulation of its noise fits into this memory"
        raise Rejected("backend_infeasible", f"{detail}; use fewer qubits or gates", {"qubits": busy})
    return min(able)
