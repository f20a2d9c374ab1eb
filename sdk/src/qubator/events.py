"""The event stream of a project: read line by line, taken up again where it broke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qubator.connection import Connection
from qubator.errors import QubatorError, RateLimited, Unavailable

PATH = "/v1/events"
AGAIN_S = 2.0
"""The pause after a stream that ended by itself: the service restarts, or found this reader too slow."""


def follow(connection: Connection, after: int | None = None) -> Iterator[dict[str, Any]]:
    """Every event from now on, or after the event numbered `after`; without an end.

    A stream that breaks is taken up after the last event that was read, so none is left out or told twice. Raises the
    error of a service that has been away for longer than the connection's policy waits, and every refusal at once.
    """
    last, failures, give_up_at = after, 0, 0.0
    while True:
        trouble: QubatorError = Unavailable(f"the stream of {connection.settings.url} ended", code="stream_ended")
        trouble.retry_after_s = AGAIN_S
        try:
            fields: dict[str, str] = {}
            for line in connection.lines(PATH, last):
                failures = 0
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                if "data" in fields and "id" in fields:
                    last = int(fields["id"])
                    yield {"event": fields.get("event", "message"), "seq": last, **json.loads(fields["data"])}
                fields = {}
        except (Unavailable, RateLimited) as away:
            trouble = away
        failures += 1
        if failures == 1:
            give_up_at = connection.now() + connection.policy.total_s
        delay_s = connection.delay_s(failures, trouble.retry_after_s)
        if connection.now() + delay_s >= give_up_at:
            raise trouble
        connection.pause(delay_s)
