"""Compiled circuits do what the given ones do, are never worse than level 3, and come out the same again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, ParameterVector, QuantumCircuit
from qiskit.circuit.library import QFTGate, efficient_su2
from qiskit.circuit.random import random_circuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator

from backends.compiling import choosing
from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled, compile_circuit, forget
from backends.compiling.content import content_key
from backends.compiling.isa import check_isa
from backends.compiling.members import Member, pre_passes
from backends.compiling.options import CompileOptions
from backends.rejected import Rejected

PORTFOLIO = CompileOptions("portfolio")
EVERY = [CompileOptions(level=level, seed=3) for level in range(4)] + [PORTFOLIO]


def drawn(seed: int, qubits: int = 5) -> QuantumCircuit:
    return random_circuit(qubits, 6, max_operands=3, seed=seed)


@pytest.mark.parametrize("options", EVERY, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_a_compiled_circuit_is_the_given_one(
    options: CompileOptions, seed: int, calibrated: Calibrated, proof: Any
) -> None:
    given = drawn(seed)
    made = compile_circuit(given, calibrated, options)
    check_isa(made.circuit, calibrated.target)
    assert proof(given, made.circuit, made.initial_layout, made.final_layout) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("pre_pass", ["tket", "pyzx"])
@pytest.mark.parametrize("seed", range(4))
def test_each_candidate_is_the_given_circuit(
    pre_pass: str, seed: int, calibrated: Calibrated, proof: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pre-pass alone is listed, so that it wins whatever its figures are."""
    alone = Member(3, seed, pre_pass)
    monkeypatch.setattr(choosing, "portfolio", lambda *_, **__: ([alone], []))
    given = drawn(seed + 20)
    made = compile_circuit(given, calibrated, PORTFOLIO)
    assert made.compiler == alone.name
    assert set(made.versions) == {"qiskit", pre_passes()[pre_pass].library}
    assert proof(given, made.circuit, made.initial_layout, made.final_layout) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_parameters_stay_and_bind_in_the_given_order(
    options: CompileOptions, calibrated: Calibrated, proof: Any
) -> None:
    x, unused = ParameterVector("x", 12), Parameter("a")
    given = QuantumCircuit(4)
    given.rz(unused, 0)
    given.rz(-unused, 0)
    given.compose(efficient_su2(4, reps=1).assign_parameters([*x, *x[:4]]), inplace=True)
    made = compile_circuit(given, calibrated, options)
    values = np.linspace(0.1, 2, given.num_parameters).tolist()
    bound = made.bind(values)
    assert not bound.parameters
    assert proof(given.assign_parameters(values), bound, made.initial_layout, made.final_layout) == pytest.approx(1)


def test_a_parameter_that_compiling_removes_shifts_no_other(calibrated: Calibrated) -> None:
    first, second = Parameter("a"), Parameter("b")
    given, left = QuantumCircuit(1), QuantumCircuit(7)
    given.rz(first, 0)
    given.rx(second, 0)
    left.rz(second, 0)
    made = choosing._shaped(given, left, calibrated, Member(3, 0))
    assert made.parameters == (1,)
    assert made.bind([99.0, 0.5]).data[0].params == [0.5]


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_measurements_barriers_and_registers_stay(options: CompileOptions, calibrated: Calibrated) -> None:
    given = QuantumCircuit(3, 1)
    given.h(0)
    given.cx(0, 1)
    given.barrier()
    given.measure(1, 0)
    given.cx(0, 2)
    given.measure_all()
    made = compile_circuit(given, calibrated, options).circuit
    assert [(each.name, each.size) for each in made.cregs] == [("c", 1), ("meas", 3)]
    counts = AerSimulator(seed_simulator=1).run(made, shots=500).result().get_counts()
    assert set(counts) == {"000 0", "111 1"}
    assert 150 < counts["000 0"] < 350


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_circuits_that_decide_on_their_way(options: CompileOptions, calibrated: Calibrated) -> None:
    """Teleportation of 0.9 |0⟩: its outcome stands whatever the two measurements say."""
    given = QuantumCircuit(3, 3)
    given.ry(2 * np.arccos(np.sqrt(0.9)), 0)
    given.h(1)
    given.cx(1, 2)
    given.cx(0, 1)
    given.h(0)
    given.measure([0, 1], [0, 1])
    with given.if_test((1, 1)):
        given.x(2)
    with given.if_test((0, 1)):
        given.z(2)
    given.measure(2, 2)
    made = compile_circuit(given, calibrated, options)
    check_isa(made.circuit, calibrated.target)
    counts = AerSimulator(seed_simulator=2).run(made.circuit, shots=4000).result().get_counts()
    zeros = sum(count for bits, count in counts.items() if bits[0] == "0")
    assert abs(zeros / 4000 - 0.9) < 0.03, "six standard errors"
    assert len(counts) == 8
    assert all("pyzx" not in each.name and "tket" not in each.name for each in made.tried)


