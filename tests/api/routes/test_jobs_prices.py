"""What a job costs, over HTTP: quoted, kept, refused for want of means, warned of, and explained afterwards."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.schemas.answers import JobMade
from api.schemas.prices import RECEIPT_EXAMPLE, QuoteAnswer, Receipt
from dispatcher.model import GrantTerms, Refusal


def create(client: httpx.Client, body: Any, **headers: str) -> httpx.Response:
    return client.post("/v1/jobs", json=body, headers=headers)


def test_a_quote_holds_nothing(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    books = house.books()
    answer = client.post("/v1/quotes", json=sampler)
    assert answer.status_code == 200
    QuoteAnswer.model_validate(answer.json())
    assert (answer.json()["backend"], answer.json()["wait_us"]) == ("ideal", 0)
    assert house.books() == books
    assert books[1] == 0
    assert answer.json()["quote"] == create(client, sampler).json()["quote"]


def test_a_quote_says_who_would_pay_and_is_kept_for_the_same_work(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    quote = client.post("/v1/quotes", json=sampler).json()
    (grant,) = client.get("/v1/projects/me/grants").json()["grants"]
    ceiling = quote["quote"]["ceiling"]["micro"]
    assert quote["missing"] == 0
    assert quote["payers"] == [
        {"payer": grant["id"], "asset": "CNY", "amount": ceiling, "worth": ceiling, "rule": "", "share_ppm": 1_000_000}
    ]
    assert 0 < quote["expires_us"] - house.room.now_us() <= house.ground.rules.quote_valid_us
    assert quote["expires_at"].endswith("Z")
    job = create(client, {**sampler, "name": "as quoted", "quote_id": quote["quote_id"]})
    assert (job.status_code, job.json()["quote"]) == (201, quote["quote"])


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"quote_id": "qte_none"}, 422, "quote_unknown"),
        ({"category": "training"}, 422, "quote_mismatch"),
        ({"time_limit_s": 7}, 422, "quote_mismatch"),
        ({"backend": "aer-statevector"}, 422, "quote_mismatch"),
        ({"options": {"seed": 1}}, 422, "quote_mismatch"),
        ({"max_cost": 1}, 422, "cost_limit"),
    ],
)
def test_a_quote_is_not_kept_for_anything_else(
    client: httpx.Client, house: Any, sampler: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    quote_id = client.post("/v1/quotes", json=sampler).json()["quote_id"]
    books = house.books()
    answer = create(client, {**sampler, "quote_id": quote_id, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert house.books() == books


def test_a_quote_is_not_renewed_by_a_quote(client: httpx.Client, sampler: dict[str, Any]) -> None:
    """Else yesterday's price could be kept for ever."""
    quote_id = client.post("/v1/quotes", json=sampler).json()["quote_id"]
    answer = client.post("/v1/quotes", json={**sampler, "quote_id": quote_id})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/quote_id")


