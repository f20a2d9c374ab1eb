"""The ledger's proof: keys, checkpoints, consistency, and the proof in a receipt."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Told

_NAME = "qubator/5f0c1c2f9a3b4d5e"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NOTE_EXAMPLE = (
    f"{_NAME}\n2\n+sVCA+fLaWzw38tCySodnb/3Ctnm9i9r2NZmLwDjwSU=\ntime_us 1800000000000000\n\n"
    f"— {_NAME} FpkQ1Jd0bQ…\n— {_NAME} vN4o2Pzq3A…\n"
)
PROOF_EXAMPLE: dict[str, Any] = {
    "state": "signed",
    "detail": None,
    "encoding": "qubator.entry/1",
    "entries": [
        {
            "columns": {
                "seq": 2,
                "id": "settle/job_01J8Z3",
                "kind": "settle",
                "at_us": 1_800_000_000_000_000,
                "project_id": "prj_01J8Z3",
                "job_id": "job_01J8Z3",
                "grant_id": None,
                "programme_id": None,
                "postings": [
                    {
                        "position": 0,
                        "source": "grant/grt_01J8Z3/held",
                        "destination": "facility/earned",
                        "amount": 2_603,
                        "asset": "CNY",
                    }
                ],
            },
            "previous": _HASH,
            "hash": _HASH,
            "path": [_HASH],
        }
    ],
    "checkpoint": NOTE_EXAMPLE,
    "signed_by": _NAME,
    "handovers": [],
}


class ReceiptProof(Told):
    """What shows offline that the job's entries are in the ledger, and that the ledger was signed.

    `state` is pending until a checkpoint covers the last entry, which takes seconds. Hashes are hexadecimal.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [PROOF_EXAMPLE]})

    state: Literal["signed", "pending"]
    detail: str | None
    encoding: str
    entries: list[dict[str, Any]] = Field(description="Columns, previous hash, own hash and path to the root of each.")
    checkpoint: str | None = Field(description="The signed note whose root the paths lead to.")
    signed_by: str | None = Field(description="The name of the keys that signed the checkpoint.")
    handovers: list[str] = Field(description="Every change of the ledger's keys: a note, signed by those before.")


class LedgerKey(Told):
    """One public key. `key` is a line of a signed note's verifier."""

    name: str
    algorithm: str
    key: str
    retired_at: int | None = Field(description="It signs nothing over more entries; null while it is in force.")


class LedgerKeys(Told):
    """The public keys that sign the ledger's checkpoints. Keep them: with them everything can be checked offline."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": _NAME,
                    "keys": [
                        {
                            "name": _NAME,
                            "algorithm": "Ed25519",
                            "key": f"{_NAME}+169910d4+AQID…",
                            "retired_at": None,
                        }
                    ],
                    "text": f"{_NAME}+169910d4+AQID…\n",
                }
            ]
        }
    )

    name: str = Field(description="What the ledger is called: the name of its first keys.")
    keys: list[LedgerKey]
    text: str = Field(description="All keys as a file, a line each; `retired SIZE` stands before replaced ones.")


class LedgerCheckpoint(Told):
    """The newest signed statement that the first `size` entries have this root."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"size": 2, "root": _HASH, "at_us": 1_800_000_000_000_000, "note": NOTE_EXAMPLE}]
        }
    )

    size: int
    root: str
    at_us: int
    note: str = Field(description="C2SP tlog-checkpoint, signed.")


class Consistency(Told):
    """The proof of RFC 6962 that the first `from` entries are the beginning of the first `to`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from": 1, "to": 2, "proof": [_HASH]}]})

    from_: int = Field(alias="from")
    to: int
    proof: list[str]