@pytest.mark.parametrize("options", [*EVERY, CompileOptions("as-is")], ids=str)
def test_a_circuit_without_qubits(options: CompileOptions, calibrated: Calibrated) -> None:
    made = compile_circuit(QuantumCircuit(0, 2), calibrated, options)
    assert (made.initial_layout, made.circuit.num_clbits) == ((), 2)
    assert made.figures.predicted_success == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_portfolio_is_never_worse_than_level_three(seed: int, calibrated: Calibrated) -> None:
    given = drawn(seed, 7)
    given.measure_all()
    one = compile_circuit(given, calibrated, CompileOptions(level=3, seed=seed))
    best = compile_circuit(given, calibrated, replace(PORTFOLIO, seed=seed))
    assert best.tried[0].figures == one.figures
    assert best.figures.log_success == max(each.figures.log_success for each in best.tried if each.figures)
    assert best.figures.log_success >= one.figures.log_success


def test_what_is_told_about_a_portfolio(calibrated: Calibrated) -> None:
    given = efficient_su2(4)
    told = compile_circuit(given, calibrated, replace(PORTFOLIO, budget_ms=150)).to_json()
    assert told["tried"]["pyzx"] == {"runs": 0, "failed": "phases travel as numbers only"}
    assert told["tried"]["Qiskit"]["runs"] >= 4
    assert told["tried"]["Qiskit"]["predicted_success"] == pytest.approx(told["predicted_success"])
    assert len(told["left_out_by_budget"]) > 0
    assert not [name for name in told if "second" in name or name.endswith("_s")], "no time is told"


def test_a_pre_pass_that_breaks_is_told_and_harms_nothing(
    calibrated: Calibrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: QuantumCircuit) -> QuantumCircuit:
        raise RuntimeError("no such gate")

    found = dict(pre_passes())
    found["tket"] = replace(found["tket"], rewrite=broken)
    monkeypatch.setattr(choosing, "pre_passes", lambda: found)
    made = compile_circuit(drawn(1), calibrated, PORTFOLIO)
    assert {each.reason for each in made.tried if each.figures is None} == {"RuntimeError: no such gate"}


_DIGEST = """
from qiskit.circuit.random import random_circuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap
from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import compile_circuit
from backends.compiling.options import CompileOptions
from backends.compiling.content import content_key
line = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
pairs = CouplingMap(line + [pair[::-1] for pair in line])
target = GenericBackendV2(6, ["cz", "rz", "sx", "x"], coupling_map=pairs, seed=1).target
made = compile_circuit(random_circuit(5, 6, seed=8), Calibrated(target), CompileOptions("portfolio", seed=4))
print(made.compiler, made.figures, made.final_layout, content_key(made.circuit))
"""


def test_the_same_again_in_another_process_with_another_hash_seed() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", _DIGEST],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": "", "RAYON_NUM_THREADS": threads},
        ).stdout
        for seed, threads in (("1", "1"), ("2", "2"))
    ]
    assert said[0] == said[1] != ""


def test_equal_circuits_are_compiled_once_whatever_they_are_called(calibrated: Calibrated) -> None:
    given = drawn(2)
    again = given.copy(name="another")
    again.metadata = {"mine": 1}
    made = compile_circuit(given, calibrated, PORTFOLIO)
    assert compile_circuit(again, Calibrated(calibrated.target), PORTFOLIO) is made
    assert compile_circuit(given, calibrated, CompileOptions()) is not made
    again.x(0)
    assert compile_circuit(again, calibrated, PORTFOLIO) is not made
    first = content_key(made.circuit)
    forget()
    assert content_key(compile_circuit(given, calibrated, PORTFOLIO).circuit) == first