def test_a_quote_of_another_project_is_unknown(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    theirs = client.post("/v1/quotes", json=sampler, headers=house.headers("member of lao")).json()["quote_id"]
    assert create(client, {**sampler, "quote_id": theirs}).json()["code"] == "quote_unknown"


@pytest.mark.parametrize("category", ["", "General", "a b", "-a", "a" * 33, 7, None])
def test_what_is_no_category(client: httpx.Client, sampler: dict[str, Any], category: Any) -> None:
    answer = create(client, {**sampler, "category": category})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/category")


@pytest.mark.parametrize(("parts", "percent"), [(124, None), (125, 80), (105, 95)])
def test_a_submission_says_that_the_grants_run_out(
    client: httpx.Client, house: Any, sampler: dict[str, Any], parts: int, percent: int | None
) -> None:
    """Of 100 parts granted the job holds so many that 80, or 95, percent are just reached; or just not."""
    ceiling = client.post("/v1/quotes", json=sampler).json()["quote"]["ceiling"]["micro"]
    granted = {124: ceiling * 5 // 4 + 1, 125: ceiling * 5 // 4, 105: ceiling * 100 // 95}[parts]
    project = house.fund("near the end", granted)
    answer = create(client, sampler, **house.headers("near the end"))
    assert answer.status_code == 201
    assert answer.headers.get("qubator-quota-warning") == (None if percent is None else str(percent))
    JobMade.model_validate(answer.json())
    assert [(one["project_id"], one["percent"], one["used"], one["granted"]) for one in answer.json()["warnings"]] == (
        [] if percent is None else [(project, percent, ceiling, granted)]
    )


def test_an_expired_grant_and_one_of_tomorrow_count_for_no_warning(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    ceiling = client.post("/v1/quotes", json=sampler).json()["quote"]["ceiling"]["micro"]
    project = house.fund("waiting", ceiling)
    tomorrow_us = house.room.now_us() + 86_400_000_000
    (programme, _), *_ = house.room.list_programmes(house.caller("operator"))
    later = GrantTerms(project, programme.id, "CNY", 10**10, tomorrow_us, tomorrow_us + 10**12, 0)
    assert not isinstance(house.room.issue_grant(house.caller("operator"), later), Refusal)
    assert create(client, sampler, **house.headers("waiting")).headers["qubator-quota-warning"] == "95"


def test_a_refusal_for_want_of_means_names_every_source(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    house.fund("poor", 100_000, resources=("qpu_ms",))
    before = client.get("/v1/projects/me/balance", headers=house.headers("poor")).json()
    answer = create(client, sampler, **house.headers("poor"))
    told = answer.json()
    assert (answer.status_code, told["code"], told["asset"]) == (402, "grant_exhausted", "CNY")
    assert told["needed"] == told["available"] + told["missing"]
    assert (told["available"], told["wallet"]) == (100_000, 0)
    assert [(one["available"], one["pays"], one["why_not_more"]) for one in told["sources"]] == [
        (100_000, 100_000, "available")
    ]
    assert 0 <= told["would_fit"] < told["needed"]
    assert client.get("/v1/projects/me/balance", headers=house.headers("poor")).json() == before


def test_a_receipt_is_there_at_the_end(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    job = create(client, sampler).json()["id"]
    answer = client.get(f"/v1/jobs/{job}/receipt")
    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "job_not_finished", "queued")
    house.finish(job)
    told = client.get(f"/v1/jobs/{job}/receipt").json()
    proof = told.pop("proof")
    assert told == {"job_id": job, "charged": 2_603, "asset": "CNY"}
    assert (proof["state"], proof["checkpoint"]) == ("pending", None), "nobody signs here"
    assert [entry["columns"]["id"] for entry in proof["entries"]] == [f"hold/{job}"]


def test_a_receipt_explains_itself_row_by_row_when_asked(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    job = create(client, sampler).json()["id"]
    figures = {name: value for name, value in RECEIPT_EXAMPLE.items() if name != "job_id"}
    house.finish(job, **figures)
    plain = client.get(f"/v1/jobs/{job}/receipt").json()
    assert "explain" not in plain
    assert client.get(f"/v1/jobs/{job}/receipt?explain=0").json() == plain
    told = client.get(f"/v1/jobs/{job}/receipt?explain=1").json()
    Receipt.model_validate(told)
    explain = told.pop("explain")
    assert told == plain
    assert [step["words"] for step in explain] == plain["explanation"]
    assert [step["step"] for step in explain] == ["price"] * 3 + ["total", "payer", "released"]
    assert sum(step["amounts"]["amount"] for step in explain[:3]) == explain[3]["amounts"]["amount"] == plain["price"]
    assert explain[4]["amounts"]["paid"] == plain["charged"]
    assert explain[5]["amounts"] == {"held": 126_103, "charged": 2_603, "released": 123_500, "asset": "CNY"}
    answer = client.get(f"/v1/jobs/{job}/receipt?explain=yes")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_quote_says_that_a_budget_of_the_project_would_refuse_the_job(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    assert client.post("/v1/quotes", json=sampler).json()["refusal"] is None
    admin = house.caller("admin of moz")
    member = house.caller("member of moz").member_id
    assert not isinstance(house.room.set_budget(admin, house.projects["moz"], "member", member, 1), Refusal)
    quote = client.post("/v1/quotes", json=sampler).json()
    refused = create(client, sampler).json()
    assert (quote["missing"], quote["refusal"]["code"]) == (0, "budget_exhausted")
    assert quote["refusal"]["detail"] == refused["detail"]
    QuoteAnswer.model_validate(quote)
