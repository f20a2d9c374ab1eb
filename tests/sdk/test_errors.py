"""Problems become exceptions that code can branch on and people can read."""

from __future__ import annotations

import pickle

import pytest

from qubator import errors
from qubator.errors import from_problem


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AuthError),
        (403, errors.AuthError),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (402, errors.Refused),
        (413, errors.Refused),
        (422, errors.Refused),
        (429, errors.RateLimited),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
def test_each_status_has_its_class(status: int, kind: type[errors.QubatorError]) -> None:
    assert type(from_problem(status, {"code": "x", "detail": "d"})) is kind


def test_a_problem_keeps_its_code_its_sentence_and_its_numbers() -> None:
    document = {
        "type": "/problems/grant_exhausted", "title": "t", "status": 402, "instance": "/v1/jobs",
        "detail": "The grants do not cover this job.", "code": "grant_exhausted", "needed": 7, "available": 3,
    }  # fmt: skip
    error = from_problem(402, document)
    assert str(error) == "The grants do not cover this job. [grant_exhausted]"
    assert error.fields == {"needed": 7, "available": 3}
    assert error.to_json() == {
        "code": "grant_exhausted", "status": 402, "detail": "The grants do not cover this job.",
        "needed": 7, "available": 3,
    }  # fmt: skip


@pytest.mark.parametrize("body", [None, "<html>", ["no"], {}])
def test_an_answer_of_a_proxy_in_between_is_told_by_its_status(body: object) -> None:
    error = from_problem(502, body)
    assert (error.code, error.detail) == ("http_502", "the service answered with status 502")


def test_errors_travel_between_processes() -> None:
    error = from_problem(429, {"code": "queue_full", "detail": "full", "limit": 5}, 2.0)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is errors.RateLimited
    assert (str(copy), copy.fields, copy.retry_after_s) == ("full [queue_full]", {"limit": 5}, 2.0)


def test_a_wait_that_is_over_is_a_timeout_in_pythons_words_too() -> None:
    with pytest.raises(TimeoutError):
        raise errors.WaitTimeout("still queued", code="wait_timeout")
