"""The service about itself: health, version, and the table of problems. No token is asked for here."""

from __future__ import annotations

import html
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.answers import Json, refuse
from api.desk import desk_of
from api.openapi import documented
from api.problem import Problem
from api.problems import PROBLEMS
from api.schemas.facility import Live, Ready, Version
from api.schemas.problems import ProblemExplained, ProblemList

router = APIRouter(tags=["facility"])


@router.get("/", include_in_schema=False)
async def front() -> Response:
    """Whoever opens the address in a browser finds the description of the API."""
    return RedirectResponse("/docs")


@router.get("/health/live", summary="Does the process answer?", **documented(told={200: Live}, signed=False))
async def live() -> Response:
    """Asks nothing of the database: a process that answers is not to be restarted."""
    return Json({"live": True})


@router.get("/health/ready", summary="Can jobs be admitted?", **documented(told={200: Ready, 503: Ready}, signed=False))
async def ready(request: Request) -> Response:
    """503 while a part is missing, and `parts` says which."""
    desk = desk_of(request)
    parts = await desk.read(desk.room.ready)
    well = all(parts.values())
    return Json({"ready": well, "parts": parts}, 200 if well else 503, {"cache-control": "no-store"})


@router.get("/v1/version", summary="Versions and limits", **documented(told={200: Version}, signed=False))
async def version(request: Request) -> Response:
    """What runs here, and what it takes."""
    desk = desk_of(request)
    own = {"body_bytes": desk.limits.body_bytes, "batch_jobs": desk.limits.batch_jobs}
    settings = {**await desk.read(desk.room.settings_public), **own}
    return Json({**await desk.read(desk.room.version), "settings": settings})


@router.get("/problems", summary="All problems", **documented(told={200: ProblemList}, signed=False))
async def list_problems() -> Response:
    """The table of all problems that the service answers with."""
    return Json({"problems": list(map(_explained, PROBLEMS.values()))})


@router.get(
    "/problems/{code}",
    summary="What a problem means",
    **documented(told={200: ProblemExplained}, refuses=("not_found",), signed=False),
)
async def explain_problem(request: Request, code: str) -> Response:
    """What a code means and what to do about it; a page where a browser asks."""
    row = PROBLEMS.get(code)
    if row is None:
        raise refuse("not_found", "There is no such problem; /problems lists them all.")
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_page(row))
    return Json(_explained(row))


def _explained(row: Problem) -> dict[str, Any]:
    return {
        "code": row.code,
        "type": row.type,
        "status": row.status,
        "title": row.title,
        "meaning": row.meaning,
        "next": row.next_step,
        "retryable": row.retryable,
    }


def _page(row: Problem) -> str:
    title, meaning, after = map(html.escape, (row.title, row.meaning, row.next_step))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p><code>{row.code}</code>, status {row.status}</p><p>{meaning}</p><p>{after}</p></html>"
    )
