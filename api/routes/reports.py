"""Reports by month: statements, reports to funders, FOCUS exports, closing months."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.answers import Json, accepted
from api.auth import Visitor, known_form, needs, project_of
from api.documents import read
from api.openapi import documented
from api.routes.people import ProjectId
from api.schemas.reports import Close, CloseList, CloseRequest, FocusMetadata, FunderReport, MonthStatement
from dispatcher.tables import funder_csv, statement_csv

router = APIRouter(tags=["reports"])

Format = Annotated[Literal["json", "csv"], Query(description="JSON, or CSV for spreadsheets.")]
Version = Annotated[Literal["1.2", "1.3"], Query(description="The version of FOCUS.")]
First = Annotated[str, Query(alias="from", description="The first month: 2026-01.")]
Last = Annotated[str, Query(alias="to", description="The last month: 2026-12.")]

_READ = ("not_found", "invalid_request")
_CSV = "text/csv"
_PIECE_BYTES = 1 << 16


def _tabled(arguments: dict[str, Any], example: str, *, alone: bool = False) -> dict[str, Any]:
    """The answer may come as CSV too, or (`alone`) comes as CSV."""
    answer = arguments["responses"][200]
    content = {_CSV: {"schema": {"type": "string"}, "example": example}}
    if alone:
        arguments["responses"][200] = {"description": answer["description"], "content": content}
        arguments["response_class"] = Table
    else:
        answer["content"] = content
    return arguments


class Table(Response):
    """An answer as CSV."""

    media_type = _CSV


def _table(text: str, name: str) -> Response:
    return Table(text, headers={"content-disposition": f'attachment; filename="{name}.csv"'})


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await to_thread.run_sync(file.read, _PIECE_BYTES):
            yield piece


@router.get(
    "/v1/projects/{project_id}/statements/{month}",
    summary="Read the statement of a month",
    **_tabled(
        documented(told={200: MonthStatement}, refuses=_READ),
        "section,payer,asset,opening,closing\nline,grt_01J8Z3,CNY,10000000,7500000\n",
    ),
)
async def read_month_statement(
    visit: Visitor, project_id: ProjectId, month: str, format_: Annotated[Format, Query(alias="format")] = "json"
) -> Response:
    """Each grant and the wallet from the month's begin to its end, who used it for what, and what was corrected."""
    project = project_of(visit.caller, project_id)
    found = accepted(await visit.desk.convert(visit.room.month_statement, visit.caller, project, month))
    return _table(statement_csv(found), f"statement-{month}") if format_ == "csv" else Json(found)


@router.get(
    "/v1/funders/{funder_id}/report",
    summary="Read a funder's report",
    **_tabled(
        documented(told={200: FunderReport}, refuses=("forbidden", *_READ)),
        "section,programme_id,asset,granted,captured\nprogramme,pgm_01J8Z3,CNY,10000000,2500000\n",
    ),
)
async def read_funder_report(
    visit: Visitor,
    funder_id: str,
    first: First,
    last: Last,
    format_: Annotated[Format, Query(alias="format")] = "json",
) -> Response:
    """For operators and auditors: what the funder's programmes granted in these months, and what became of it."""
    needs(visit.caller, "operator", "auditor")
    funder = known_form(funder_id, "funder")
    found = accepted(await visit.desk.convert(visit.room.funder_report, visit.caller, funder, first, last))
    return _table(funder_csv(found), f"funder-{first}-{last}") if format_ == "csv" else Json(found)


@router.get(
    "/v1/projects/{project_id}/focus/{month}",
    summary="Export cost and usage",
    **_tabled(
        documented(told={200: FocusMetadata}, refuses=_READ),
        "BilledCost,BillingAccountId,ChargeCategory\n1.500000,prj_01J8Z3,Usage\n-1.500000,prj_01J8Z3,Credit\n",
        alone=True,
    ),
)
async def export_focus(visit: Visitor, project_id: ProjectId, month: str, version: Version = "1.3") -> Response:
    """A month's jobs in FOCUS, the open specification of cost and usage: at list price, subsidies as credits."""
    project = project_of(visit.caller, project_id)
    file = accepted(await visit.desk.convert(visit.room.focus, visit.caller, project, month, version))
    named = {"content-disposition": f'attachment; filename="focus-{version}-{month}.csv"'}
    return StreamingResponse(_pieces(file), media_type=_CSV, headers=named)


@router.get(
    "/v1/projects/{project_id}/focus/{month}/metadata",
    summary="Read the metadata of an export",
    **documented(told={200: FocusMetadata}, refuses=_READ),
)
async def read_focus_metadata(visit: Visitor, project_id: ProjectId, month: str, version: Version = "1.3") -> Response:
    """Generator, columns, and how fresh and complete the month is."""
    project = project_of(visit.caller, project_id)
    return Json(accepted(await visit.desk.read(visit.room.focus_metadata, visit.caller, project, month, version)))


@router.get("/v1/closes", summary="List closed months", **documented(told={200: CloseList}, refuses=("forbidden",)))
async def list_closes(visit: Visitor) -> Response:
    """For operators and auditors."""
    needs(visit.caller, "operator", "auditor")
    return Json({"closes": accepted(await visit.desk.read(visit.room.closes, visit.caller))})


@router.post(
    "/v1/closes",
    summary="Close a month",
    **documented(
        asked=CloseRequest,
        told={201: Close},
        refuses=("forbidden", "invalid_request", "month_closed", "month_not_over", "month_out_of_order"),
    ),
)
async def close_month(visit: Visitor, request: Request) -> Response:
    """For operators. What is posted from now on belongs to a later month; the balances at the month's end are final."""
    needs(visit.caller, "operator")
    wanted = await read(request, CloseRequest)
    return Json(accepted(await visit.desk.submit(visit.room.close_month, visit.caller, wanted.month)), 201)
