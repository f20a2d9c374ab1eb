"""Routes as people and programs read them: JSON, and no number beyond any bound."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from qiskit.circuit import QuantumCircuit

from api.schemas.routes import IdealRoute
from backends.engines.port import Budget
from backends.route_document import document
from backends.routes import routes_of
from backends.work import decode


@pytest.fixture
def told(desk: Any) -> Any:
    """The document of a sampler's circuit, as it arrives."""

    def tell(circuit: QuantumCircuit) -> Any:
        circuit.measure_all()
        work = decode(desk.sampler(circuit), desk.limits)
        found = orjson.loads(orjson.dumps(document(routes_of(work, desk.limits, Budget(4 << 30, 60.0)))))
        IdealRoute.model_validate(found)
        return found

    return tell


def test_features_candidates_predictions_and_choice(told: Any) -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rx(0.3, 1)
    circuit.cx(1, 2)
    found = told(circuit)
    (pub,) = found["pubs"]
    assert (pub["pub"], pub["circuit"], pub["by"], pub["components"]) == (0, 0, "router", 1)
    (part,) = pub["parts"]
    assert part["features"] == {
        "qubits": 3,
        "gates": 4,
        "two_qubit_gates": 2,
        "non_clifford_gates": 1,
        "arbitrary_angles": 1,
        "mid_circuit": 0,
        "cut_width": 1,
        "branching": 2,
        "scrambling": 0.0,
    }
    names = [one["engine"] for one in part["candidates"]]
    assert {"aer.statevector", "sparse", "mps"} <= set(names)
    assert all(one["least_s"] <= one["seconds"] for one in part["candidates"] if one["seconds"] is not None)
    assert part["unfit"]["stim"] == "it runs Clifford gates only"
    assert not set(names) & set(part["unfit"])
    assert part["tries"][-1]["at_most_s"] is None, "the last one is run to its end"
    assert found["sure"]
    assert found["seconds"] == pub["seconds"] == part["seconds"]


def test_what_has_no_bound_is_null(told: Any) -> None:
    circuit = QuantumCircuit(70)
    for layer in range(70):
        for qubit in range(70):
            circuit.u(0.3 + 0.017 * layer * qubit, 1.1 + 0.013 * layer * qubit, 0.7 + 0.011 * qubit, qubit)
        for qubit in range(layer % 2, 69, 2):
            circuit.cx(qubit, qubit + 1)
    (pub,) = told(circuit)["pubs"]
    assert (pub["seconds"], pub["memory_mib"], pub["sure"]) == (None, None, False)


def test_work_that_is_too_long_says_so() -> None:
    assert document(None) == {"pubs": None, "seconds": None, "sure": False}
