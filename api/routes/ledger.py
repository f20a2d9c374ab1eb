"""The ledger's proof: keys, newest checkpoint, consistency. Any token will do: who may read a receipt may check it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import shapes
from api.answers import Json, accepted
from api.auth import Visitor
from api.openapi import documented
from api.schemas.fields import INTEGER_MAX
from api.schemas.ledger import Consistency, LedgerCheckpoint, LedgerKeys

router = APIRouter(tags=["ledger"])


@router.get(
    "/v1/ledger/key",
    summary="The keys that sign the ledger",
    **documented(told={200: LedgerKeys}, refuses=("not_found",)),
)
async def read_key(visit: Visitor) -> Response:
    """Public keys, a line each. Whoever keeps them can check receipts and checkpoints without this service."""
    return Json(shapes.ledger_keys(accepted(await visit.desk.read(visit.room.ledger_keys))))


@router.get(
    "/v1/ledger/checkpoint",
    summary="The newest checkpoint",
    **documented(told={200: LedgerCheckpoint}, refuses=("not_found",)),
)
async def read_checkpoint(visit: Visitor) -> Response:
    """Signed size and root of the ledger. Whoever keeps one can ask later whether the ledger still begins so."""
    return Json(shapes.checkpoint(accepted(await visit.desk.read(visit.room.ledger_checkpoint))))


@router.get(
    "/v1/ledger/consistency",
    summary="That an earlier ledger is the beginning of a later one",
    **documented(told={200: Consistency}, refuses=("not_found", "invalid_request")),
)
async def read_consistency(
    visit: Visitor,
    old: Annotated[int, Query(alias="from", ge=1, le=INTEGER_MAX)],
    new: Annotated[int | None, Query(alias="to", ge=1, le=INTEGER_MAX)] = None,
) -> Response:
    """`from` and `to` are sizes of checkpoints; without `to` the newest one is meant."""
    return Json(accepted(await visit.desk.read(visit.room.ledger_consistency, old, new)))
