"""Measures decoded work: what its circuits amount to and what its PUBs will execute and return."""

from __future__ import annotations

import math
from dataclasses import replace

from qiskit.exceptions import QiskitError

from backends.compiling.members import portfolio_ms
from backends.devices.billing import EXACT_SHOTS
from backends.findings import CircuitFindings, Findings
from backends.limits import Limits
from backends.mitigation.cost import cost_of, folded_shots
from backends.placed import placed
from backends.plain import plain
from backends.rejected import Rejected
from backends.structure import Structure, structure_of
from backends.work import Circuit, EstimatorPub, SamplerPub, Work

_JSON_PER_BYTE = (4, 3)
_PUB_BYTES = 400


def measure(work: Work, limits: Limits) -> Findings:
    """Count every circuit and add up every PUB.

    Refuses with circuit_too_large, control_flow_too_deep, circuit_invalid, no_measurement, precision_out_of_range or
    result_too_large. A circuit that was measured before under the same limits is not measured again.
    """
    order = {id(circuit): index for index, circuit in enumerate(work.circuits)}
    found = _all_findings(work, limits)
    executions, shots, terms, sampled, folded = ([0] * len(found) for _ in range(5))
    exact = [False] * len(found)
    parameter_sets = result_bytes = 0
    for position, pub in enumerate(work.pubs):
        index = order[id(pub.circuit)]
        where = f"PUB {position}"
        sets = math.prod(pub.values.shape[:-1])
        parameter_sets += sets
        executions[index] += sets
        if isinstance(pub, SamplerPub):
            if not found[index].measured:
                detail = f"{where} samples circuit {index}, which measures nothing; add measurements, say measure_all()"
                raise Rejected("no_measurement", detail, {"pub": position, "circuit": index})
            shots[index] += sets * pub.shots
            sampled[index] += cost_of(work.mitigation, 1, pub.shots, sets).shots
            result_bytes += _PUB_BYTES + _sampler_bytes(pub, sets)
        else:
            check_exactness(pub, found[index], where)
            if stochastic(found[index]):
                shots[index] += sets * trajectories(pub.precision)
            terms[index] += sets * pub.observables.terms
            each = trajectories(pub.precision) if pub.precision else EXACT_SHOTS
            sampled[index] += cost_of(work.mitigation, pub.observables.terms, each, sets).shots
            folded[index] += folded_shots(work.mitigation, pub.observables.terms, each, sets)
            exact[index] = exact[index] or not pub.precision
            result_bytes += _PUB_BYTES + 2 * 8 * math.prod(pub.shape) * _JSON_PER_BYTE[0] // _JSON_PER_BYTE[1]
        if result_bytes > limits.result_bytes:
            detail = (
                f"the result would have more than {limits.result_bytes} bytes by {where}; "
                "ask for fewer shots, parameter sets or bits, or split the job"
            )
            raise Rejected("result_too_large", detail, {"result_bytes_max": limits.result_bytes})
    counted = tuple(
        replace(
            circuit,
            executions=executions[index],
            shots=shots[index],
            terms=terms[index],
            sampled=sampled[index],
            folded=folded[index],
            exact=exact[index],
            compiling_us=_compiling_us(work, circuit),
        )
        for index, circuit in enumerate(found)
    )
    return Findings(
        primitive=work.primitive,
        circuits=counted,
        pubs=len(work.pubs),
        parameter_sets=parameter_sets,
        executions=sum(executions),
        shots=sum(shots),
        qubits_max=max((circuit.qubits for circuit in found), default=0),
        result_bytes=result_bytes,
        only_devices=work.only_devices,
        placed=tuple(placed(circuit.circuit) for circuit in work.circuits) if work.as_it_is else (),
    )


def _compiling_us(work: Work, circuit: CircuitFindings) -> int:
    options = work.compilation
    if options is None or options.mode != "portfolio":
        return 0
    return round(1000 * portfolio_ms(circuit.operations, options.budget_ms))


