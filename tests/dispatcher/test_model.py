"""What crosses the border to the HTTP face."""

from __future__ import annotations

import dataclasses

import pytest

from dispatcher.model import Caller, Refusal, Submission


def test_a_caller_of_a_project_sees_that_project_alone() -> None:
    ann = Caller("ann", "acme", "admin", "tok")
    assert (ann.sees("acme"), ann.sees("zeta")) == (True, False)


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_a_caller_of_the_facility_sees_every_project(role: str) -> None:
    assert Caller("olga", None, role, "tok").sees("acme")


def test_the_values_do_not_change() -> None:
    for value in (Caller("a", None, "operator", "t"), Submission("sampler", b"", "auto", "h"), Refusal("no", "No.")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, "x")


def test_what_a_submission_does_not_say() -> None:
    asked = Submission("estimator", b"{}", "aer", "sha256:1")
    assert (asked.priority, asked.tags, asked.metadata, asked.max_cost, asked.project_id) == (0, (), {}, None, None)
    assert asked.time_limit_us is None
