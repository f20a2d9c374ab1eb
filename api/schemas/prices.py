"""Answers about prices, as documentation: quotes and receipts."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Amount, Told
from api.schemas.ledger import PROOF_EXAMPLE, ReceiptProof
from api.schemas.problems import ProblemDocument

_JOB = "job_01J8Z3V7Q4M2"


def _line(resource: str, what: str, quantity: int, unit: str, quantum: int, unit_price: int) -> dict[str, Any]:
    sizes = {"quantity": quantity, "unit": unit, "quantum": quantum, "unit_price": unit_price}
    return {
        "resource": resource,
        "what": what,
        **sizes,
        "amount": quantity * unit_price,
        "rate": f"built-in/{resource}",
    }


QUOTE_EXAMPLE: dict[str, Any] = {
    "expected": {"micro": 2_603, "asset": "CNY"},
    "ceiling": {"micro": 126_103, "asset": "CNY"},
    "lines": [
        _line("job", "job", 1, "job", 1, 1_000),
        _line("qpu_ms", "QPU time", 3, "ms", 1, 500),
        _line("shots", "shots", 103, "shot", 10, 1),
    ],
    "rates": [
        {
            "id": "built-in/qpu_ms",
            "resource": "qpu_ms",
            "backend": "*",
            "hours": [0, 24],
            "quantum": 1,
            "unit_price": 500,
        }
    ],
    "estimate_ms": 3,
    "time_limit_ms": 60_000,
    "ceiling_ms": 250,
    "shots": 1_024,
    "storage_mib_h": 1,
}
FINDINGS_EXAMPLE: dict[str, Any] = {
    "primitive": "sampler",
    "circuits": [
        {"qubits": 2, "clbits": 2, "depth": 3, "gates_1q": 1, "gates_2q": 1, "operations": 4, "clifford": True}
    ],
    "totals": {
        "pubs": 1,
        "parameter_sets": 1,
        "executions": 1,
        "shots": 1_024,
        "qubits_max": 2,
        "result_bytes": 1_024,
    },
}
RECEIPT_EXAMPLE: dict[str, Any] = {
    "v": 2,
    "job_id": _JOB,
    "project_id": "prj_01J8Z3",
    "asset": "CNY",
    "state": "settled",
    "usage": {"qpu_ms": 3, "shots": 1_024, "cpu_ms": 3, "gpu_ms": 0, "storage_mib_h": 1},
    "lines": QUOTE_EXAMPLE["lines"],
    "price": 2_603,
    "charged": 2_603,
    "subsidised": 2_603,
    "copay": 0,
    "quoted": {"expected": 2_603, "ceiling": 126_103, "lines": []},
    "held": 126_103,
    "released": 123_500,
    "absorbed_by_facility": 0,
    "payers": [
        {
            "payer": "grt_01J8Z3",
            "grant_id": "grt_01J8Z3",
            "programme_id": "pgm_01J8Z3",
            "funder_id": "fun_01J8Z3",
            "funders": [{"funder_id": "fun_01J8Z3", "paid": 2_603}],
            "asset": "CNY",
            "held": 126_103,
            "paid": 2_603,
            "worth": 2_603,
            "released": 123_500,
            "released_to": "available",
            "share_ppm": 1_000_000,
            "rule": "",
        }
    ],
    "cuts": [],
    "explanation": [
        "job: 1 job at 0.001000 CNY per job = 0.001000 CNY.",
        "QPU time: 3 ms at 0.000500 CNY per ms = 0.001500 CNY.",
        "shots: 1030 shots at 0.000001 CNY per 10 shots = 0.000103 CNY.",
        "Together 0.002603 CNY.",
        "Grant grt_01J8Z3 of programme pgm_01J8Z3, funded by fun_01J8Z3, paid 0.002603 CNY.",
        "0.123500 CNY of the 0.126103 CNY held was not needed.",
    ],
    "proof": PROOF_EXAMPLE,
}


class Quote(Told):
    """The price expected, and the ceiling: what is held, and more than which a job is never charged."""

    model_config = ConfigDict(json_schema_extra={"examples": [QUOTE_EXAMPLE]})

    expected: Amount
    ceiling: Amount
    lines: list[dict[str, Any]]
    rates: list[dict[str, Any]] = Field(description="The lines of the rate card that the price is pinned to.")
    estimate_ms: int
    time_limit_ms: int
    ceiling_ms: int
    shots: int
    storage_mib_h: int


class Usage(Told):
    """What a job used: engine time, shots and processor time."""

    qpu_ms: int
    shots: int
    cpu_ms: int
    gpu_ms: int
    storage_mib_h: int


class QuotedPayer(Told):
    """The part of a ceiling that one payer would hold: a grant by its id, or `wallet` for the project's own money."""

    payer: str
    asset: str
    amount: int
    worth: int
    rule: str
    share_ppm: int


class QuoteAnswer(Told):
    """What the job would cost, who would pay it and how long it would wait now. Nothing is reserved.

    Until `expires_us` the price and the programmes' terms are honoured for the same job that names `quote_id`. Where
    `missing` is above 0, so much of the ceiling has no payer. `refusal` says that the job would be refused, and why: no
    payer, or a budget of the project that has too little left.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "quote_id": "qte_01J8Z3",
                    "expires_us": 1_790_000_900_000_000,
                    "expires_at": "2026-09-21T14:28:20.000000Z",
                    "quote": QUOTE_EXAMPLE,
                    "payers": [
                        {
                            "payer": "grt_01J8Z3",
                            "asset": "CNY",
                            "amount": 126_103,
                            "worth": 126_103,
                            "rule": "",
                            "share_ppm": 1_000_000,
                        }
                    ],
                    "missing": 0,
                    "refusal": None,
                    "backend": "aer",
                    "wait_us": 0,
                    "findings": FINDINGS_EXAMPLE,
                }
            ]
        }
    )

    quote_id: str
    expires_us: int
    expires_at: str | None
    quote: Quote
    payers: list[QuotedPayer] = Field(description="Who would hold which part of the ceiling, in burn order.")
    missing: int
    refusal: ProblemDocument | None = Field(description="The answer that the job itself would get now, if it is a no.")
    backend: str
    wait_us: int
    findings: dict[str, Any]


class Step(Told):
    """One step of a price: usage × rate, a payer and the rule it paid under, a cut, what came back."""

    step: Literal["price", "total", "corrected", "payer", "cut", "released", "absorbed", "voided"]
    words: str
    amounts: dict[str, Any]


class Receipt(Told):
    """The price of an ended job in figures that add up, and who paid which part."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECEIPT_EXAMPLE]})

    job_id: str
    project_id: str
    asset: str
    state: str
    usage: Usage
    lines: list[dict[str, Any]]
    price: int
    charged: int
    subsidised: int
    copay: int
    held: int
    released: int
    absorbed_by_facility: int
    payers: list[dict[str, Any]]
    cuts: list[dict[str, Any]] = Field(description="What a cap or an empty grant kept a payer from holding.")
    explanation: list[str] = Field(description="The same in sentences.")
    proof: ReceiptProof
    explain: list[Step] | None = Field(default=None, description="With explain=1: the sentences with their figures.")
