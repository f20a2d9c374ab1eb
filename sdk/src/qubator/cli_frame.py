"""What every command shares: exit codes, the client, where output goes, and how expected errors are told."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click

from qubator.client import Client
from qubator.errors import (
    AuthError,
    Conflict,
    JobFailed,
    NotConfigured,
    NotFound,
    QubatorError,
    RateLimited,
    Refused,
    Unavailable,
    WaitTimeout,
)
from qubator.means import means_lines
from qubator.progress import stderr_is_terminal

F = TypeVar("F", bound=Callable[..., Any])

OK, JOB_FAILED, USAGE, AUTH, NOT_FOUND, REFUSED, CONFLICT, UNAVAILABLE = range(8)
INTERRUPTED = 130
PATIENCE_S = 20.0

EXIT_CODES = """\b
Exit codes:
  0  done
  1  the job ended without a result
  2  wrong usage of this command
  3  not signed in, or not allowed
  4  no such thing (or another project's)
  5  refused: bad input, or no budget
  6  in conflict with what is there (job not finished, key used twice)
  7  service unreachable or busy, or the waiting time was over
"""

_CODES: tuple[tuple[type[QubatorError], int], ...] = (
    (JobFailed, JOB_FAILED),
    (NotConfigured, AUTH),
    (AuthError, AUTH),
    (NotFound, NOT_FOUND),
    (Refused, REFUSED),
    (Conflict, CONFLICT),
    (RateLimited, UNAVAILABLE),
    (Unavailable, UNAVAILABLE),
    (WaitTimeout, UNAVAILABLE),
)


def columns() -> int:
    """Columns of the terminal, 80 where there is none."""
    return max(40, shutil.get_terminal_size((80, 24)).columns)


@dataclass
class Frame:
    """One run of the command line."""

    as_json: bool = False
    url: str | None = None
    profile: str | None = None

    def client(self, *, anonymous: bool = False) -> Client:
        """The client of the chosen profile. A person waits: a service that is down is given up after seconds."""
        retry_for_s = 0.0 if anonymous else PATIENCE_S
        client = Client(self.url, profile=self.profile, retry_for_s=retry_for_s, anonymous=anonymous)
        client.connection.on_wait = _tell_wait
        return client

    @property
    def width(self) -> int:
        """Columns to fill: the terminal's, 80 where there is none."""
        return columns()

    @property
    def progress(self) -> bool:
        """Whether to show progress on standard error."""
        return stderr_is_terminal()

    @property
    def bar(self) -> str:
        """A character for bars that standard output can show."""
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        try:
            "█".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return "#"
        return "█"

    def show(self, record: object, lines: Callable[[], Iterable[str]]) -> None:
        """Print `record` as JSON, or the lines for people."""
        if self.as_json:
            click.echo(json.dumps(record, ensure_ascii=False, indent=2))
            return
        for line in lines():
            click.echo(line)


def exit_code(error: BaseException) -> int:
    """The exit code of an expected error; what was found wrong before any request counts as bad input."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return UNAVAILABLE if isinstance(error, QubatorError) else REFUSED


def tell(error: BaseException, *, as_json: bool) -> None:
    """A line on standard error, one more for each field when several are wrong, and the figures of a want of means;
    with --json the problem on standard output too.
    """
    width = columns()
    problem: dict[str, Any] = {"code": "invalid_input", "detail": str(error)}
    if isinstance(error, QubatorError):
        problem = error.to_json()
    told = f"qubator: {problem['detail']} [{problem['code']}]"
    means = means_lines(problem, width=width) if problem.get("status") == 402 else []
    for line in textwrap.wrap(told, width, break_long_words=False, break_on_hyphens=False) if means else [told]:
        click.echo(line, err=True)
    for line in means:
        click.echo(line, err=True)
    complaints = problem.get("errors") or ()
    for complaint in complaints if len(complaints) > 1 else ():
        where = complaint.get("pointer") or complaint.get("parameter") or "the body"
        click.echo(f"  {where} {complaint.get('detail')}", err=True)
    if as_json:
        click.echo(json.dumps({"problem": problem}, ensure_ascii=False, indent=2, default=str))


def framed(command: F) -> F:
    """Give a command the --json option and the frame as its first argument."""

    def remember(context: click.Context, _: click.Parameter, chosen: bool) -> None:
        context.ensure_object(Frame).as_json |= chosen

    json_option = click.option(
        "--json", is_flag=True, expose_value=False, callback=remember, help="Print JSON on standard output."
    )
    made: Any = click.make_pass_decorator(Frame, ensure=True)(command)
    return cast(F, json_option(made))


def _tell_wait(failure: QubatorError, seconds: float) -> None:
    """A person who waits is told what for, once for each request."""
    click.echo(f"qubator: {failure}; trying again for up to {seconds:g} s (stop: Ctrl-C)", err=True)
