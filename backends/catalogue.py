"""Which backends there are, which of them can run a piece of work, and how long it would take there.

Import-light: reads `targets/` and the findings, never a circuit. The service process uses it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from backends import estimate
from backends.devices import admission, billing, reading, record
from backends.devices.drifting import calibrated_on
from backends.findings import CircuitFindings, Findings
from backends.rejected import Rejection

# A result is an array, then base64, then a document, and for a moment all three.
_RESULT_COPIES = 3
DEVICE_RANK = 1_000
_FAR_SLOWER = 10
_COUNTLESS_MIB = 1 << 30
"""Beyond this, figures tell nobody anything."""

Method = Literal["automatic", "statevector", "matrix_product_state", "stabilizer"]


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """One backend as offered: an engine, the method it uses, and the gates it takes without compiling."""

    name: str
    title: str
    description: str
    engine: str
    method: Method
    qubits_max: int
    basis_gates: tuple[str, ...]
    simulated: bool
    rank: int
    """Order under `auto`: the lowest that can run the work is taken first."""


def catalogue(further: tuple[str, ...] = ()) -> tuple[BackendSpec, ...]:
    """Every backend on offer: the engines in the order `auto` tries them, then the devices, for who names one.

    `further`: snapshots of devices that the operator offers beside the fleet. Raises WrongDevice for an unknown one.
    """
    return _offered(reading.fleet(further))


@cache
def _offered(devices: tuple[str, ...]) -> tuple[BackendSpec, ...]:
    return (*engines(), *(_spec_of_device(name) for name in devices))


@cache
def _spec_of_device(name: str) -> BackendSpec:
    device = reading.device_of(name)
    assert device is not None
    return BackendSpec(
        name=name,
        title=device.title,
        description=device.description,
        engine="device",
        method="automatic",
        qubits_max=device.width,
        basis_gates=tuple(sorted({*device.native, "barrier", "delay", "measure", "reset"})),
        simulated=True,
        rank=DEVICE_RANK,
    )


@cache
def engines() -> tuple[BackendSpec, ...]:
    """What runs circuits without noise, in the order `auto` tries them."""
    specs = []
    for target in files("backends").joinpath("targets").iterdir():
        if target.name.endswith(".toml"):
            table = tomllib.loads(target.read_text(encoding="utf-8"))
            table["basis_gates"] = tuple(table["basis_gates"])
            specs.append(BackendSpec(**table))
    return tuple(sorted(specs, key=lambda spec: (spec.rank, spec.name)))


def spec_of(name: str) -> BackendSpec | None:
    """The backend of that name, if there is one; devices that are not on offer among them."""
    found = next((spec for spec in engines() if spec.name == name), None)
    return found if found is not None or reading.device_of(name) is None else _spec_of_device(name)


def feasible(
    findings: Findings, asked: str, memory_mib: int, further: tuple[str, ...] = ()
) -> tuple[str, ...] | Rejection:
    """The backends that can run the work, best first; `asked` is a name, or "auto" for any.

    `memory_mib` is what one worker may use; `further` as in `catalogue`. Refuses with unknown_backend,
    backend_infeasible or option_invalid.
    """
    if asked != "auto":
        spec = next((each for each in catalogue(further) if each.name == asked), None)
        if spec is None:
            names = [each.name for each in catalogue(further)]
            detail = f'there is no backend "{asked}"; choose auto or one of {", ".join(names)}'
            return Rejection("unknown_backend", detail, {"backend": asked, "backends": ["auto", *names]})
        obstacle = _obstacle(spec, findings, memory_mib)
        return obstacle or (spec.name,)
    if findings.only_devices:
        return _no_device("auto chooses among engines without noise", "auto", findings)
    obstacles = [(spec, _obstacle(spec, findings, memory_mib)) for spec in engines()]
    able = [spec for spec, obstacle in obstacles if obstacle is None]
    if able:
        return _quick_first(able, findings)
    # The router knows the other engines too: where it has looked, its reason is the last word.
    looked = estimate.routed_us(findings) is not None
    told = [obstacle.detail for spec, obstacle in obstacles if obstacle and (spec.engine == "router" or not looked)]
    reasons = "; ".join(told)
    return Rejection(
        "backend_infeasible",
        f"no backend can run this work: {reasons}",
        {"backend": "auto", "qubits": findings.qubits_max, "memory_mib": memory_mib},
    )


def _quick_first(able: list[BackendSpec], findings: Findings) -> tuple[str, ...]:
    """In their order, but far slower ones last: the router knows more than one engine, not everything about each."""
    expected_us = {spec.name: estimate_us(spec.name, findings) for spec in able}
    slow_us = _FAR_SLOWER * min(expected_us.values())
    return tuple(sorted(expected_us, key=lambda name: expected_us[name] > slow_us))


@dataclass(frozen=True, slots=True)
class Weighed:
    """Whether a backend takes some work: expected execution time in µs, or why it does not."""

    backend: str
    estimate_us: int
    obstacle: Rejection | None


def weighed(findings: Findings, memory_mib: int, further: tuple[str, ...] = ()) -> tuple[Weighed, ...]:
    """Every backend on offer, in the order of the catalogue; arguments as in `feasible`."""
    return tuple(
        Weighed(spec.name, estimate_us(spec.name, findings), _obstacle(spec, findings, memory_mib))
        for spec in catalogue(further)
    )


def estimate_us(spec_name: str, findings: Findings) -> int:
    """Expected execution time in µs on one worker of this kind of machine, from an analytic model; at least 1."""
    spec = spec_of(spec_name)
    if spec is None:
        raise KeyError(spec_name)
    if spec.engine == "device":
        return admission.run_us(findings)
    routed_us = estimate.routed_us(findings) if spec.engine == "router" else None
    return routed_us or min(estimate.work_us(method, findings) for method in _methods(spec))


def qpu_us(spec_name: str, findings: Findings) -> tuple[int, int] | None:
    """What a device would bill, in µs: expected, and at most as far as a hold goes; None where run time is billed."""
    device = reading.device_of(spec_name)
    return None if device is None else billing.quoted_us(device, findings)


def described(spec_name: str, day: date | None) -> dict[str, Any]:
    """What there is to say of a device as calibrated on a day (None: as stated); nothing of an engine."""
    device = reading.device_of(spec_name)
    return {} if device is None else record.record(calibrated_on(device, day), device)


def described_briefly(spec_name: str) -> dict[str, Any]:
    """The same for a list of backends."""
    device = reading.device_of(spec_name)
    return {} if device is None else record.brief(device)


def memory_mib_needed(method: Method, circuit: CircuitFindings) -> int:
    """What one execution needs beyond the idle worker, in MiB, rounded up."""
    return -(-estimate.memory_bytes(estimate.resolve(method, circuit), circuit) // 2**20)


def _obstacle(spec: BackendSpec, findings: Findings, memory_mib: int) -> Rejection | None:
    """Why this backend cannot run the work, if it cannot: the first of width, gate set and memory that fails."""
    result_mib = _RESULT_COPIES * findings.result_bytes >> 20
    device = reading.device_of(spec.name)
    if device is not None:
        return admission.obstacle(device, findings, memory_mib - result_mib)
    if findings.only_devices:
        return _no_device(f"{spec.name} is no device", spec.name, findings)
    for index, circuit in enumerate(findings.circuits):
        where = f"circuit {index} has {circuit.qubits} qubits"
        if circuit.qubits > spec.qubits_max:
            return _infeasible(spec, f"{where}, {spec.name} takes at most {spec.qubits_max}", circuit, spec.qubits_max)
        if spec.method == "stabilizer" and not circuit.clifford:
            reason = f"{spec.name} runs Clifford circuits only and circuit {index} has other gates; choose another"
            return _infeasible(spec, reason, circuit, spec.qubits_max)
        needed_mib = _least_mib(spec, circuit) + result_mib
        if needed_mib > memory_mib:
            reason = f"{where} and needs {_size(needed_mib)} on {spec.name}, a worker has {memory_mib} MiB; "
            if spec.engine == "router" and circuit.routed_us:
                reason += "no engine can run it: use fewer qubits or layers, or try a backend by its name"
            else:
                reason += "use fewer qubits or a backend whose memory does not grow with the state"
            return _infeasible(spec, reason, circuit, spec.qubits_max, needed_mib, memory_mib)
    return None


def _no_device(why: str, backend: str, findings: Findings) -> Rejection:
    asked = ", ".join(findings.only_devices)
    detail = f"{why} and does not honour {asked}; name a device as the backend, or leave the options out"
    return Rejection("option_invalid", detail, {"backend": backend, "option": findings.only_devices[0]})


def _least_mib(spec: BackendSpec, circuit: CircuitFindings) -> int:
    """The memory without which nothing can run the circuit there."""
    if spec.engine == "router" and circuit.routed_us:
        return circuit.routed_mib
    return min(memory_mib_needed(method, circuit) for method in _methods(spec))


def _size(mib: int) -> str:
    return f"{mib} MiB" if mib < _COUNTLESS_MIB else f"more than {_COUNTLESS_MIB >> 20} TiB"


def _methods(spec: BackendSpec) -> tuple[Method, ...]:
    """The methods that a backend runs a circuit by, whichever suits it: a router has more than its own choice."""
    return (spec.method, "matrix_product_state") if spec.engine == "router" else (spec.method,)


def _infeasible(
    spec: BackendSpec,
    detail: str,
    circuit: CircuitFindings,
    qubits_max: int,
    needed_mib: int | None = None,
    memory_mib: int | None = None,
) -> Rejection:
    numbers = {"needed_mib": needed_mib, "memory_mib": memory_mib} if needed_mib is not None else {}
    fields = {"backend": spec.name, "qubits": circuit.qubits, "qubits_max": qubits_max, **numbers}
    return Rejection("backend_infeasible", detail, fields)
