"""Cost and usage in the form of FOCUS: written to a file of its own, so that nobody's slow line holds the database."""

from __future__ import annotations

import importlib.metadata
import tempfile
from typing import IO, Any, get_args

from dispatcher.bookkeeping import Period, period_of
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.people import no_project
from dispatcher.tables import focus_csv
from ledger.charges import charged
from ledger.focus import Frame, metadata, rows
from ledger.focus_columns import FocusVersion
from store import book as book_store
from store import charged as charge_store
from store import identity, programmes
from store.database import Connection

IN_MEMORY_BYTES = 4 << 20


class Exporting:
    """Exports of a project's month."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def focus(self, caller: Caller, project_id: str, month: str, version: str) -> IO[bytes] | Refusal:
        """The rows as CSV, in a file that stands at its begin and is gone when it is closed.

        Refusals: not_found, invalid_request.
        """
        chosen = known_version(version)
        if isinstance(chosen, Refusal):
            return chosen
        with self._ground.database.read() as conn:
            found = self._frame(conn, caller, project_id, month)
            if isinstance(found, Refusal):
                return found
            frame, period = found
            read = charge_store.histories(conn, project_id, period.after, period.until)
            # Small ones never reach the disk; whoever is given the file closes it.
            file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
            try:
                for piece in focus_csv(chosen, rows(chosen, frame, charged(read))):
                    file.write(piece.encode())
            except BaseException:
                file.close()
                raise
        file.seek(0)
        return file

    def focus_metadata(self, caller: Caller, project_id: str, month: str, version: str) -> dict[str, Any] | Refusal:
        """What FOCUS wants to be told beside the rows. Refusals: not_found, invalid_request."""
        chosen = known_version(version)
        if isinstance(chosen, Refusal):
            return chosen
        with self._ground.database.read() as conn:
            found = self._frame(conn, caller, project_id, month)
        if isinstance(found, Refusal):
            return found
        frame, period = found
        made_by = importlib.metadata.version("qubator-service")
        return metadata(chosen, frame, made_by, self._ground.now_us(), period.closed)

    def _frame(self, conn: Connection, caller: Caller, project_id: str, month: str) -> tuple[Frame, Period] | Refusal:
        rules = self._ground.rules
        project = identity.get_project(conn, project_id) if caller.sees(project_id) else None
        if project is None:
            return no_project(project_id)
        period = period_of(conn, rules, month, month, self._ground.now_us())
        if isinstance(period, Refusal):
            return period
        names = {row.id: row.name for row in identity.list_members(conn, project_id)}
        names |= {row.id: row.name for row in programmes.list_funders(conn)}
        names |= {row.id: row.name for row in programmes.list_programmes(conn)}
        frame = Frame(
            facility=rules.facility,
            project_id=project_id,
            project_name=project.name,
            asset=rules.asset,
            from_us=period.first.from_us(rules.zone),
            until_us=period.until.until_us,
            grants={grant.id: grant for grant in book_store.grants_of(conn, project_id)},
            names=names,
        )
        return frame, period


def known_version(text: str) -> FocusVersion | Refusal:
    """A version of FOCUS that is written here. Refusal: invalid_request."""
    match text:
        case "1.2" | "1.3":
            return text
        case _:
            known = " and ".join(get_args(FocusVersion))
            detail = f"FOCUS is written in the versions {known}, not in {text[:20]!r}."
            return Refusal("invalid_request", detail, {"version": text[:20]})
