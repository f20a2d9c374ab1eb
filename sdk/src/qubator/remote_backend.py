"""A backend of the service as a Qiskit backend: a target to compile for, and `run` for programs written for it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from qiskit.circuit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2, Options

from qubator.backend_job import BackendJob, readable
from qubator.configuration import Configuration
from qubator.options import SamplerOptions, in_our_words
from qubator.pub_runs import submit_pubs
from qubator.submission import check_shots
from qubator.target import target_of

if TYPE_CHECKING:
    from qubator.client import Client
    from qubator.session import Session

CIRCUITS_MAX = 1_000
"""How many circuits one job takes where the service's record names no other number."""

_WITHOUT_MEANING = frozenset(
    {"init_qubits", "meas_return", "optimization_level", "rep_delay", "use_measure_esp", "max_parallel_threads"}
)
"""Options of other backends that change nothing about classified bits of freshly reset qubits."""


class RemoteBackend(BackendV2):  # type: ignore[misc]  # qiskit has no types
    """One backend: compile for it, run on it, or give it to a primitive.

    `record` is how the service describes it; `asked` is what its jobs ask for ("auto" leaves the choice to the
    service), by default its name.
    """

    def __init__(self, record: Mapping[str, Any], client: Client | None = None, *, asked: str | None = None) -> None:
        super().__init__(name=str(record["name"]), description=str(record.get("description", "")))
        self.record = dict(record)
        self.asked = asked or str(record["name"])
        self._client = client
        self._target = target_of(self.record)

    @property
    def client(self) -> Client:
        """The client in use; the default one where none was given."""
        if self._client is None:
            from qubator.primitives import default_client

            return default_client()
        return self._client

    @property
    def target(self) -> Any:
        """Gates, couplings, errors and durations, as far as the service's record has them."""
        return self._target

    @property
    def num_qubits(self) -> int:
        """The widest circuit the backend takes."""
        return int(self.record.get("qubits_max") or 0)

    @property
    def max_circuits(self) -> int:
        """How many circuits one call of `run` takes."""
        return int(self.record.get("circuits_max") or CIRCUITS_MAX)

    @property
    def max_shots(self) -> int | None:
        """How many shots a circuit may ask for; None where the service's record does not say."""
        shots: int | None = self.record.get("shots_max")
        return shots

    def configuration(self) -> Configuration:
        """The backend as programs for older backends read it; the target tells more."""
        edges = self.record.get("coupling_map")
        return Configuration(
            backend_name=str(self.name),
            num_qubits=self.num_qubits,
            basis_gates=tuple(self.record.get("basis_gates", ())),
            coupling_map=None if edges is None else tuple((int(first), int(second)) for first, second in edges),
            simulator=bool(self.record.get("simulated", True)),
            max_shots=self.max_shots,
            max_experiments=self.max_circuits,
            dt=self.target.dt,
        )

    @classmethod
    def _default_options(cls) -> Any:
        return Options(shots=1024, memory=False, seed_simulator=None)

    def run(
        self,
        run_input: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        shots: int | None = None,
        memory: bool | None = None,
        seed_simulator: int | None = None,
        **options: Any,
    ) -> BackendJob:
        """Submit one job of all circuits, which must have all parameters bound.

        The job's result is a qiskit Result: counts per circuit, and each shot's bits when `memory` is set. Options
        further: those of SamplerOptions (tags, priority, max_cost, …). Raises TypeError for an option it cannot honour,
        ValueError for too many circuits, Refused as every submission.
        """
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        if len(circuits) > self.max_circuits:
            raise ValueError(
                f"{len(circuits)} circuits were given, {self.name} takes at most {self.max_circuits} a call: split them"
            )
        chosen = self._shots(shots)
        seed = self.options.seed_simulator if seed_simulator is None else seed_simulator
        terms = SamplerOptions(backend=self.asked, seed=seed)
        terms.update(**self._understood(options))
        job = submit_pubs(
            self.client,
            "sampler",
            terms,
            [SamplerPub.coerce((readable(circuit), None, chosen), chosen) for circuit in circuits],
        )
        return BackendJob(self, job, circuits, memory=bool(self.options.memory if memory is None else memory))

    def session(self) -> Session:
        """A new session on this backend."""
        from qubator.session import Session

        return Session(self)

    def _shots(self, shots: int | None) -> int:
        chosen = self.options.shots if shots is None else shots
        check_shots(chosen)
        return int(chosen)

    def _understood(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that mean something here."""
        given = {word: value for word, value in options.items() if value is not None}
        if "job_tags" in given:
            given["tags"] = list(given.pop("job_tags"))
        in_our_words({"run_options": {"meas_level": given.pop("meas_level", None)}})
        idle = sorted(word for word in given if word in _WITHOUT_MEANING)
        if idle:
            warnings.warn(f"{self.name} takes no notice of {', '.join(idle)}", UserWarning, stacklevel=3)
        return {word: value for word, value in given.items() if word not in _WITHOUT_MEANING}


def find_backend(client: Client, name: str = "auto") -> RemoteBackend:
    """The backend called `name`; for "auto" the first online one the service lists, whose jobs ask for "auto" all the
    same. Raises LookupError when there is none."""
    records = client.backends()
    for record in records:
        if record["name"] == name or (name == "auto" and record.get("state", "online") == "online"):
            return RemoteBackend(record, client, asked=name)
    offered = ", ".join(str(record["name"]) for record in records) or "none"
    raise LookupError(f"the service has no backend {name!r}; it offers {offered}")
