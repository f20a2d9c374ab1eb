"""The client against the running service: jobs, prices, batches, refusals, identity."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from qiskit import QuantumCircuit, qpy

from qubator import (
    AuthError,
    BatchRefused,
    Client,
    Conflict,
    JobCancelled,
    NotFound,
    Refused,
    Submission,
    WaitTimeout,
)
from qubator.money import Money

BELL2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> c;\n'
TURN3_PURE = 'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] theta;\nqubit[1] q;\nry(theta) q[0];\n'
TURN3 = TURN3_PURE + "bit[1] c;\nc = measure q;\n"


def bell(name: str = "bell") -> QuantumCircuit:
    circuit = QuantumCircuit(2, name=name)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def qpy_of(*circuits: QuantumCircuit, version: int = 13) -> bytes:
    out = io.BytesIO()
    qpy.dump(list(circuits), out, version=version)
    return out.getvalue()


@pytest.fixture(scope="module")
def startup(zone: Any) -> Any:
    return zone.startup()


@pytest.fixture
def client(startup: Any) -> Client:
    return startup.client


def test_every_kind_of_circuit_runs(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "bells.qpy"
    path.write_bytes(qpy_of(bell(), bell()))
    everything = [bell(), BELL2, (TURN3, {"theta": 3.141592653589793}, 8), path, qpy_of(bell(), version=18)]
    counts = client.submit(everything, shots=16, seed=1).counts(timeout=60)
    assert [sum(each.values()) for each in counts] == [16, 16, 8, 16, 16, 16]
    assert counts[2] == {"1": 8}
    assert all(set(each) <= {"00", "11"} for n, each in enumerate(counts) if n != 2)


def test_text_with_observables_is_an_estimate(client: Client) -> None:
    job = client.submit((TURN3_PURE, [["Z"], ["X"]], {"theta": [0.0, 1.5707963267948966]}))
    assert job.primitive == "estimator"
    values = job.result(timeout=60)[0].data.evs
    assert [[round(float(v), 9) + 0.0 for v in row] for row in values] == [[1.0, 0.0], [0.0, 1.0]]


def test_a_job_tells_its_whole_life(client: Client) -> None:
    job = client.submit(bell(), shots=100, seed=3, name="whole life", tags=["a", "b"], metadata={"k": [1]}, priority=3)
    assert (job.name, job.tags, job.metadata) == ("whole life", ["a", "b"], {"k": [1]})
    job.wait(timeout=60)
    assert (job.state, job.status(), job.done(), job.problem) == ("succeeded", "succeeded", True, None)
    assert [change["state"] for change in job.history()] == ["queued", "running", "succeeded"]
    receipt = job.receipt()
    assert job.cost == Money(receipt["charged"])
    assert receipt["charged"] == sum(line["amount"] for line in receipt["lines"])
    assert job.cost <= job.quote["ceiling"]
    assert client.job(job.id).record == job.refresh().record
    assert "succeeded" in job._repr_html_()


def test_events_tell_jobs_and_that_the_grants_run_out(zone: Any) -> None:
    startup = zone.startup(grant=130_000)
    startup.client.submit(BELL2, shots=1_000, seed=1).wait(60)
    seen = []
    for event in startup.client.events(after=0):
        seen.append((event["event"], event.get("state") or event["percent"]))
        if event.get("state") == "succeeded":
            break
    assert sorted(seen[:3], key=str) == [("job", "queued"), ("quota_warning", 80), ("quota_warning", 95)]
    assert seen[3:] == [("job", "running"), ("job", "succeeded")]


def test_the_quota_moves_by_what_a_job_cost(zone: Any) -> None:
    client = zone.startup(grant=10**8).client
    job = client.submit(bell(), shots=100).wait(timeout=60)
    quota = client.quota()
    assert (quota.granted, quota.held, quota.expired) == (Money(10**8), Money(0), Money(0))
    assert quota.settled == job.cost == quota.grants[0].settled
    assert quota.available.micro == 10**8 - job.cost.micro
    statement = client.statement()
    assert statement["jobs"]["succeeded"] == 1
    assert statement["charged"] == job.cost.micro


def test_a_quote_is_kept(client: Client) -> None:
    quote = client.quote(bell(), shots=100)
    job = client.submit(bell(), shots=100)
    assert job.quote["ceiling"] == quote.ceiling
    assert quote.record["findings"]["totals"]["shots"] == 100
    with pytest.raises(Refused) as caught:
        client.submit(bell(), shots=100, max_cost=quote.ceiling.micro - 1)
    assert caught.value.code == "cost_limit"
    job.wait(timeout=60)


def test_a_key_makes_one_job_of_many_tries(client: Client) -> None:
    key = uuid.uuid4().hex
    first = client.submit(BELL2, shots=10, idempotency_key=key)
    assert client.submit(BELL2, shots=10, idempotency_key=key).id == first.id
    with pytest.raises(Conflict) as caught:
        client.submit(BELL2, shots=11, idempotency_key=key)
    assert caught.value.code == "idempotency_conflict"


class LosesAnswers(httpx.BaseTransport):
    """A road on which every second answer is lost after the service has done its work."""

    def __init__(self) -> None:
        self.road, self.count = httpx.HTTPTransport(), 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.road.handle_request(request)
        self.count += 1
        if self.count % 2:
            response.read()
            raise httpx.ReadError("the answer was lost", request=request)
        return response


def test_lost_answers_make_no_job_twice(zone: Any) -> None:
    startup = zone.startup()
    client = Client(zone.url, startup.token, transport=LosesAnswers())
    one = client.submit(bell(), shots=10)
    many = client.submit_many([bell() for _ in range(20)], shots=10)
    client.wait_all([one, *many], timeout=60)
    assert one.cancel() is False
    assert {job.id for job in startup.client.jobs()} == {one.id, *(job.id for job in many)}
    assert startup.client.quota().settled.micro == sum(job.cost.micro for job in startup.client.jobs())


def test_a_batch_accepts_and_refuses_one_by_one(client: Client) -> None:
    unmeasured = QuantumCircuit(1)
    jobs: list[Any] = [bell(), Submission(bell(), shots=7, name="seven"), unmeasured, [bell(), bell()]]
    key = uuid.uuid4().hex
    outcomes = client.submit_many(jobs, refusals="return", shots=5, idempotency_key=key)
    assert [getattr(each, "code", "accepted") for each in outcomes] == [
        "accepted",
        "accepted",
        "no_measurement",
        "accepted",
    ]
    with pytest.raises(BatchRefused, match=r"1 of 4 jobs were refused; the first is number 2") as caught:
        client.submit_many(jobs, shots=5, idempotency_key=key)
    accepted = [job for job in caught.value.jobs if job is not None]
    assert [job.id for job in accepted] == [each.id for each in outcomes if not isinstance(each, Exception)]
    client.wait_all(accepted, timeout=60)
    assert [job.state for job in accepted] == ["succeeded"] * 3
    assert [sum(sum(each.values()) for each in job.counts()) for job in accepted] == [5, 7, 10]
    assert accepted[1].name == "seven"


def test_many_jobs_are_waited_for_with_few_requests(zone: Any) -> None:
    client = zone.startup().client
    jobs = client.submit_many([bell() for _ in range(60)], shots=8)
    client.wait_all(jobs, timeout=120)
    assert {job.state for job in jobs} == {"succeeded"}
    assert client.quota().held == Money(0)
    assert len([job.id for job in client.jobs(limit=25)]) == 25
    assert {job.id for job in client.jobs(state="succeeded")} == {job.id for job in jobs}
    assert list(client.jobs(state=["queued", "failed"])) == []


def test_cancelling(client: Client) -> None:
    wide = QuantumCircuit(24)
    for layer in range(40):
        wide.rx(0.1 * layer + 0.1, range(24))
        wide.cx(range(23), range(1, 24))
    wide.measure_all()
    job = client.submit(wide, shots=10, backend="aer-statevector")
    assert job.cancel() is True
    job.wait(timeout=60)
    assert job.state == "cancelled"
    with pytest.raises(JobCancelled):
        job.result()
    assert job.cancel() is True
    done = client.submit(bell(), shots=1).wait(timeout=60)
    assert done.cancel() is False


def test_waiting_has_an_end(client: Client) -> None:
    wide = QuantumCircuit(24)
    for layer in range(40):
        wide.rx(0.1 * layer + 0.1, range(24))
        wide.cx(range(23), range(1, 24))
    wide.measure_all()
    job = client.submit(wide, shots=10, backend="aer-statevector")
    with pytest.raises(WaitTimeout):
        job.result(timeout=0.01)
    with pytest.raises(Conflict) as caught:
        job.document_now()
    assert caught.value.code == "job_not_finished"
    job.cancel()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("OPENQASM 2.0;\nqreg q[2];\nboom q[0];\n", "circuit_invalid"),
        ("OPENQASM 3.0;\nqubit[1000000000] q;\n", "circuit_too_large"),
        ('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nh q[0];\n', "no_measurement"),
    ],
)
def test_bad_circuits_are_refused_with_their_reason(client: Client, text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        client.submit(text)
    assert (caught.value.code, caught.value.status) == (code, 422)


def test_no_budget_is_a_refusal_with_its_figures(zone: Any) -> None:
    with pytest.raises(Refused) as caught:
        zone.startup(grant=None).client.submit(bell())
    assert (caught.value.code, caught.value.status) == ("no_grant", 402)
    with pytest.raises(Refused) as caught:
        zone.startup(grant=1).client.submit(bell())
    assert caught.value.code == "grant_exhausted"
    assert caught.value.fields["available"] == 1


def test_strangers_and_neighbours_see_nothing(zone: Any, client: Client) -> None:
    job = client.submit(bell(), shots=1)
    neighbour = zone.startup().client
    with pytest.raises(NotFound):
        neighbour.job(job.id)
    with pytest.raises(NotFound):
        neighbour.quota(client.me()["project_id"])
    with pytest.raises(AuthError) as caught:
        Client(zone.url, "qb_unknown").me()
    assert caught.value.code == "unauthenticated"
    with pytest.raises(AuthError) as caught:
        client.operators.create_project("mine")
    assert caught.value.code == "forbidden"


def test_an_operator_sets_up_a_startup_through_the_client(zone: Any) -> None:
    operators = Client(zone.url, zone.operator_token).operators
    unique = uuid.uuid4().hex[:8]
    until = zone.room.now_us() + 10**12
    project = operators.create_project(f"project {unique}", weight=200)
    member = operators.create_member(project["id"], "Ada", "admin")
    token = operators.create_token(project["id"], member["id"], role="admin", label="laptop", expires=until)
    funder = operators.create_funder(f"funder {unique}")
    programme = operators.create_programme(f"programme {unique}", funder["id"], Money(10**9))
    grant = operators.issue_grant(project["id"], programme["id"], Money(10**8), valid_until=until)
    client = Client(zone.url, token["secret"])
    assert client.me()["member_id"] == member["id"]
    assert client.quota().available == Money(10**8)
    assert client.submit(bell(), shots=10).counts(timeout=60)[0].keys() <= {"00", "11"}
    assert [each["id"] for each in client.operators.grants()] == [grant["id"]]
    assert operators.project(project["id"])["weight"] == 200
    assert token["id"] in [each["id"] for each in operators.tokens(project["id"])]
    with pytest.raises(Conflict):
        operators.create_funder(f"funder {unique}")
    operators.revoke_token(token["id"])
    with pytest.raises(AuthError):
        client.me()


def test_backends_and_versions_are_told(client: Client) -> None:
    assert "aer" in [backend["name"] for backend in client.backends()]
    assert client.service_version()["service"]
    assert client.sampler(backend="aer").backend.name == "aer"
