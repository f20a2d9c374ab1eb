"""What a waiting caller sees: one line on standard error that tells state, time and reason. Nothing unless asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qubator.job import Job

Progress = bool | Callable[["Job"], None] | None
"""True: a progress line through rich; a function: called with the job at every change; None or False: silence."""


@contextmanager
def job_progress(progress: Progress, job: Job) -> Iterator[Callable[[Job], None] | None]:
    """The function to call at every change of `job`, or None when nobody listens."""
    if not progress:
        yield None
    elif callable(progress):
        yield progress
    else:
        with _bar(describe(job), total=None) as (bar, task):

            def show(changed: Job) -> None:
                bar.update(task, description=describe(changed), total=1 if changed.ended else None)
                if changed.ended:
                    bar.update(task, completed=1)

            yield show


@contextmanager
def count_progress(progress: bool, total: int) -> Iterator[Callable[[int], None]]:
    """A function that shows how many of `total` jobs have ended."""
    if not progress:
        yield lambda _: None
        return
    with _bar(f"{total} jobs", total=total) as (bar, task):

        def show(ended: int) -> None:
            bar.update(task, completed=ended, description=f"{ended} of {total} jobs ended")

        yield show


def describe(job: Job) -> str:
    """One line: the job's id, state, and why it waits."""
    reason = f": {job.wait_reason}" if job.wait_reason and not job.ended else ""
    return f"{job.id} {job.state}{reason}"


def stderr_is_terminal() -> bool:
    """Whether progress would be seen by a person."""
    return bool(getattr(sys.stderr, "isatty", lambda: False)())


@contextmanager
def _bar(description: str, total: int | None) -> Iterator[tuple[Any, Any]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Plain(TextColumn):
        """Job names and reasons come from elsewhere: shown as they are, never read as markup."""

        def render(self, task: Any) -> Text:
            """The task's description as plain text."""
            return Text(str(task.description))

    columns = (Plain("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=8) as bar:
        yield bar, bar.add_task(description, total=total)
