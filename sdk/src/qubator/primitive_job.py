"""The job object the primitives return: Qiskit's interface over a job at the service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from qiskit.primitives.base.base_primitive_job import BasePrimitiveJob
from qiskit.primitives.containers import PrimitiveResult
from qiskit.providers import JobStatus

from qubator.job import Job
from qubator.progress import Progress
from qubator.results import to_primitive_result

_STATUS = {
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "cancelling": JobStatus.RUNNING,
    "succeeded": JobStatus.DONE,
    "failed": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}
_FINAL = frozenset({JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED})


class PrimitiveJob(BasePrimitiveJob):  # type: ignore[misc]  # qiskit has no types
    """A primitive's job. `job` is the same job with cost, receipt and the rest. `settled` holds, by place, results of
    PUBs that needed no service (nothing measured)."""

    def __init__(self, job: Job, circuit_metadata: Sequence[Any], settled: Mapping[int, Any] | None = None) -> None:
        super().__init__(job.id)
        self.job = job
        self._circuit_metadata = list(circuit_metadata)
        self._settled = dict(settled or {})
        self._result: Any = None

    def result(self, timeout: float | None = None, *, progress: Progress = None) -> Any:
        """The PrimitiveResult; blocks until it is there, at most `timeout` seconds (then WaitTimeout).

        Raises JobFailed or JobCancelled when there will be none. Afterwards `metadata` of this job tells engine, method
        and seed, and under "pubs" what the service says of each PUB.
        """
        if self._result is None:
            document = self.job.document(timeout, progress=progress)
            self.metadata.update(document.get("metadata", {}), pubs=[pub.get("metadata") for pub in document["pubs"]])
            self._result = _merged(to_primitive_result(document, self._circuit_metadata), self._settled)
            self.job.drop_document()
        return self._result

    def status(self) -> JobStatus:
        """The status, read anew unless final."""
        return _STATUS[self.job.status()]

    def done(self) -> bool:
        """Whether the job has succeeded."""
        return bool(self.status() == JobStatus.DONE)

    def running(self) -> bool:
        """Whether the job is on a worker."""
        return bool(self.status() == JobStatus.RUNNING)

    def cancelled(self) -> bool:
        """Whether the job was cancelled."""
        return bool(self.status() == JobStatus.CANCELLED)

    def in_final_state(self) -> bool:
        """Whether the job has ended."""
        return self.status() in _FINAL

    def cancel(self) -> bool:
        """Ask for an early end; False when the job had already ended otherwise."""
        return self.job.cancel()

    def __repr__(self) -> str:
        return f"<qubator.PrimitiveJob {self.job.id} {self.job.state}>"

    def _repr_html_(self) -> str:
        return self.job._repr_html_()


class EmptyJob(PrimitiveJob):
    """The job of PUBs that need no service, or of no PUBs at all: done at once, without a call, at no cost."""

    def __init__(self, pub_results: Sequence[Any] = ()) -> None:
        BasePrimitiveJob.__init__(self, f"empty-{uuid.uuid4()}")
        self._result = PrimitiveResult(pub_results, metadata={"version": 2})

    def result(self, *_: Any, **__: Any) -> Any:
        """The PrimitiveResult."""
        return self._result

    def status(self) -> JobStatus:
        """Done."""
        return JobStatus.DONE

    def cancel(self) -> bool:
        """There is nothing to cancel."""
        return False

    def __repr__(self) -> str:
        return f"<qubator.EmptyJob {self.job_id()}>"

    def _repr_html_(self) -> str:
        return "<p>An empty job: nothing to run, no cost.</p>"


def _merged(result: Any, settled: Mapping[int, Any]) -> Any:
    if not settled:
        return result
    remote = iter(result)
    places = range(len(result) + len(settled))
    return PrimitiveResult([settled[n] if n in settled else next(remote) for n in places], metadata=result.metadata)
