"""The job of `backend.run`: Qiskit's JobV1 over a sampler job of the service, and its results as Qiskit's Result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, QuantumCircuit
from qiskit.providers import JobV1
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData

from qubator import __version__

if TYPE_CHECKING:
    from qubator.job import Job
    from qubator.primitive_job import PrimitiveJob
    from qubator.remote_backend import RemoteBackend

LOOSE = "loose_bits"
"""The register in which bits travel that belong to no register of their circuit."""


class BackendJob(JobV1):  # type: ignore[misc]  # qiskit has no types
    """A job of `backend.run`. `primitive_job` is the sampler job behind it, with its price and its receipt."""

    def __init__(
        self, backend: RemoteBackend, job: PrimitiveJob, circuits: Sequence[QuantumCircuit], *, memory: bool
    ) -> None:
        super().__init__(backend, job.job_id())
        self.primitive_job = job
        self._circuits = [(circuit.name, circuit.metadata, _Layout(circuit)) for circuit in circuits]
        self._memory = memory
        self._result: Any = None

    @property
    def job(self) -> Job | None:
        """The same job at the service, with cost, receipt and the rest; None when nothing had to be run."""
        return getattr(self.primitive_job, "job", None)

    def submit(self) -> None:
        """Nothing to do: `backend.run` has submitted the job."""

    def result(self, timeout: float | None = None) -> Any:
        """The Result: counts, and memory where it was asked for. Blocks at most `timeout` seconds."""
        if self._result is None:
            sampled = self.primitive_job.result(timeout) if self.job is not None else self.primitive_job.result()
            told = self.primitive_job.metadata
            rows = [
                self._experiment(pub, *circuit, seed=told.get("seed"))
                for pub, circuit in zip(sampled, self._circuits, strict=True)
            ]
            self._result = Result(
                backend_name=self.backend().name,
                backend_version=__version__,
                job_id=self.job_id(),
                success=True,
                results=rows,
                status="COMPLETED",
                metadata=dict(told),
            )
        return self._result

    def status(self) -> Any:
        """The status, read anew unless final."""
        return self.primitive_job.status()

    def cancel(self) -> bool:
        """Ask for an early end; False when the job had already ended otherwise."""
        return bool(self.primitive_job.cancel())

    def _experiment(self, pub: Any, name: str, metadata: Any, layout: _Layout, *, seed: int | None) -> Any:
        shots = int(pub.metadata["shots"])
        words = layout.words(pub.data, shots)
        values: dict[str, Any] = {}
        if words is not None:
            found, counts = np.unique(words, axis=0, return_counts=True)
            spelled = [hex(int.from_bytes(word.tobytes(), "big")) for word in found]
            values["counts"] = dict(zip(spelled, map(int, counts), strict=True))
            if self._memory:
                values["memory"] = [hex(int.from_bytes(word.tobytes(), "big")) for word in words]
        header = {
            "name": name,
            "creg_sizes": [[register, len(slots)] for register, slots in layout.registers],
            "memory_slots": layout.width,
            "n_qubits": layout.qubits,
            "metadata": metadata or {},
        }
        return ExperimentResult(
            shots=shots,
            success=True,
            data=ExperimentResultData(**values),
            status="DONE",
            seed=seed,
            header=header,
            meas_level=2,
        )


class _Layout:
    """Where the bits of each register stand among the bits of their circuit."""

    def __init__(self, circuit: QuantumCircuit) -> None:
        places = {bit: place for place, bit in enumerate(circuit.clbits)}
        self.width = circuit.num_clbits
        self.qubits = circuit.num_qubits
        self.registers = [(register.name, [places[bit] for bit in register]) for register in circuit.cregs]
        self._loose = [places[bit] for bit in _loose_bits(circuit)]

    def words(self, told: Any, shots: int) -> NDArray[np.uint8] | None:
        """All bits of every shot, packed, the last bit of the circuit first; None where the circuit has no bits."""
        if not self.width:
            return None
        bits = np.zeros((shots, -(-self.width // 8) * 8), dtype=np.uint8)
        for name, slots in [*self.registers, (LOOSE, self._loose)]:
            if slots:
                unpacked = np.unpackbits(told[name].array, axis=-1)[:, ::-1]
                bits[:, slots] = unpacked[:, : len(slots)]
        return np.packbits(bits[:, ::-1], axis=-1)


def readable(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit itself, or where some of its bits belong to no register a copy that gives them one."""
    if circuit.num_parameters:
        names = ", ".join(parameter.name for parameter in list(circuit.parameters)[:8])
        raise ValueError(
            f"circuit {circuit.name!r} has parameters without values ({names}): bind them with assign_parameters, or "
            "give circuit and values to SamplerV2"
        )
    loose = _loose_bits(circuit)
    if not loose:
        return circuit
    copy = circuit.copy(name=circuit.name)
    copy.add_register(ClassicalRegister(name=LOOSE, bits=loose))
    return copy


def _loose_bits(circuit: QuantumCircuit) -> list[Any]:
    registered = {bit for register in circuit.cregs for bit in register}
    return [bit for bit in circuit.clbits if bit not in registered]
