"""A worker in a process of its own (`qubatord work`): fetches its orders from the store, reports into the inbox.

The dispatcher leases; this process executes. It speaks to the dispatcher through the database alone, so either may
be restarted without the other. Past one machine the same executor port is filled by Ray agents.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import structlog

from dispatcher import inbox as letters
from dispatcher.ground import Ground
from dispatcher.oversight import Overseer
from dispatcher.reports import Report, storable
from store import attempts, inbox, jobs, workers
from store.database import Connection
from store.errors import BlobDamaged, StoreUnavailable
from store.rows import WorkerRow
from workers.port import Executor, Order

log = structlog.get_logger("agent")

POLL_S = 0.1
HEARTBEAT_US = 5_000_000


class Agent:
    """Runs one executor against the store. `run` blocks until `stop`."""

    def __init__(self, ground: Ground, executor: Executor, *, worker_id: str, host: str, pid: int) -> None:
        self._ground, self._executor = ground, executor
        self._worker_id, self._host, self._pid = worker_id, host, pid
        self._overseer = Overseer(ground)
        self._stopping = threading.Event()
        self._unsent: list[Report] = []
        self._after_token = 0
        self._beat_us = 0
        self._joined = False

    def run(self) -> None:
        """Join, work until stopped, leave."""
        self._ground.database.listen(self._executor.wake)
        while not self._stopping.is_set():
            self._hear(POLL_S)
            try:
                self._turn()
            except StoreUnavailable as refused:
                log.error("the store cannot be used; trying again", reason=str(refused))
                self._stopping.wait(1.0)
        self._executor.close()
        self._hear(0)
        try:
            self._send()
            self._ground.database.writer.run(self._leave)
        except StoreUnavailable as refused:
            log.error("left without a word: the dispatcher will notice", reason=str(refused))

    def _hear(self, timeout_s: float) -> None:
        self._unsent += self._overseer.reports(self._executor.observe(timeout_s))

    def _turn(self) -> None:
        if not self._joined:
            self._join()
        self._send()
        self._beat()
        self._fetch()
        self._stop_revoked()

    def stop(self) -> None:
        """End `run` soon; what still runs is requeued by the dispatcher."""
        self._stopping.set()
        self._executor.wake()

    def _leave(self, conn: Connection) -> None:
        workers.mark_lost(conn, self._worker_id)
        gone = letters.worker_left(self._ground.now_us(), self._worker_id, "the worker was stopped")
        inbox.append(conn, [gone])

    def _join(self) -> None:
        offer, now = self._executor.capabilities(), self._ground.now_us()
        row = WorkerRow(
            self._worker_id, self._host, self._pid, offer.slots, offer.pipeline, offer.backends, "up", now, now
        )
        joined = letters.worker_joined(now, self._worker_id, offer.slots, offer.pipeline, offer.backends)

        def unit(conn: Connection) -> None:
            workers.upsert_worker(conn, row)
            inbox.append(conn, [joined])

        self._ground.database.writer.run(unit)
        self._beat_us, self._joined = now, True

    def _send(self) -> None:
        """Results first, then the reports that name them, in one commit; what fails is sent again."""
        if not self._unsent:
            return
        reports = [storable(report, self._ground.rules.result_max_bytes) for report in self._unsent]

        def unit(conn: Connection) -> None:
            inbox.append(conn, [letters.reported(self._stored(conn, report)) for report in reports])

        self._ground.database.writer.run(unit)
        del self._unsent[: len(reports)]

    def _stored(self, conn: Connection, report: Report) -> Report:
        if report.result is None:
            return report
        if isinstance(report.result, bytes):
            result_hash = self._ground.blobs.put(conn, report.result)
        else:
            result_hash = self._ground.blobs.adopt(conn, report.result)
        return replace(report, result=None, result_hash=result_hash)

    def _beat(self) -> None:
        now = self._ground.now_us()
        if now - self._beat_us < HEARTBEAT_US:
            return

        def unit(conn: Connection) -> bool:
            known = workers.seen(conn, self._worker_id, now)
            if known:
                inbox.append(conn, [letters.worker_seen(now, self._worker_id)])
            return known

        if self._ground.database.writer.run(unit):
            self._beat_us = now
            return
        log.warning("the dispatcher had given this worker up; joining again")
        self._join()

    def _fetch(self) -> None:
        with self._ground.database.read() as conn:
            orders = attempts.orders_for(conn, self._worker_id, self._after_token)
            rows = {job.id: job for job in jobs.get_jobs(conn, [order.job_id for order in orders])}
            works = {job.work_hash: self._payload(conn, job.work_hash) for job in rows.values()}
        for order in orders:
            job = rows[order.job_id]
            work = works[job.work_hash]
            self._after_token = max(self._after_token, order.token)
            if work is None:
                now, reason = self._ground.now_us(), f"the payload of {job.id} cannot be read"
                log.error(reason, attempt=order.id)
                self._unsent.append(Report("failed", now, order.id, order.token, failure="fault", reason=reason))
                continue
            self._executor.start(
                Order(
                    attempt_id=order.id,
                    token=order.token,
                    job_id=job.id,
                    backend=order.backend,
                    work=work,
                    time_limit_us=job.time_limit_us,
                    memory_mib=self._ground.rules.memory_mib,
                    quarantined=self._overseer.quarantined(),
                )
            )

    def _payload(self, conn: Connection, work_hash: str) -> bytes | None:
        """The work document; None when it is gone or damaged, which fails its own job alone."""
        try:
            return self._ground.blobs.get(conn, work_hash)
        except BlobDamaged:
            return None

    def _stop_revoked(self) -> None:
        """Stop what the store no longer wants from us: cancelled jobs, and leases that were taken back."""
        held = self._executor.inventory()
        if not held:
            return
        with self._ground.database.read() as conn:
            ours = {row.id: row.job_id for row in attempts.open_attempts(conn, self._worker_id)}
            cancelling = {job.id for job in jobs.get_jobs(conn, list(ours.values())) if job.cancel_requested_us}
        for one in held:
            if one.attempt_id not in ours or ours[one.attempt_id] in cancelling:
                self._executor.stop(one.attempt_id, one.token)
