"""What shadow runs find is kept, and who is wrong by all that is known is not asked again until an operator says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

import structlog

from backends.trust.finding import Finding
from backends.trust.names import ENGINES, is_reference
from dispatcher.ground import Ground
from dispatcher.reports import Report, report_of
from store import attempts, audit_log, engines
from store.database import Connection
from store.errors import StoreUnavailable
from workers.port import Failed, Lost, Seen, Started, Stopped, Succeeded, Watched

log = structlog.get_logger("oversight")

ACTOR = "shadow-runs"
"""Who puts engines under quarantine, in the audit log."""
_AGAIN_US = 1_000_000


class Overseer:
    """Beside an executor: takes its findings to the store, and knows whom orders must not use."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._known: tuple[str, ...] = ()
        self._read_us: int | None = None

    def reports(self, seen: Sequence[Seen]) -> list[Report]:
        """The reports among what an executor has seen; findings are kept, or lost where the store takes nothing."""
        told: list[Report] = []
        findings: list[Watched] = []
        for one in seen:
            match one:
                case Watched():
                    findings.append(one)
                case Started() | Succeeded() | Failed() | Stopped() | Lost():
                    told.append(report_of(one))
                case _:
                    assert_never(one)
        if findings:
            try:
                self._ground.database.writer.run(lambda conn: self._keep(conn, findings))
            except StoreUnavailable as refused:
                log.error("findings of shadow runs are lost", reason=str(refused))
        return told

    def quarantined(self) -> tuple[str, ...]:
        """The engines that must not be used, as of a second ago at most."""
        now_us = self._ground.now_us()
        if self._read_us is None or not self._read_us <= now_us < self._read_us + _AGAIN_US:
            with self._ground.database.read() as conn:
                self._known = engines.quarantined(conn)
            self._read_us = now_us
        return self._known

    def _keep(self, conn: Connection, findings: Sequence[Watched]) -> None:
        compared: Counter[str] = Counter()
        disagreed: Counter[str] = Counter()
        out = set(engines.quarantined(conn))
        jobs = attempts.jobs_of(conn, sorted({one.attempt_id for one in findings}))
        for one in findings:
            finding = one.finding
            names = [name for name in (finding.engine, finding.other) if name in ENGINES]
            if not finding.repeat:
                compared.update(names)
            if finding.agreed or not finding.repeat or one.attempt_id not in jobs:
                continue
            disagreed.update(names)
            job_id = jobs[one.attempt_id]
            engines.add_disagreement(conn, one.at_us, job_id, finding.to_json())
            log.warning("engines disagree", job=job_id, finding=finding.to_json())
            for name in finding.guilty:
                # Dense states are what the others are measured by; that is for an operator to give up.
                if name in ENGINES and not is_reference(name) and name not in out:
                    out.add(name)
                    self._put_out(conn, one.at_us, job_id, name, finding)
        engines.count(conn, compared, disagreed)
        self._read_us = None

    def _put_out(self, conn: Connection, at_us: int, job_id: str, name: str, finding: Finding) -> None:
        other = finding.other if name == finding.engine else finding.engine
        reason = f"contradicted by {other} on part {finding.part} of {job_id}"
        engines.set_state(conn, name, "quarantined", reason, at_us)
        audit_log.append(conn, at_us, ACTOR, "engine.state", name, {"state": "quarantined", "reason": reason})
        log.warning("engine under quarantine", engine=name, reason=reason)
