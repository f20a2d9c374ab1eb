"""A backend of the service as a Qiskit backend: a target to compile for, and a name. Primitives do the running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from qiskit.circuit import Measure, Parameter, Reset
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from qubator.client import Client


class RemoteBackend(BackendV2):  # type: ignore[misc]  # qiskit has no types
    """What `sampler.backend` gives to compilers: `generate_preset_pass_manager(backend=sampler.backend)` works."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__(name=str(record["name"]), description=str(record.get("description", "")))
        self.record = dict(record)
        self._target = _target(self.record)

    @property
    def target(self) -> Any:
        """The gates the backend takes; any qubit may meet any other unless the service names couplings."""
        return self._target

    @property
    def num_qubits(self) -> int:
        """The widest circuit the backend takes."""
        return int(self.record.get("qubits_max") or 0)

    @property
    def max_circuits(self) -> None:
        """No limit on circuits of its own."""
        return None

    @classmethod
    def _default_options(cls) -> Any:
        return Options()

    def run(self, *_: object, **__: object) -> NoReturn:
        """Not offered: raises TypeError that says what to use."""
        raise TypeError("backend.run() is not offered: use qubator.SamplerV2 or qubator.EstimatorV2")


def find_backend(client: Client, name: str) -> RemoteBackend:
    """The backend called `name`; for "auto" the first online one the service lists. Raises LookupError when there is
    none."""
    records = client.backends()
    for record in records:
        if record["name"] == name or (name == "auto" and record.get("state", "online") == "online"):
            return RemoteBackend(record)
    offered = ", ".join(str(record["name"]) for record in records) or "none"
    raise LookupError(f"the service has no backend {name!r}; it offers {offered}")


def _target(record: Mapping[str, Any]) -> Any:
    # every gate is defined for any qubits: compilers then choose no layout and keep the circuit's own width
    target = Target(num_qubits=record.get("qubits_max"))
    known = get_standard_gate_name_mapping()
    for name in record.get("basis_gates", ()):
        gate = known.get(name)
        if gate is not None and name not in ("measure", "reset", "delay"):
            fresh = [Parameter(f"p{place}") for place in range(len(gate.params))]
            target.add_instruction(type(gate)(*fresh) if fresh else gate, name=name)
    target.add_instruction(Measure())
    target.add_instruction(Reset())
    return target
