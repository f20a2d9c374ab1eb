"""A pytest plugin for Qiskit's own tests: puts our classes where the modules name Qiskit's, and writes what came out.

Loaded into a process of its own by test_peers.py. PEER_SUITE names the entry of SUITES, PEER_OUTCOMES the file for the
outcomes: one JSON object a line with the test, the subtest if it is one's, the outcome and the last line of the error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import qiskit_aer

from qubator import Client, EstimatorV2, RemoteBackend, SamplerV2
from qubator.remote_backend import find_backend


def our_simulator(*_: Any, **__: Any) -> RemoteBackend:
    """In the place of a simulator that takes any circuit."""
    return find_backend(Client(), "aer")


class OurCoupled(RemoteBackend):
    """In the place of a device with few gates and couplings; the service's simulator stands behind it."""

    def __init__(
        self,
        num_qubits: int,
        basis_gates: Sequence[str] = ("cx", "id", "rz", "sx", "x"),
        *,
        coupling_map: Any = None,
        **_: Any,
    ) -> None:
        client = Client()
        record = next(each for each in client.backends() if each["name"] == "aer")
        edges = list(permutations(range(num_qubits), 2)) if coupling_map is None else coupling_map
        device = {"qubits_max": num_qubits, "basis_gates": list(basis_gates), "coupling_map": edges}
        super().__init__({**record, **device}, client)


BACKENDS: dict[str, Callable[..., Any]] = {
    "BasicSimulator": our_simulator,
    "GenericBackendV2": OurCoupled,
    "Level1BackendV2": OurCoupled,
}
SUITES: dict[str, dict[str, Callable[..., Any]]] = {
    "StatevectorSampler": {"StatevectorSampler": SamplerV2},
    "StatevectorEstimator": {"StatevectorEstimator": EstimatorV2},
    "BackendSamplerV2 over our backend": BACKENDS,
    "BackendEstimatorV2 over our backend": BACKENDS,
    "BackendSamplerV2": {**BACKENDS, "BackendSamplerV2": SamplerV2},
    "BackendEstimatorV2": {**BACKENDS, "BackendEstimatorV2": EstimatorV2},
}
"""By suite: what stands in its module for which class."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Replace the names."""
    classes = SUITES[os.environ["PEER_SUITE"]]
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        for name, ours in classes.items():
            if hasattr(module, name):
                setattr(module, name, ours)
    if "BasicSimulator" in classes:
        qiskit_aer.AerSimulator = our_simulator  # a test imports it where it is used


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write one line for each test and subtest, and for what failed around one."""
    if report.when != "call" and not report.failed:
        return
    context = getattr(report, "context", None)
    crash = getattr(report.longrepr, "reprcrash", None)
    row = {
        "test": report.nodeid.rpartition("::")[2],
        "subtest": None if context is None else str(context.msg),
        "outcome": report.outcome,
        "error": "" if report.passed else str(crash.message if crash else report.longrepr)[:2000],
    }
    with Path(os.environ["PEER_OUTCOMES"]).open("a") as outcomes:
        outcomes.write(json.dumps(row) + "\n")