def test_a_thousand_bindings_are_one_compilation(calibrated: Calibrated, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Member] = []
    run = choosing._run

    def counted(circuit: QuantumCircuit, device: Calibrated, member: Member, options: CompileOptions) -> Any:
        runs.append(member)
        return run(circuit, device, member, options)

    monkeypatch.setattr(choosing, "_run", counted)
    given = efficient_su2(3, reps=1)
    for turn in range(1000):
        bound = compile_circuit(given, calibrated, CompileOptions(), key=b"one").bind([turn / 500] * 12)
        assert not bound.parameters
    assert len(runs) == 1


def test_the_memory_is_bounded(calibrated: Calibrated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_REMEMBERED", 2)
    first, second, third = (compile_circuit(drawn(seed, 4), calibrated, CompileOptions()) for seed in range(3))
    assert compile_circuit(drawn(2, 4), calibrated, CompileOptions()) is third
    assert compile_circuit(drawn(1, 4), calibrated, CompileOptions()) is second
    assert compile_circuit(drawn(0, 4), calibrated, CompileOptions()) is not first


def test_a_circuit_too_large_for_the_memory_is_compiled_all_the_same(
    calibrated: Calibrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "_REMEMBERED_INSTRUCTIONS", 3)
    made = compile_circuit(drawn(0), calibrated, CompileOptions())
    assert compile_circuit(drawn(0), calibrated, CompileOptions()) is not made


@pytest.mark.parametrize("options", [CompileOptions(layout=(6, 5, 4)), replace(PORTFOLIO, layout=(6, 5, 4))], ids=str)
def test_a_layout_is_respected(options: CompileOptions, calibrated: Calibrated, proof: Any) -> None:
    given = QuantumCircuit(3)
    given.append(QFTGate(3), range(3))
    made = compile_circuit(given, calibrated, options)
    assert made.initial_layout == (6, 5, 4)
    assert proof(given, made.circuit, made.initial_layout, made.final_layout) == pytest.approx(1)


def test_as_is_is_the_very_circuit_and_has_figures(calibrated: Calibrated) -> None:
    given = QuantumCircuit(2)
    given.rz(Parameter("a"), 0)
    given.cz(0, 1)
    made = compile_circuit(given, calibrated, CompileOptions("as-is"))
    assert isinstance(made, Compiled)
    assert made.circuit is given
    assert (made.initial_layout, made.parameters, made.compiler) == ((0, 1), (0,), "as is")
    assert made.figures.two_qubit_gates == 1
    other = QuantumCircuit(3)
    other.cz(0, 2)
    with pytest.raises(Rejected, match="qubits 0, 2"):
        compile_circuit(other, calibrated, CompileOptions("as-is"))


@pytest.mark.parametrize(
    ("width", "options", "code", "word"),
    [
        (8, CompileOptions(), "backend_infeasible", "8 qubits and the device 7"),
        (3, CompileOptions(layout=(0, 1)), "option_invalid", "names 2 qubits, the circuit has 3"),
        (2, replace(PORTFOLIO, layout=(0, 7)), "option_invalid", "names qubit 7, the device has 7"),
    ],
)
def test_what_does_not_fit_is_refused(
    width: int, options: CompileOptions, code: str, word: str, calibrated: Calibrated
) -> None:
    with pytest.raises(Rejected, match=word) as refused:
        compile_circuit(QuantumCircuit(width), calibrated, options)
    assert refused.value.code == code


def test_branches_on_a_device_without_them_are_refused() -> None:
    plain = Calibrated(GenericBackendV2(3, ["cz", "rz", "sx", "x"], seed=1).target)
    given = QuantumCircuit(1, 1)
    given.measure(0, 0)
    with given.if_test((0, 1)):
        given.x(0)
    with pytest.raises(Rejected, match="cannot be compiled for this device") as refused:
        compile_circuit(given, plain, PORTFOLIO)
    assert refused.value.code == "backend_infeasible"
