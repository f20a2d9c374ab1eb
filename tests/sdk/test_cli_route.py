"""`qubator route` as a person at an 80-column terminal sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

QASM = 'OPENQASM 2.0;include "qelib1.inc";qreg q[1];creg c[1];h q[0];measure q->c;'
ENGINE = {"engine": "qulacs", "version": "1", "seconds": 4e-4, "least_s": 2e-5, "most_s": 2e-3, "memory_mib": 2}
PART = {
    "times": 2, "seconds": 4e-4, "memory_mib": 2, "sure": True, "unfit": {"stim": "it runs Clifford gates only"},
    "features": {
        "qubits": 3, "gates": 4, "two_qubit_gates": 2, "non_clifford_gates": 1, "arbitrary_angles": 1,
        "mid_circuit": 0, "cut_width": 1, "branching": 2, "scrambling": 0.5,
    },
    "candidates": [
        ENGINE, {**ENGINE, "engine": "ddsim", "most_s": None, "memory_mib": 2_048},
        {**ENGINE, "engine": "mps", "seconds": None, "memory_mib": None},
    ],
    "tries": [{"engine": "ddsim", "at_most_s": 0.004}, {"engine": "qulacs", "at_most_s": None}],
}  # fmt: skip
PUB = {
    "pub": 0, "circuit": 0, "by": "router", "parameter_sets": 1, "reductions": ["light cone", "idle qubits"],
    "components": 2, "parts": [PART], "seconds": 8e-4, "memory_mib": 2, "sure": True,
}  # fmt: skip


def answer(*pubs: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {
        "asked": "auto", "backend": "ideal", "refusal": None, "memory_mib": 4_096, "findings": {},
        "backends": [
            {"backend": "ideal", "takes_it": True, "estimate_us": 900, "why": None},
            {"backend": "aer-stabilizer", "takes_it": False, "estimate_us": None, "why": "Clifford only, " * 12},
        ],
        "ideal": {"pubs": list(pubs) or None, "seconds": 8e-4, "sure": True},
        **change,
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "coin.qasm"
    path.write_text(QASM)
    return str(path)


def test_choice_features_candidates_and_turns(shell: Any, script: Any, file: str) -> None:
    script.say(script.answer(200, answer(PUB)))
    code, out, err = shell("route", file, "--shots", "100")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "The job would run on ideal (auto).",
        "",
        "PUB 0 on ideal",
        "reductions  light cone, idle qubits",
        "left        2 independent parts",
        "time        800 µs",
        "",
        "3 qubits, 4 gates (2 on several qubits, 1 non-Clifford), 2 times",
        "cut width 1, branching 2, 0 events on the way, scrambling 0.5",
        "ENGINE  EXPECTED  FROM … TO       MEMORY  TURN (AT MOST)",
        "qulacs    400 µs  20 µs … 2.0 ms   2 MiB  2",
        "ddsim     400 µs  20 µs … no end   2 GiB  1 (4.0 ms)",
        "mps       no end  20 µs … 2.0 ms  no end  -",
        "stim: it runs Clifford gates only",
        "",
        "BACKEND  WOULD TAKE",
        "ideal    about 900 µs",
        "",
        "BACKEND         WHY NOT (--json has all of it)",
        "aer-stabilizer  Clifford only, Clifford only, Clifford only, Clifford only, Cli…",
    ]
    (body,) = script.bodies()
    assert body["options"] == {"shots": 100}
    assert script.requests[0].url.path == "/v1/route"


def test_a_refusal_comes_first_with_its_code(shell: Any, script: Any, file: str) -> None:
    refusal = {"detail": "circuit 0 has 60 qubits", "code": "backend_infeasible"}
    unsure = {**PUB, "sure": False, "seconds": None}
    script.say(script.answer(200, answer(unsure, backend=None, refusal=refusal, backends=[])))
    code, out, _ = shell("route", file)
    assert code == 0
    assert out.splitlines()[0] == "The job would be refused: circuit 0 has 60 qubits [backend_infeasible]"
    assert "time        no end" in out
    assert "surely      no: each engine may give up, and then the job fails in its time" in out


def test_other_ways_say_why_and_many_pubs_are_counted(shell: Any, script: Any, file: str) -> None:
    swept = {"pub": 0, "circuit": 0, "by": "sweep", "parameter_sets": 20, "why": "many sets"}
    empty = {**PUB, "components": 0, "parts": [], "reductions": []}
    script.say(script.answer(200, answer(swept, empty, *({**swept, "pub": number} for number in range(2, 6)))))
    lines = shell("route", file)[1].splitlines()
    assert lines[2:5] == ["PUB 0 on ideal, 20 parameter sets", "by       sweep", "because  many sets"]
    assert "left        nothing to simulate" in lines
    assert "… and 3 PUBs more (--json has all)" in lines


def test_what_was_not_looked_at_says_so(shell: Any, script: Any, file: str) -> None:
    script.say(script.answer(200, answer()))
    assert "too long for its route on ideal to be told" in shell("route", file)[1]


def test_with_json_it_is_the_whole_answer(shell: Any, script: Any, file: str) -> None:
    script.say(script.answer(200, answer(PUB)))
    assert json.loads(shell("route", file, "--json")[1]) == answer(PUB)
