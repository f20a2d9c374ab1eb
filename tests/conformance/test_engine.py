"""What every engine must do alike: the same suite on all that are installed.

Distributions are judged by a χ² test against exact probabilities; each test fails by chance once in 10⁶ runs, were it
not for the fixed seeds, with which it never does.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from backends.engines.port import Budget, Engine, GaveUp, Unsuited
from backends.engines.roster import engines, installed
from backends.engines.traits import traits_of
from backends.program import GATES, Clause, Op, Program

_PATH = Path(__file__).parents[1] / "backends" / "reductions" / "reference.py"
_SPEC = importlib.util.spec_from_file_location("engines_reference", _PATH)
assert _SPEC is not None and _SPEC.loader is not None  # noqa: PT018 - both for the type checker
R: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = R
_SPEC.loader.exec_module(R)

SHOTS = 4_000
FALSE_ALARM = 1e-6
BUDGET = Budget()


def test_every_engine_is_installed_for_these_tests() -> None:
    assert {engine.name for engine in engines()} == set(installed())


@pytest.fixture(params=sorted(installed()))
def engine(request: pytest.FixtureRequest) -> Engine:
    return installed()[request.param]


def bits(count: int, first: int = 0) -> tuple[Op, ...]:
    return tuple(Op("measure", (first + bit,), (), (bit,)) for bit in range(count))


def agrees(engine: Engine, program: Program, seed: int = 7) -> bool:
    """Whether the engine takes the program; if so its outcomes must be those of the exact distribution."""
    if engine.obstacle(traits_of(program)) is not None:
        return False
    try:
        sampled = engine.sample(program, SHOTS, seed, BUDGET)
    except Unsuited:
        return False
    assert sampled.bits.shape == (SHOTS, program.clbits)
    assert sampled.bits.dtype == np.uint8
    assert sampled.how.engine == engine.name
    assert sampled.how.version == engine.version
    assert 0.99 <= sampled.how.fidelity <= 1
    exact = R.distribution(program)
    seen: dict[tuple[int, ...], int] = {}
    for row in map(tuple, sampled.bits.tolist()):
        seen[row] = seen.get(row, 0) + 1
    assert seen.keys() <= exact.keys(), "an outcome that cannot be"
    statistic = sum((seen.get(key, 0) - SHOTS * chance) ** 2 / (SHOTS * chance) for key, chance in exact.items())
    if len(exact) > 1:
        assert statistic < chi2.isf(FALSE_ALARM, len(exact) - 1), (statistic, exact, seen)
    return True


STANDARD = [name for name in GATES if name not in ("x",)]


@pytest.mark.parametrize("name", STANDARD)
def test_standard_gates(engine: Engine, name: str) -> None:
    """Between turns that make its phases visible, in both orders of its qubits."""
    width, params = GATES[name]
    clifford = tuple([math.pi / 2, math.pi / 2, -math.pi / 2, math.pi / 2][:params])
    for numbers in ((0.7, 0.4, -0.3, 0.9)[:params], clifford):
        for qubits in (tuple(range(width)), tuple(reversed(range(width)))):
            around = [Op("h", (qubit,)) for qubit in range(width)]
            steps = [Op("s", (0,)), Op(name, qubits, numbers), *around, Op("sx", (width - 1,))]
            program = Program(width, width, (*around, *steps, *bits(width)))
            taken = agrees(engine, program)
            if engine.name in ("aer.statevector", "sparse", "prismq.statevector"):
                assert taken


def test_the_first_qubit_is_the_lowest_bit(engine: Engine) -> None:
    program = Program(3, 3, (Op("x", (0,)), Op("x", (1,)), *bits(3)))
    assert engine.sample(program, 5, 1, BUDGET).bits.tolist() == [[1, 1, 0]] * 5


def test_bits_go_where_they_are_told(engine: Engine) -> None:
    told = (Op("x", (2,)), Op("measure", (2,), (), (0,)), Op("measure", (0,), (), (3,)), Op("measure", (2,), (), (2,)))
    assert engine.sample(Program(3, 5, told), 3, 1, BUDGET).bits.tolist() == [[1, 0, 1, 0, 0]] * 3


def test_global_phases_change_nothing(engine: Engine) -> None:
    turned = (Op("x", (0,)), Op("z", (0,)), Op("x", (0,)), Op("z", (0,)), Op("h", (0,)), Op("h", (0,)))
    assert agrees(engine, Program(1, 1, (*turned, *bits(1))))


def test_equal_seeds_give_equal_shots_and_others_do_not(engine: Engine) -> None:
    program = Program(8, 8, (*(Op("h", (qubit,)) for qubit in range(8)), Op("cz", (0, 7)), *bits(8)))
    first, again, other = (engine.sample(program, 200, seed, BUDGET).bits for seed in (11, 11, 12))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("qubits", [0, 1, 100])
def test_widths(engine: Engine, qubits: int) -> None:
    """Nothing at all, one qubit, and a hundred of which two are busy."""
    gates = (Op("h", (qubits - 1,)), Op("cx", (qubits - 1, 0)))[: min(qubits, 2)] if qubits > 1 else ()
    ends = (Op("measure", (0,), (), (0,)), Op("measure", (qubits - 1,), (), (1,))) if qubits else ()
    program = Program(qubits, 2, (*gates, *ends))
    if engine.obstacle(traits_of(program)) is None:
        drawn = engine.sample(program, 50, 3, BUDGET).bits
        assert (drawn[:, 0] == drawn[:, 1]).all()


def test_a_hundred_entangled_qubits_or_a_clear_no(engine: Engine) -> None:
    ghz = (Op("h", (0,)), *(Op("cx", (qubit, qubit + 1)) for qubit in range(99)), *bits(100))
    program = Program(100, 100, ghz)
    if engine.obstacle(traits_of(program)) is not None:
        return
    try:
        drawn = engine.sample(program, 100, 3, BUDGET).bits
    except (Unsuited, GaveUp, MemoryError):
        return
    assert set(drawn.sum(axis=1).tolist()) == {0, 100}


RESET = Program(2, 2, (Op("h", (0,)), Op("cx", (0, 1)), Op("reset", (0,)), Op("sx", (0,)), *bits(2)))
FED = Program(
    2,
    3,
    (
        Op("h", (0,)),
        Op("measure", (0,), (), (2,)),
        Op("x", (1,), condition=(Clause((2,), (1,)),)),
        Op("h", (0,)),
        *bits(2),
    ),
)
TWICE = Program(1, 2, (Op("sx", (0,)), Op("measure", (0,), (), (0,)), Op("sx", (0,)), Op("measure", (0,), (), (1,))))
EITHER = Program(
    3,
    3,
    (
        Op("h", (0,)),
        Op("h", (1,)),
        Op("measure", (0,), (), (0,)),
        Op("measure", (1,), (), (1,)),
        Op("z", (2,), condition=(Clause((0, 1), (1, 2)),)),
        Op("x", (2,), condition=(Clause((0, 1), (0,), False),)),
        Op("measure", (2,), (), (2,)),
    ),
)


@pytest.mark.parametrize("program", [RESET, FED, TWICE, EITHER], ids=["reset", "fed forward", "twice", "registers"])
def test_random_events_before_the_end(engine: Engine, program: Program) -> None:
    taken = agrees(engine, program)
    if engine.name == "aer.statevector":
        assert taken


MIXED = (
    Op("h", (0,)),
    Op("t", (0,)),
    Op("cx", (0, 2)),
    Op("ry", (1,), (0.8,)),
    Op("crx", (2, 1), (0.5,)),
    Op("sx", (2,)),
    Op("rzz", (0, 1), (0.9,)),
)
CLIFFORD = (Op("h", (0,)), Op("s", (0,)), Op("cx", (0, 2)), Op("sx", (2,)), Op("cz", (1, 2)), Op("h", (1,)))
PAULIS = [
    ((0, "X"),),
    ((0, "Y"), (2, "Z")),
    ((0, "Z"), (1, "Z"), (2, "Z")),
    ((1, "X"), (2, "Y")),
    (),
    ((0, "Y"), (1, "Y"), (2, "X")),
    ((3, "Z"),),
    ((3, "X"),),
]


@pytest.mark.parametrize("gates", [MIXED, CLIFFORD], ids=["any", "clifford"])
def test_expectation_values(engine: Engine, gates: tuple[Op, ...]) -> None:
    """On three busy qubits of four."""
    program = Program(4, 0, gates)
    if engine.obstacle(traits_of(program)) is not None:
        return
    found = engine.expectation(program, PAULIS, BUDGET)
    for pauli, value in zip(PAULIS, found.values, strict=True):
        turned = list(gates)
        for bit, (qubit, letter) in enumerate(pauli):
            turned += [Op("sdg", (qubit,))] if letter == "Y" else []
            turned += [Op("h", (qubit,))] if letter != "Z" else []
            turned.append(Op("measure", (qubit,), (), (bit,)))
        exact = R.distribution(Program(4, len(pauli), tuple(turned)))
        wanted = sum(chance * (-1) ** sum(outcome) for outcome, chance in exact.items())
        assert abs(value - wanted) <= max(found.error, 1e-9) + 1e-7, pauli


def test_what_does_not_fit_into_memory_is_refused_at_once(engine: Engine) -> None:
    wide = tuple(Op("ry", (qubit,), (0.3,)) for qubit in range(24))
    wide += tuple(
        Op("crx", (qubit, (qubit * 7 + 3) % 24), (0.4,)) for qubit in range(24) if qubit != (qubit * 7 + 3) % 24
    )
    program = Program(24, 24, (*wide, *bits(24)))
    if engine.name not in ("aer.statevector", "prismq.statevector", "qulacs", "sparse"):
        return
    with pytest.raises((MemoryError, GaveUp)):
        engine.sample(program, 1, 1, Budget(memory_bytes=1 << 20))
