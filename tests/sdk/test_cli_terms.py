"""What is typed at the command line."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import click
import pytest

from qubator.cli_terms import AMOUNT, make_submission, parse_number, parse_observable, parse_parameters, read_circuit

QASM3 = 'OPENQASM 3.0;include "stdgates.inc";input float a;input float b;qubit q;rx(a+b) q;'


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.5", 0.5), ("-2e-3", -0.002), ("pi", math.pi), ("-pi/2", -math.pi / 2), ("3*pi/4", 3 * math.pi / 4),
     ("2pi", 2 * math.pi), (" 1.5 * π ", 1.5 * math.pi)],
)  # fmt: skip
def test_numbers_may_use_pi(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "pi/0", "1..2", "pi pi", "..*pi", "__import__('os')"])
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_number(text)


def test_parameters_by_name_single_or_swept() -> None:
    assert parse_parameters([]) is None
    assert parse_parameters(["a=1", "b=pi"]) == {"a": 1.0, "b": math.pi}
    assert parse_parameters(["a=1,2,3", "b=0.5"]) == {"a": [1.0, 2.0, 3.0], "b": [0.5, 0.5, 0.5]}


@pytest.mark.parametrize(
    ("given", "complaint"), [(["a"], "name=value"), (["=1"], "name=value"), (["a=1,2", "b=1,2,3"], "equally many")]
)
def test_parameters_that_make_no_sense(given: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_parameters(given)


@pytest.mark.parametrize(
    ("text", "observable"),
    [
        ("ZZ", "ZZ"),
        ("-ZZ", {"ZZ": -1.0}),
        ("0.5*ZZ - 1.2 XX + IY", {"ZZ": 0.5, "XX": -1.2, "IY": 1.0}),
        ("1e-3XX+XX", {"XX": 1.001}),
    ],
)
def test_observables_are_sums_of_pauli_strings(text: str, observable: Any) -> None:
    assert parse_observable(text) == observable


@pytest.mark.parametrize("text", ["", "A", "ZZ XX", "ZZ+Z", "0.5", "2**ZZ", "ZZ+"])
def test_what_is_no_observable(text: str) -> None:
    with pytest.raises(ValueError, match=r"Pauli"):
        parse_observable(text)


def test_amounts_are_decimals() -> None:
    assert AMOUNT.convert("1.25", None, None) == 1_250_000
    with pytest.raises(click.BadParameter, match="not an amount"):
        AMOUNT.convert("much", None, None)


def test_standard_input_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.qasm"
    path.write_text(QASM3)
    stdin = io.TextIOWrapper(io.BytesIO(QASM3.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert read_circuit("-") == read_circuit(str(path))


def submission(tmp_path: Path, **chosen: Any) -> dict[str, Any]:
    path = tmp_path / "a.qasm"
    path.write_text(QASM3)
    terms: dict[str, Any] = {"observables": (), "params": (), "precision": None, "shots": None, **chosen}
    return make_submission(str(path), **terms).to_json()


def test_a_sampler_job(tmp_path: Path) -> None:
    body = submission(tmp_path, params=("a=1", "b=2"), shots=5, tags=("x",))
    assert body["primitive"] == "sampler"
    assert body["pubs"] == [{"circuit": 0, "parameter_values": {"a": 1.0, "b": 2.0}}]
    assert (body["options"], body["tags"]) == ({"shots": 5}, ["x"])


def test_observables_make_an_estimator_job_and_a_sweep_is_crossed_with_them(tmp_path: Path) -> None:
    one = submission(tmp_path, observables=("Z",), params=("a=1", "b=2"), precision=0.1)
    assert (one["primitive"], one["options"]) == ("estimator", {"precision": 0.1})
    assert one["pubs"][0]["observables"] == "Z"
    assert submission(tmp_path, observables=("Z", "X"), params=("a=1", "b=2"))["pubs"][0]["observables"] == ["Z", "X"]
    swept = submission(tmp_path, observables=("Z", "X"), params=("a=1,2,3", "b=2"))["pubs"][0]
    assert swept["observables"] == [["Z"], ["X"]]
    assert swept["parameter_values"] == {"a": [1.0, 2.0, 3.0], "b": [2.0, 2.0, 2.0]}


@pytest.mark.parametrize("chosen", [{"precision": 0.1}, {"observables": ("Z",), "shots": 5}])
def test_terms_that_do_not_belong_together_are_wrong_usage(tmp_path: Path, chosen: dict[str, Any]) -> None:
    with pytest.raises(click.UsageError):
        submission(tmp_path, **chosen)


@pytest.fixture
def turn(tmp_path: Path) -> str:
    path = tmp_path / "turn.qasm"
    path.write_text(QASM3)
    return str(path)


def options_of(shell: Any, script: Any, file: str, *words: str) -> dict[str, Any]:
    """What the service is sent for such a command line."""
    script.say(script.answer(201, {"id": "job_1", "state": "queued"}))
    values = ("--param", "a=1", "--param", "b=2", "--backend", "generic")
    code, _, err = shell("submit", file, *values, *words)
    assert code == 0, err
    return dict(script.bodies()[-1]["options"])


def test_compiling_for_a_device_by_command_line(shell: Any, script: Any, turn: str) -> None:
    words = ("--compile", "single", "--optimization-level", "0", "--layout", "4, 0,1")
    assert options_of(shell, script, turn, *words)["compilation"] == {
        "mode": "single",
        "optimization_level": 0,
        "initial_layout": [4, 0, 1],
    }
    assert options_of(shell, script, turn, "--layout", "3")["compilation"] == {"initial_layout": [3]}
    assert "compilation" not in options_of(shell, script, turn)


def test_each_mitigation_by_command_line(shell: Any, script: Any, turn: str) -> None:
    words = [word for name in ("dd", "twirling", "readout", "zne") for word in ("--mitigate", name)]
    assert options_of(shell, script, turn, "--observable", "Z", *words) == {
        "dynamical_decoupling": {"enable": True},
        "twirling": {"enable_gates": True},
        "resilience": {"measure_mitigation": True, "zne_mitigation": True},
    }
    assert options_of(shell, script, turn, "--mitigate", "readout")["resilience"] == {"measure_mitigation": True}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--layout", "0,one"), "--layout takes qubits of the device, say 0,1,4; not '0,one'"),
        (("--compile", "best"), "'best' is not one of 'single', 'portfolio', 'as-is'"),
        (("--optimization-level", "4"), "4 is not in the range 0<=x<=3"),
        (("--mitigate", "m3"), "'m3' is not one of 'dd', 'twirling', 'readout', 'zne'"),
    ],
)
def test_what_no_compiler_or_method_knows_is_wrong_usage(
    shell: Any, script: Any, turn: str, words: tuple[str, ...], complaint: str
) -> None:
    code, _, err = shell("submit", turn, *words)
    assert (code, script.requests) == (2, [])
    assert complaint in " ".join(err.split())
