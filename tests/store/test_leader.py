"""Epochs only grow, also under a crowd of candidates. (What they forbid: conformance.)"""

from __future__ import annotations

from store import leader


def test_every_candidate_gets_an_epoch_of_its_own(database):
    futures = [database.writer.submit(lambda c, n=n: leader.acquire(c, "dispatcher", f"host-{n}")) for n in range(20)]
    assert [future.result(30) for future in futures] == list(range(1, 21))
    database.writer.run(lambda c: leader.hold(c, "dispatcher", 20))
