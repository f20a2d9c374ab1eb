"""`qubatord up | serve | dispatch | work | migrate`: the processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from service import telemetry
from service.settings import Settings, WrongSetting, settings_from
from service.wiring import Roles, Service
from store.database import open_database
from store.errors import StoreError
from workers.spool import SpoolInUse

Command = Callable[..., None]
CANNOT_OPEN = (StoreError, OSError, ValueError)


def data_options(command: Command) -> Command:
    """Options of every command that opens the database."""
    for option in (
        click.option("--database-url", metavar="URL", help="postgresql://… instead of SQLite in the data folder."),
        click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="Data folder [./qubator-data]."),
    ):
        command = option(command)
    return command


def http_options(command: Command) -> Command:
    """Options of a process that serves HTTP."""
    for option in (
        click.option("--port", type=click.IntRange(0, 65535), help="Port [8000]."),
        click.option("--host", help="Address to listen on [127.0.0.1]."),
    ):
        command = option(command)
    return command


def work_options(command: Command) -> Command:
    """Options of a process that runs jobs."""
    for option in (
        click.option("--memory-mib", type=click.IntRange(256), help="Memory of one job in MiB [4096]."),
        click.option("--slots", type=click.IntRange(1, 1024), help="Jobs at once [one fewer than the cores]."),
    ):
        command = option(command)
    return command


def settings_of(options: dict[str, Any]) -> Settings:
    """Settings from the environment, overridden by the options that were given."""
    try:
        settings = settings_from(options)
    except WrongSetting as wrong:
        raise click.ClickException(str(wrong)) from wrong
    telemetry.configure(settings.log_level, as_json=settings.log_json)
    return settings


def opened(settings: Settings, roles: Roles) -> Service:
    """The service of these settings, or a clean end of the command that says what is wrong."""
    try:
        return Service(settings, roles)
    except SpoolInUse as refused:
        raise click.ClickException(f"another process runs jobs in {settings.data}; stop it first") from refused
    except CANNOT_OPEN as refused:
        raise click.ClickException(f"cannot open {settings.place}: {refused}") from refused


def existing(settings: Settings) -> Service:
    """The facility that is there already, with no part of it running: looking at one must not make one."""
    if settings.database_url is None and not settings.database_file.exists():
        raise click.ClickException(
            f"there is no facility in {settings.data}; start one with `qubatord up`, or name its folder with --data"
        )
    return opened(settings, Roles(serve=False, dispatch=False, work=False))


@click.command()
@data_options
@http_options
@work_options
@click.option("--token-file", type=click.Path(path_type=Path), help="Write the first operator token here (mode 0600).")
def up(token_file: Path | None, **options: Any) -> None:
    """Run everything here: API, dispatcher and workers."""
    settings = settings_of(options)
    _serve(opened(settings, Roles(serve=True, dispatch=True, work=True)), token_file)


@click.command()
@data_options
@http_options
def serve(**options: Any) -> None:
    """Run the API alone."""
    _serve(opened(settings_of(options), Roles(serve=True, dispatch=False, work=False)), None)


@click.command()
@data_options
@work_options
@click.option("--no-work", is_flag=True, help="Only decide; run no jobs in this process's children.")
def dispatch(no_work: bool, **options: Any) -> None:
    """Run the dispatcher, with this machine's workers. Only one leads; others stand by."""
    service = opened(settings_of(options), Roles(serve=False, dispatch=True, work=not no_work))
    service.start()
    _until_signalled()
    service.stop()


@click.command()
@data_options
@work_options
def work(**options: Any) -> None:
    """Run jobs that a dispatcher elsewhere leases to this process through the database."""
    service = opened(settings_of(options), Roles(serve=False, dispatch=False, work=True))
    agent, ended = service.agent(), threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="agent") as pool:
        running = pool.submit(agent.run)
        running.add_done_callback(lambda _: ended.set())
        _until_signalled(ended)
        agent.stop()
    service.stop()
    running.result()


@click.command()
@data_options
def migrate(**options: Any) -> None:
    """Bring the database to this version's schema."""
    settings = settings_of(options)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = open_database(settings.url)
        before = database.revision()
        database.migrate()
        after = database.revision()
        database.close()
    except CANNOT_OPEN as refused:
        raise click.ClickException(f"cannot open {settings.place}: {refused}") from refused
    click.echo(f"schema {after}" + (" (unchanged)" if before == after else f" (was {before or 'empty'})"))


def _first_token(service: Service, token_file: Path | None) -> None:
    secret = service.room.first_operator()
    if secret is None:
        return
    if token_file is not None:
        try:
            _write_secret(token_file, secret)
        except OSError as refused:
            click.echo(f"{token_file} cannot be written: {refused.strerror}", err=True)
        else:
            click.echo(f"First operator token written to {token_file}")
            return
    click.echo("First operator token (shown this once; keep it safe):")
    click.echo(f"  {secret}")


def _write_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)  # the file may have been there, open to all
        file.write(secret + "\n")


def _serve(service: Service, token_file: Path | None) -> None:
    from service.http import HttpServer, bind

    settings = service.settings
    try:
        listener = bind(settings.host, settings.port)
    except OSError as refused:
        service.stop()
        detail = f"cannot listen on {settings.host} port {settings.port}: {refused.strerror or refused}"
        raise click.ClickException(f"{detail}; choose another with --port") from refused
    _first_token(service, token_file)
    # uvicorn raises the signal that ended it once more: as an interrupt, not as a sudden death that skips `stop`.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    service.start()
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    click.echo(f"Qubator listens on {address}   (API docs: {address}/docs, stop: Ctrl-C)")
    sys.stdout.flush()
    try:
        HttpServer(service.app(), listener).serve_until_stopped()
    except KeyboardInterrupt:
        pass
    finally:
        _say("stopping")
        service.stop()
        _say("stopped")


def _say(text: str) -> None:
    """Tell whoever still listens; that nobody does must not keep the service from its end."""
    with suppress(OSError):
        click.echo(text)


def _until_signalled(done: threading.Event | None = None) -> None:
    """Block until a signal comes, or until `done` is set by what else may end."""
    done = done or threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    click.echo("running (stop: Ctrl-C)")
    sys.stdout.flush()
    done.wait()


COMMANDS = (up, serve, dispatch, work, migrate)
