"""Every poisonous input ends as a refusal with its reason: in 5 seconds, in 1 GiB, and without a death."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from qiskit import qpy

# One process imports everything, then forks a child for each input: a death is seen, and costs one input.
KITCHEN = """
import os, resource, signal, sys
import importlib.util, json
spec = importlib.util.spec_from_file_location("poison", sys.argv[1])
poison = importlib.util.module_from_spec(spec)
spec.loader.exec_module(poison)
from backends.limits import Limits
from backends.measure import measure
from backends.rejected import Rejected
from backends.work import decode

def taste(work):
    pages = int(open("/proc/self/statm").read().split()[0])
    bound = pages * os.sysconf("SC_PAGE_SIZE") + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
    try:
        measure(decode(work, Limits()), Limits())
        return ["accepted", ""]
    except Rejected as refusal:
        return [refusal.code, refusal.detail]
    except BaseException as error:
        return ["escaped", repr(error)]

outcomes = {}
for name, one in poison.poison_inputs().items():
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        answer = json.dumps(taste(one.work)).encode()
        os.write(writer, answer[:60_000])
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    died = ["died", signal.Signals(os.WTERMSIG(status)).name] if os.WIFSIGNALED(status) else None
    outcomes[name] = died or json.loads(answer)
json.dump(outcomes, sys.stdout)
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[str]]:
    poison = Path(__file__).resolve().parents[1] / "poison.py"
    done = subprocess.run(
        [sys.executable, "-c", KITCHEN, str(poison)],
        capture_output=True,
        timeout=280,
        check=True,
        cwd=poison.parents[1],
    )
    answers: dict[str, list[str]] = json.loads(done.stdout)
    return answers


def test_every_poison_is_refused_with_its_code(outcomes: dict[str, list[str]], poison_inputs: Any) -> None:
    assert len(outcomes) == len(poison_inputs) > 80
    wrong = {name: answer for name, answer in outcomes.items() if answer[0] not in poison_inputs[name].codes}
    assert wrong == {}


def test_every_refusal_is_a_sentence_that_leaks_nothing(outcomes: dict[str, list[str]]) -> None:
    for name, (_, detail) in outcomes.items():
        assert 20 < len(detail) < 500, name
        assert "root:" not in detail, name
        assert "\n" not in detail, name


def test_hand_written_files_are_real_ones(poison: Any) -> None:
    """The files written byte by byte are what they say: with little depth Qiskit reads them."""
    (doubled,) = qpy.load(io.BytesIO(poison.doubling_qpy(3)))
    assert dict(doubled.decompose(reps=2).count_ops()) == {"x": 8}
    (nested,) = qpy.load(io.BytesIO(poison.nested_ifs_qpy(2)))
    assert nested.data[0].name == "if_else"
    assert nested.data[0].operation.blocks[0].data[0].operation.blocks[0].data[0].name == "x"


def test_what_looks_alike_and_is_honest_is_taken(poison: Any, desk: Any) -> None:
    """The same shapes below the limits pass: depth, loops, registers and repetitions are no crime."""
    qasm2 = 'OPENQASM 2.0; include "qelib1.inc"; gate g0 a { x a; x a; } '
    qasm2 += " ".join(f"gate g{level} a {{ g{level - 1} a; g{level - 1} a; }}" for level in range(1, 10))
    honest = {
        "doubling": desk.text("openqasm2", qasm2 + "qreg q[1]; creg c[1]; g9 q[0]; measure q -> c;"),
        "parentheses": desk.text(
            "openqasm3",
            f'OPENQASM 3.0; include "stdgates.inc"; qubit q; bit c; rx({"(" * 60}1{")" * 60}) q; c = measure q;',
        ),
        "a wide register": desk.text(
            "openqasm3", 'OPENQASM 3.0; include "stdgates.inc"; qubit[200] q; bit[200] c; h q; c = measure q;'
        ),
        "a long loop": desk.text(
            "openqasm3",
            'OPENQASM 3.0; include "stdgates.inc"; qubit q; bit c; for int i in [1:1000] { x q; } c = measure q;',
        ),
    }
    counted = {name: desk.measure(desk.sampler(source)).circuits[0].operations for name, source in honest.items()}
    assert counted == {"doubling": 1025, "parentheses": 2, "a wide register": 400, "a long loop": 1002}
