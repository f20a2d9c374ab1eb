"""Time jumps; order is kept."""

from __future__ import annotations

from simulation.agenda import START_US, Agenda


def test_acts_come_by_moment_and_then_in_the_order_they_were_put_down() -> None:
    agenda, done = Agenda(), list[str]()
    agenda.at(START_US + 5, lambda: done.append("late"))
    agenda.at(START_US + 1, lambda: done.append("first"))
    agenda.at(START_US + 1, lambda: done.append("second"))
    agenda.after(2, lambda: agenda.at(START_US, lambda: done.append(f"overdue at {agenda.now_us - START_US}")))
    while agenda.step():
        pass
    assert done == ["first", "second", "overdue at 2", "late"]
    assert agenda.now_us == START_US + 5
