"""Puts the rooms together: settings → store, inspector, executor, dispatcher, HTTP app. Holds no logic of its own."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from backends.catalogue import catalogue
from backends.devices.reading import OWN
from backends.limits import Limits
from dispatcher.agent import Agent
from dispatcher.ground import Ground
from dispatcher.loop import Dispatcher
from dispatcher.notary import Notary
from dispatcher.room import Room
from dispatcher.rules import TIME_LIMIT_US, Rules
from scheduler.policy import Policy
from service.clock import SteadyClock, new_id
from service.settings import Settings
from store import meta, totals
from store.blobs import Blobs
from store.database import Database, open_database
from workers.inspector import InspectorPool
from workers.local import LocalExecutor
from workers.spool import SpoolInUse

if TYPE_CHECKING:
    from fastapi import FastAPI

SWITCH_INTERVAL_S = 0.0005


@dataclass(frozen=True)
class Roles:
    """Which parts run in this process."""

    serve: bool
    dispatch: bool
    work: bool


class Service:
    """One process of Qubator. `start` brings up its roles, `stop` ends them; the database must be migrated."""

    def __init__(self, settings: Settings, roles: Roles, *, policy: Policy | None = None) -> None:
        # Every startup's circuits and results are in there: for nobody else's eyes.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A thread that only needs a moment (a commit, a wake-up) must not wait 5 ms for one that computes.
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        if settings.device_files is not None:
            os.environ[OWN] = str(settings.device_files)  # worker processes inherit it
        self.settings, self.roles = settings, roles
        self.policy = policy or Policy()
        self.database = open_database(settings.url)
        self.database.migrate()
        self.inspector = _inspector(settings)
        clock = SteadyClock(not_before_us=_last_written_us(self.database))
        notary = Notary(self.database, settings.data.resolve(), clock.now_us)
        self.ground = Ground(
            database=self.database,
            blobs=Blobs(settings.blobs, max_bytes=settings.blob_max_bytes),
            inspector=self.inspector,
            rules=Rules(
                asset=_same_currency(self.database, settings.currency),
                zone=ZoneInfo(settings.time_zone),
                facility=settings.facility_name,
                queued_max=settings.queued_max,
                memory_mib=settings.memory_mib,
                result_max_bytes=settings.blob_max_bytes,
                devices=settings.device_names,
            ),
            now_us=clock.now_us,
            new_id=new_id,
            notary=notary,
        )
        self.database.listen(self.ground.changes.publish)
        self.executor = _executor(settings, clock, apart=not roles.dispatch) if roles.work else None
        self.dispatcher: Dispatcher | None = None
        if roles.dispatch:
            dispatcher = self.dispatcher = Dispatcher(
                self.ground,
                self.policy,
                executor=self.executor,
                worker_id=new_id("local").replace("_", "-", 1),
                host=socket.gethostname(),
            )
            notary.leading = lambda: dispatcher.leading
        self.room = Room(self.ground, self.dispatcher.why_waiting if self.dispatcher is not None else None)

    def app(self) -> FastAPI:
        """The HTTP face."""
        # Commands that serve no HTTP start in two thirds of the time without it.
        from api.app import create_app
        from api.limits import ApiLimits

        return create_app(self.room, limits=ApiLimits(body_bytes=self.settings.body_max_bytes))

    def agent(self) -> Agent:
        """A worker process of its own over the same store (`qubatord work`)."""
        assert self.executor is not None
        worker_id = new_id("agent").replace("_", "-", 1)
        return Agent(self.ground, self.executor, worker_id=worker_id, host=socket.gethostname(), pid=os.getpid())

    def start(self) -> None:
        """Warm up and begin: the inspector if this process serves, the dispatcher if it dispatches."""
        if self.roles.serve:
            self.inspector.start()
        if self.dispatcher is not None:
            self.dispatcher.start()

    def stop(self) -> None:
        """End everything this process began, children included."""
        if self.dispatcher is not None:
            self.dispatcher.stop()
        if self.executor is not None:
            self.executor.close()
        self.inspector.close()
        self.database.close()


def _inspector(settings: Settings) -> InspectorPool:
    return InspectorPool(
        processes=settings.inspectors,
        limits=Limits(),
        memory_mib=settings.inspector_memory_mib,
        timeout_s=settings.inspector_timeout_s,
        planned=(settings.memory_mib, TIME_LIMIT_US / 1_000_000),
    )


def _executor(settings: Settings, clock: SteadyClock, *, apart: bool) -> LocalExecutor:
    """This process's workers. Each process on one data folder has a spool of its own: `work` takes the first free."""
    number = 0
    while True:
        spool = settings.spool / (f"work-{number}" if apart else "dispatch")
        spool.mkdir(parents=True, exist_ok=True)
        try:
            return LocalExecutor(
                slots=settings.slots,
                pipeline=settings.pipeline,
                memory_mib=settings.memory_mib,
                backends=tuple(spec.name for spec in catalogue(settings.device_names)),
                spool=spool,
                clock=clock.now_us,
                shares=(settings.shadow_share, settings.shadow_share_young),
            )
        except SpoolInUse:
            if not apart:
                raise
            number += 1


def _same_currency(database: Database, currency: str) -> str:
    """The currency of the books: that of the first start, for ever. Raises ValueError for another one."""
    with database.read() as conn:
        known = meta.get(conn, "currency")
    if known is None:
        database.writer.run(lambda conn: meta.put(conn, "currency", currency))
    elif known != currency:
        raise ValueError(f"these books are kept in {known} and never change it; QUBATOR_CURRENCY says {currency}")
    return currency


def _last_written_us(database: Database) -> int:
    with database.read() as conn:
        return totals.last_written_us(conn)
