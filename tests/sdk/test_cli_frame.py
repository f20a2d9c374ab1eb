"""Exit codes, and how an expected error is told."""

from __future__ import annotations

import json

import pytest

from qubator import errors
from qubator.cli_frame import EXIT_CODES, Frame, exit_code, tell


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.JobFailed("x", code="c"), 1),
        (errors.JobCancelled("x", code="c"), 1),
        (errors.NotConfigured("x"), 3),
        (errors.AuthError("x"), 3),
        (errors.NotFound("x"), 4),
        (errors.Refused("x"), 5),
        (ValueError("x"), 5),
        (errors.Conflict("x"), 6),
        (errors.RateLimited("x"), 7),
        (errors.Unavailable("x"), 7),
        (errors.WaitTimeout("x"), 7),
        (errors.QubatorError("x"), 7),
    ],
)
def test_exit_codes_tell_what_happened(error: Exception, code: int) -> None:
    assert exit_code(error) == code
    assert f"  {code}  " in EXIT_CODES


def test_an_error_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    tell(errors.Refused("no budget", code="grant_exhausted", status=402, fields={"needed": 5}), as_json=False)
    assert capsys.readouterr() == ("", "qubator: no budget [grant_exhausted]\n")


def test_with_json_the_problem_is_on_standard_output_too(capsys: pytest.CaptureFixture[str]) -> None:
    tell(errors.Refused("no budget", code="grant_exhausted", status=402, fields={"needed": 5}), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "problem": {"code": "grant_exhausted", "status": 402, "detail": "no budget", "needed": 5}
    }
    assert err == "qubator: no budget [grant_exhausted]\n"


def test_several_fields_in_error_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = [
        {"pointer": "/options/shots", "detail": "must be an integer"},
        {"pointer": "", "detail": "must be a JSON object"},
        {"parameter": "wait", "detail": "should be a valid number"},
    ]
    tell(errors.Refused("three are not valid", code="invalid_request", fields={"errors": wrong}), as_json=False)
    assert capsys.readouterr().err.splitlines() == [
        "qubator: three are not valid [invalid_request]",
        "  /options/shots must be an integer",
        "  the body must be a JSON object",
        "  wait should be a valid number",
    ]


def test_a_single_field_in_error_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [{"pointer": "/options/shots", "detail": "must be an integer"}]
    refusal = errors.Refused("/options/shots must be an integer.", code="invalid_request", fields={"errors": wrong})
    tell(refusal, as_json=False)
    assert capsys.readouterr().err == "qubator: /options/shots must be an integer. [invalid_request]\n"


def test_bars_are_drawn_in_what_the_terminal_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert Frame().bar == "#"
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert Frame().bar == "█"


def test_a_wait_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    wait = Frame(url="http://service.example").client(anonymous=True).connection.on_wait
    assert wait is not None
    wait(errors.Unavailable("no answer", code="unreachable"), 20.0)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "no answer" in err
    assert "trying again for up to 20 s" in err
