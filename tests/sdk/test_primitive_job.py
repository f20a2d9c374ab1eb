"""The job object that primitives return."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import numpy as np
import pytest
from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus

from qubator.errors import JobFailed
from qubator.job import Job
from qubator.primitive_job import EmptyJob, PrimitiveJob

BITS = base64.b64encode(np.array([[0], [3]], dtype=np.uint8).tobytes()).decode()
DOCUMENT = {
    "v": 1, "primitive": "sampler",
    "pubs": [{"registers": {"meas": {"shape": [], "shots": 2, "bits": 2,
                                     "array": {"dtype": "|u1", "shape": [2, 1], "base64": BITS}}},
              "metadata": {"shots": 2, "circuit_metadata": {"pair": [1, 2]}}}],
    "metadata": {"engine": "aer", "seed": 5},
}  # fmt: skip


def job(script: Any, state: str = "queued") -> PrimitiveJob:
    record = {"id": "job_1", "state": state, "primitive": "sampler", "version": 1}
    return PrimitiveJob(Job(script.connection(), record), [{"pair": (1, 2)}])


def test_it_is_qiskits_job_with_our_id(script: Any) -> None:
    one = job(script)
    assert isinstance(one, BasePrimitiveJob)
    assert one.job_id() == "job_1"
    assert repr(one) == "<qubator.PrimitiveJob job_1 queued>"


@pytest.mark.parametrize(
    ("state", "status", "flags"),
    [
        ("queued", JobStatus.QUEUED, (False, False, False, False)),
        ("running", JobStatus.RUNNING, (False, True, False, False)),
        ("cancelling", JobStatus.RUNNING, (False, True, False, False)),
        ("succeeded", JobStatus.DONE, (True, False, False, True)),
        ("failed", JobStatus.ERROR, (False, False, False, True)),
        ("cancelled", JobStatus.CANCELLED, (False, False, True, True)),
    ],
)
def test_every_state_has_its_status(script: Any, state: str, status: JobStatus, flags: tuple[bool, ...]) -> None:
    one = job(script, state)
    if not flags[3]:
        script.say(*[script.answer(200, one.job.record)] * 5)
    assert one.status() == status
    assert (one.done(), one.running(), one.cancelled(), one.in_final_state()) == flags


def test_the_result_is_read_once_and_carries_the_callers_metadata(script: Any) -> None:
    script.say(script.answer(200, DOCUMENT))
    one = job(script)
    result = one.result()
    assert result is one.result()
    assert result[0].data.meas.get_counts() == {"00": 1, "11": 1}
    assert result[0].metadata == {"shots": 2, "circuit_metadata": {"pair": (1, 2)}}
    assert one.metadata == {"engine": "aer", "seed": 5, "pubs": [{"shots": 2, "circuit_metadata": {"pair": [1, 2]}}]}
    assert script.lines() == ["GET /v1/jobs/job_1/result?wait=30"]


def test_a_failed_job_raises_when_asked_for_its_result(script: Any) -> None:
    script.say(script.problem(409, "job_has_no_result", state="failed", problem={"code": "c", "detail": "d"}))
    with pytest.raises(JobFailed, match="job job_1 failed: d"):
        job(script).result()


def test_cancel_is_passed_on(script: Any) -> None:
    script.say(script.answer(200, {"id": "job_1", "state": "cancelled"}))
    assert job(script).cancel() is True


def test_an_empty_job_needs_no_service_and_shows_itself() -> None:
    one = EmptyJob()
    assert one.job_id().startswith("empty-")
    assert "nothing to run" in one._repr_html_()
    assert pickle.loads(pickle.dumps(one)).job_id() == one.job_id()
