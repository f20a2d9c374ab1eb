"""What the inspector has found out about a work document, kept by the hash of its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from store import schema
from store.bulk import Bulk, insert_text
from store.columns import among, to_json

_inspections = schema.inspections
_INSERT = Bulk(insert_text(_inspections) + " ON CONFLICT (hash) DO UPDATE SET findings = excluded.findings")


def get_many(connection: Connection, hashes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The findings kept under these hashes; unknown ones are left out."""
    if not hashes:
        return {}
    rows = connection.execute(
        select(_inspections.c.hash, _inspections.c.findings).where(among(_inspections.c.hash, hashes))
    )
    return {row.hash: row.findings for row in rows}


def put_many(connection: Connection, findings: Mapping[str, dict[str, Any]], at_us: int) -> None:
    """Keep findings by hash, over what was kept there before. `at_us` is when they were made."""
    _INSERT(connection, [(content_hash, to_json(found), at_us) for content_hash, found in sorted(findings.items())])
