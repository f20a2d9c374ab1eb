"""Sessions: jobs that belong together, under one tag. Nothing is reserved and nothing is paid for waiting."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qubator.client import Client
    from qubator.job import Job
    from qubator.remote_backend import RemoteBackend


class Session:
    """Groups the jobs of a loop, as programs written for sessions expect.

        with Session(backend=backend) as session:
            estimator = EstimatorV2(mode=session)

    The service queues every job by the same fair rules, session or not: a session is a tag that finds its jobs again,
    and a close that refuses further ones. Without a backend, "auto" is asked for.
    """

    def __init__(self, backend: RemoteBackend | None = None, *, client: Client | None = None) -> None:
        self._backend = backend
        self._client = client if client is not None or backend is None else backend.client
        self.session_id = uuid.uuid4().hex
        self._open = True

    @property
    def tag(self) -> str:
        """The tag of the session's jobs."""
        return f"session:{self.session_id}"

    @property
    def client(self) -> Client | None:
        """The client in use; None where a primitive is to take the default one."""
        return self._client

    @property
    def backend_name(self) -> str:
        """The backend the session's jobs ask for."""
        return "auto" if self._backend is None else self._backend.asked

    def backend(self) -> str:
        """The backend the session's jobs ask for."""
        return self.backend_name

    def status(self) -> str:
        """Open or Closed."""
        return "Open" if self._open else "Closed"

    def check_open(self) -> None:
        """Raises ValueError once the session was closed."""
        if not self._open:
            raise ValueError(f"session {self.session_id} is closed: open a new Session for further jobs")

    def jobs(self) -> list[Job]:
        """The session's jobs so far, newest first."""
        from qubator.primitives import default_client

        return list((self._client or default_client()).jobs(tag=self.tag))

    def cancel(self) -> None:
        """Close, and cancel what has not ended."""
        self.close()
        for job in self.jobs():
            job.cancel()

    def close(self) -> None:
        """Take no further jobs; those submitted go on."""
        self._open = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<qubator.Session {self.session_id} on {self.backend_name}: {self.status()}>"


class Batch(Session):
    """The same, for jobs that do not wait for each other; there is no difference here."""
