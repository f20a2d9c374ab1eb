"""A backend as programs for older backends read it."""

from __future__ import annotations

from qubator.configuration import Configuration
from qubator.remote_backend import RemoteBackend


def test_it_tells_the_record_by_the_old_names() -> None:
    record = {
        "name": "line",
        "qubits_max": 3,
        "basis_gates": ["sx", "cz"],
        "coupling_map": [[0, 1], [1, 2]],
        "simulated": False,
        "shots_max": 9,
        "circuits_max": 5,
        "dt_ns": 2,
    }
    told = RemoteBackend(record).configuration()
    assert (told.backend_name, told.n_qubits, told.num_qubits, told.simulator) == ("line", 3, 3, False)
    assert (told.max_shots, told.max_experiments, told.max_circuits, told.dt) == (9, 5, 5, 2e-9)
    assert (told.basis_gates, told.coupling_map) == (("sx", "cz"), ((0, 1), (1, 2)))


def test_what_the_record_does_not_say_stays_open() -> None:
    told = RemoteBackend({"name": "aer"}).configuration()
    assert isinstance(told, Configuration)
    assert (told.coupling_map, told.max_shots, told.dt, told.simulator) == (None, None, None, True)
