"""The dispatcher's one face to the HTTP side: every call the API makes ends in one function here."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal

from backends.catalogue import BackendSpec, catalogue, described, described_briefly, spec_of
from dispatcher.applying import Applying
from dispatcher.approvals import Approvals
from dispatcher.bookkeeping import Bookkeeping
from dispatcher.changes import ChangeHub
from dispatcher.claims import rates_for
from dispatcher.engines import Engines
from dispatcher.exporting import Exporting
from dispatcher.funding import Funding
from dispatcher.ground import Ground
from dispatcher.inbox import backend_changed
from dispatcher.intake import Intake
from dispatcher.model import Caller, Refusal
from dispatcher.people import People
from dispatcher.proofs import Proofs
from dispatcher.purses import Purses
from dispatcher.quota_marks import QuotaMarks
from dispatcher.reading import Reading
from dispatcher.routing import Routing
from dispatcher.standing import Standing
from dispatcher.tariffs import Tariffs
from ledger.price import rates_to_json
from store import audit_log, backend_states, inbox, meta, rate_lines, totals, workers
from store.database import Connection
from store.errors import StoreError

_TRY_AGAIN_US = 5_000_000


class Room(
    Intake,
    Routing,
    Engines,
    Reading,
    People,
    Funding,
    Standing,
    QuotaMarks,
    Applying,
    Purses,
    Tariffs,
    Approvals,
    Bookkeeping,
    Exporting,
    Proofs,
):
    """All parts on one ground. Functions block and may be called from any thread; an expected no is a Refusal."""

    def __init__(self, ground: Ground, why_waiting: Callable[[str], str | None] | None = None) -> None:
        self._ground = ground
        self._tried = (-_TRY_AGAIN_US, False)
        self._why_waiting = why_waiting

    @property
    def changes(self) -> ChangeHub:
        """Tells that something was committed."""
        return self._ground.changes

    @property
    def currency(self) -> str:
        """The money that the books are kept in."""
        return self._ground.rules.asset

    @property
    def zone(self) -> tzinfo:
        """Whose hours, days and years count."""
        return self._ground.rules.zone

    def now_us(self) -> int:
        """The service's clock."""
        return self._ground.now_us()

    def why_waiting(self, job_id: str) -> str | None:
        """Why a queued job has not started; None when no dispatcher of this process knows."""
        return self._why_waiting(job_id) if self._why_waiting is not None else None

    def backends(self) -> list[dict[str, Any]]:
        """Every backend with its state, its queue and the workers that offer it."""
        with self._ground.database.read() as conn:
            states = {row.name: row for row in backend_states.list_states(conn)}
            queued = totals.queued_by_backend(conn)
            card = rate_lines.all_lines(conn)
            up = [row for row in workers.list_workers(conn) if row.state == "up"]
        shown = []
        for spec in catalogue(self._ground.rules.devices):
            state = states.get(spec.name)
            slots = sum(row.slots for row in up if spec.name in row.backends)
            rates = rates_for(self._ground.rules, card, spec.name, self._ground.now_us())
            shown.append(
                {
                    **_described(spec),
                    "state": state.state if state is not None else "online",
                    "state_reason": state.reason if state is not None else "",
                    "queued": queued.get(spec.name, 0),
                    "slots": slots,
                    "rates": rates_to_json(rates),
                    "asset": self._ground.rules.asset,
                    **described_briefly(spec.name),
                }
            )
        return shown

    def backend(self, name: str, calibration: date | Literal["today", "stated"] = "today") -> dict[str, Any] | None:
        """One backend, or None. A device with all its figures, as calibrated today, on a day, or as its files state."""
        day: date | None = datetime.fromtimestamp(self._ground.now_us() // 1_000_000, UTC).date()
        if calibration != "today":
            day = None if calibration == "stated" else calibration
        found = next((one for one in self.backends() if one["name"] == name), None)
        return found if found is None else {**found, **described(name, day)}

    def set_backend_state(
        self, caller: Caller, name: str, state: str, reason: str
    ) -> Mapping[str, Any] | Refusal | None:
        """Drain, stop or open a backend (operators); None when there is no such backend. Refusals: forbidden."""
        if caller.role != "operator":
            detail = f"This needs the role operator; your token has the role {caller.role}."
            return Refusal("forbidden", detail, {"role": caller.role, "needed": "operator"})
        if spec_of(name) is None:
            return None
        if state not in ("online", "draining", "offline"):
            return Refusal(
                "invalid_request", f"A backend is online, draining or offline, not {state!r}.", {"state": state}
            )
        now = self._ground.now_us()

        def unit(conn: Connection) -> None:
            backend_states.set_state(conn, name, state, reason, now)
            inbox.append(conn, [backend_changed(now, name, state)])
            audit_log.append(conn, now, caller.member_id, "backend.state", name, {"state": state, "reason": reason})

        self._ground.database.writer.run(unit)
        return self.backend(name)

    def history_end(self) -> int:
        """The number of the newest change of any job; 0 when there is none."""
        with self._ground.database.read() as conn:
            return totals.history_end(conn)

    def ready(self) -> dict[str, bool]:
        """What the service needs to admit jobs, and whether it is there.

        Whether the disk takes a write is tried at most once in five seconds.
        """
        try:
            current = self._ground.database.revision() == self._ground.database.head()
        except StoreError:
            current = False
        writable = current and self._can_write()
        return {"database": current, "writable": writable, "inspector": self._ground.inspector.ready()}

    def _can_write(self) -> bool:
        now_us = self._ground.now_us()
        tried_us, well = self._tried
        if not tried_us <= now_us < tried_us + _TRY_AGAIN_US:
            try:
                self._ground.database.writer.run(lambda conn: meta.put(conn, "last_tried_us", now_us))
                well = True
            except StoreError:
                well = False
            self._tried = (now_us, well)
        return well

    def version(self) -> dict[str, Any]:
        """Versions of the service and of what runs the circuits."""
        names = ("qiskit", "qiskit-aer")
        return {
            "service": importlib.metadata.version("qubator-service"),
            "api": "v1",
            **{name.replace("-", "_"): importlib.metadata.version(name) for name in names},
        }

    def settings_public(self) -> dict[str, Any]:
        """What a client may want to know before it submits."""
        rules = self._ground.rules
        return {
            "asset": rules.asset,
            "time_limit_us": rules.time_limit_us,
            "time_limit_max_us": rules.time_limit_max_us,
            "queued_max": rules.queued_max,
            "memory_mib": rules.memory_mib,
            "limits": rules.limits.to_json(),
        }


def _described(spec: BackendSpec) -> dict[str, Any]:
    described = asdict(spec)
    described["basis_gates"] = list(spec.basis_gates)
    return described
