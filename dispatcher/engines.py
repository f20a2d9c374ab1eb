"""The engines of the backend `ideal`: what this installation has, what shadow runs say of each, who may be used."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

from backends.trust.names import ENGINES, on_probation, package_of
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from store import audit_log, engines
from store.database import Connection
from store.rows import DisagreementRow, EngineRow


class Engines:
    """Reads for everybody, verdicts for operators."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def engines(self) -> Sequence[Mapping[str, Any]]:
        """Every engine; `version` is None where its package is not installed beside the service."""
        with self._ground.database.read() as conn:
            rows = {row.name: row for row in engines.list_engines(conn)}
        return [_shown(name, rows.get(name)) for name in ENGINES]

    def set_engine_state(
        self, caller: Caller, name: str, state: str, reason: str
    ) -> Mapping[str, Any] | Refusal | None:
        """Put an engine under quarantine or trust it again (operators); None when there is no such engine.

        Orders that are already with a worker are not called back. Refusals: forbidden, invalid_request.
        """
        if caller.role != "operator":
            detail = f"This needs the role operator; your token has the role {caller.role}."
            return Refusal("forbidden", detail, {"role": caller.role, "needed": "operator"})
        if name not in ENGINES:
            return None
        if state not in ("trusted", "quarantined"):
            return Refusal("invalid_request", f"An engine is trusted or quarantined, not {state!r}.", {"state": state})
        now = self._ground.now_us()

        def unit(conn: Connection) -> None:
            engines.set_state(conn, name, state, reason, now)
            audit_log.append(conn, now, caller.member_id, "engine.state", name, {"state": state, "reason": reason})

        self._ground.database.writer.run(unit)
        return next(one for one in self.engines() if one["name"] == name)

    def disagreements(self, caller: Caller, limit: int, before_seq: int | None) -> Sequence[DisagreementRow] | Refusal:
        """Answers that another engine contradicted twice, the newest first (operators and auditors)."""
        if caller.role not in ("operator", "auditor"):
            detail = f"This needs the role operator or auditor; your token has the role {caller.role}."
            return Refusal("forbidden", detail, {"role": caller.role, "needed": "auditor"})
        with self._ground.database.read() as conn:
            return engines.list_disagreements(conn, limit, before_seq=before_seq)


def _shown(name: str, row: EngineRow | None) -> dict[str, Any]:
    package, licence = package_of(name) or (None, "Apache-2.0")
    return {
        "name": name,
        "runs": ENGINES[name],
        "package": package,
        "licence": licence,
        "version": _version(package),
        "on_probation": on_probation(name),
        "state": row.state if row is not None else "trusted",
        "reason": row.reason if row is not None else "",
        "compared": row.compared if row is not None else 0,
        "disagreed": row.disagreed if row is not None else 0,
    }


def _version(package: str | None) -> str | None:
    try:
        return importlib.metadata.version(package or "qubator-service")
    except importlib.metadata.PackageNotFoundError:
        return None
