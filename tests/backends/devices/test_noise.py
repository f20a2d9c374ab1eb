"""Channels against Qiskit's own quantum information: physical, of the stated error, and decaying as T1 and T2 say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import PTM, DensityMatrix, Operator, SuperOp, average_gate_fidelity, pauli_basis
from qiskit_aer.noise import depolarizing_error, thermal_relaxation_error

from backends.devices.noise import Channel, channel_of, noise_of, relaxing, single_channels
from backends.devices.scheduling import IDLE
from backends.program import Op

TIMES = st.floats(1e3, 1e6)
SHARES = st.floats(0.05, 2.0)


@given(st.lists(st.tuples(TIMES, SHARES), min_size=1, max_size=2), st.floats(0, 2e3), st.floats(1e-5, 0.3))
@settings(max_examples=60, deadline=None)
def test_a_gate_has_the_stated_average_error(
    parts: list[tuple[float, float]], duration_ns: float, error: float
) -> None:
    channel = channel_of([(t1, t1 * share) for t1, share in parts], duration_ns, error)
    exact = SuperOp(channel.superoperator)
    assert exact.is_cptp(atol=1e-9)
    assert 1 - average_gate_fidelity(exact) == pytest.approx(error, abs=1e-9)
    assert channel.error == pytest.approx(error, abs=1e-9)
    assert np.allclose(np.diag(PTM(exact).data).real, channel.transfer, atol=1e-12)


@given(st.lists(st.tuples(TIMES, SHARES), min_size=1, max_size=2), st.floats(0, 2e3), st.floats(1e-5, 0.3))
@settings(max_examples=30, deadline=None)
def test_the_twirl_is_the_same_channel_up_to_what_paulis_cannot_tell(
    parts: list[tuple[float, float]], duration_ns: float, error: float
) -> None:
    channel = channel_of([(t1, t1 * share) for t1, share in parts], duration_ns, error)
    assert channel.paulis.sum() == pytest.approx(1)
    assert channel.paulis.min() >= 0
    basis = pauli_basis(channel.width)
    twirled = sum(
        odds * SuperOp(Operator(pauli)).data for odds, pauli in zip(channel.paulis, _lowest_first(basis), strict=True)
    )
    assert np.allclose(np.diag(PTM(SuperOp(twirled)).data).real, channel.transfer, atol=1e-9)


def _lowest_first(basis: Any) -> list[Any]:
    """Pauli products in the order of a channel: the first qubit's letter counts lowest, which is Qiskit's rightmost."""
    letters = "IXYZ"
    places = {
        "".join(letters[(n >> 2 * k) & 3] for k in reversed(range(basis.num_qubits))): n for n in range(len(basis))
    }
    return sorted(basis, key=lambda pauli: places[pauli.to_label()])


def test_it_is_what_aers_own_errors_compose_to() -> None:
    channel = channel_of([(50e3, 30e3), (80e3, 20e3)], 300, 0.02)
    relaxations = [thermal_relaxation_error(50e3, 30e3, 300), thermal_relaxation_error(80e3, 20e3, 300)]
    whole = SuperOp(relaxations[0].expand(relaxations[1])).compose(SuperOp(depolarizing_error(1 - channel.kept, 2)))
    assert np.allclose(whole.data, channel.superoperator, atol=1e-12)


def test_where_decay_alone_is_worse_than_stated_its_time_is_shortened() -> None:
    plain = Channel(relaxing([(30.6e3, 5.3e3)], 28), 1.0)
    assert plain.error > 0.0014
    channel = channel_of([(30.6e3, 5.3e3)], 28, 0.0014)
    assert channel.kept == pytest.approx(1)
    assert channel.error == pytest.approx(0.0014)
    assert channel.decays[0][0] > plain.decays[0][0]


def test_three_qubits_make_the_stated_error_together() -> None:
    channels = single_channels([(1e8, 5e7)] * 3, 1e3, 0.02)
    process = math.prod(channel.transfer.sum() / 4 for channel in channels)
    assert 1 - (8 * process + 1) / 9 == pytest.approx(0.02)


def test_waiting_decays_exponentially(bench: Any) -> None:
    noise = noise_of(bench.line())
    ((qubits, channel),) = noise.of(Op(IDLE, (1,), (60_000.0,)))
    assert qubits == (1,)
    one = DensityMatrix.from_label("1").evolve(SuperOp(channel.superoperator))
    plus = DensityMatrix.from_label("+").evolve(SuperOp(channel.superoperator))
    assert one.data[1, 1].real == pytest.approx(math.exp(-0.6))
    assert 2 * plus.data[0, 1].real == pytest.approx(math.exp(-60 / 80))


def test_what_has_no_noise(bench: Any) -> None:
    noise = noise_of(bench.line())
    assert (
        noise.of(Op("rz", (0,), (0.3,))) == noise.of(Op("measure", (0,), (), (0,))) == noise.of(Op("reset", (0,))) == ()
    )
    assert noise.of(Op("x", (0,))) is noise.of(Op("x", (0,))), "remembered"
    assert noise_of(bench.device("nairobi-snapshot")).flips(0) == (0.037, 0.079)
