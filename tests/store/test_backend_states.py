"""What operators decide about backends, on both databases."""

from __future__ import annotations

import pytest

from store import backend_states
from store.rows import BackendRow


def test_the_last_decision_stands(database):
    database.writer.run(lambda c: backend_states.set_state(c, "aer", "offline", "broken", 10))
    database.writer.run(lambda c: backend_states.set_state(c, "aer", "online", "repaired", 20))
    database.writer.run(lambda c: backend_states.set_state(c, "aer-mps", "draining", "update", 15))
    with database.read() as connection:
        aer = BackendRow("aer", "online", "repaired", 20)
        assert backend_states.get_state(connection, "aer") == aer
        assert backend_states.get_state(connection, "other") is None
        assert backend_states.list_states(connection) == [aer, BackendRow("aer-mps", "draining", "update", 15)]


def test_a_state_that_does_not_exist(database):
    with pytest.raises(ValueError, match="a backend is online, draining, offline, not asleep"):
        database.writer.run(lambda c: backend_states.set_state(c, "aer", "asleep", "", 10))