def _all_findings(work: Work, limits: Limits) -> list[CircuitFindings]:
    """Every circuit's numbers, until together they are too many."""
    found: list[CircuitFindings] = []
    operations = 0
    for index, circuit in enumerate(work.circuits):
        found.append(findings_of(circuit, limits, f"circuit {index}"))
        operations += found[-1].operations
        if operations > limits.operations_total:
            detail = (
                f"the circuits up to circuit {index} have {operations} operations together, "
                f"at most {limits.operations_total} are taken; split the job"
            )
            fields = {"operations": operations, "operations_max": limits.operations_total}
            raise Rejected("circuit_too_large", detail, fields)
    return found


def stochastic(found: CircuitFindings | Structure) -> bool:
    """Whether running the circuit once is a random draw, so that one state does not tell every outcome."""
    return found.mid_circuit or found.control_flow


def trajectories(precision: float) -> int:
    """How many runs average out to this precision, for observables of norm one."""
    return math.ceil(1 / precision**2)


def check_exactness(pub: EstimatorPub, found: CircuitFindings, where: str) -> None:
    """Refuse what has no expectation value: a circuit measured at its end, or an exact value of a random state."""
    if found.measured and not stochastic(found):
        detail = (
            f"{where} estimates on a circuit that ends in measurements, which would destroy the state first; "
            "call circuit.remove_final_measurements() before"
        )
        raise Rejected("circuit_invalid", detail, {})
    if pub.precision == 0 and stochastic(found):
        detail = (
            f"{where} asks for the exact value of a circuit that measures, resets or branches on its way, so that its "
            "state is random; ask for a precision such as 0.01"
        )
        raise Rejected("precision_out_of_range", detail, {"precision": 0.0})


def _sampler_bytes(pub: SamplerPub, sets: int) -> int:
    """Base64 of all registers of all parameter sets."""
    per_shot: int = sum(-(-register.size // 8) for register in pub.circuit.circuit.cregs)
    return sets * pub.shots * per_shot * _JSON_PER_BYTE[0] // _JSON_PER_BYTE[1]


def _structure(circuit: Circuit, limits: Limits) -> Structure:
    """The circuit's counts, with which the program is written where that is done in one go."""
    known = circuit.notes.get("structure")
    if isinstance(known, Structure):
        return known
    written = plain(circuit.circuit) if len(circuit.circuit.data) <= limits.operations else None
    if written is None:
        return structure_of(circuit.circuit, limits)
    structure, circuit.notes["program"] = written
    return structure


def findings_of(circuit: Circuit, limits: Limits, where: str) -> CircuitFindings:
    """The circuit's own numbers, remembered with the circuit."""
    remembered = circuit.notes.get("findings")
    if isinstance(remembered, CircuitFindings):
        return remembered
    program = circuit.circuit
    if program.num_qubits > limits.qubits or program.num_clbits > limits.clbits:
        detail = (
            f"{where} has {program.num_qubits} qubits and {program.num_clbits} classical bits, "
            f"at most {limits.qubits} and {limits.clbits} are taken; use fewer"
        )
        fields = {"qubits": program.num_qubits, "qubits_max": limits.qubits, "clbits_max": limits.clbits}
        raise Rejected("circuit_too_large", detail, fields)
    try:
        found = _structure(circuit, limits)
    except Rejected as refusal:
        raise Rejected(refusal.code, f"{where}: {refusal.detail}", refusal.fields) from refusal
    except QiskitError as error:  # a file may hold instructions that cannot be built once somebody looks at them
        raise Rejected("circuit_invalid", f"{where}: {' '.join(str(error).split())[:300]}", {}) from error
    findings = CircuitFindings(
        qubits=program.num_qubits,
        active=found.active,
        clbits=program.num_clbits,
        depth=found.depth,
        gates_1q=found.gates_1q,
        gates_2q=found.gates_2q,
        operations=found.operations,
        clifford=found.clifford,
        measured=found.measured,
        parameters=program.num_parameters,
        mid_circuit=found.mid_circuit,
        control_flow=found.control_flow,
    )
    circuit.notes["findings"] = findings
    return findings
