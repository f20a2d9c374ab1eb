"""Lots are drawn by the job, and the young are watched more closely."""

from __future__ import annotations

import numpy as np

from backends.trust.oversight import UNWATCHED, Oversight, lot_of


def test_lots_are_spread_evenly_and_belong_to_the_job() -> None:
    lots = np.array([lot_of(f"job_{number}") for number in range(4000)])
    assert 20 < (lots < 0.01).sum() < 65
    assert 0.45 < lots.mean() < 0.55
    assert lot_of("job_1") == lot_of("job_1") != lot_of("job_2")


def test_nobody_is_watched_unless_somebody_asks() -> None:
    assert not UNWATCHED.watches("prismq.mps")
    assert Oversight(0.01, 0.1, lot=0.05).watches("prismq.mps")
    assert not Oversight(0.01, 0.1, lot=0.05).watches("stim")
