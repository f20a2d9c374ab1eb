"""One kind of no: what its code means, its HTTP status, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of no: `status` is the HTTP status, `meaning` what it says, `next_step` what the reader can do."""

    code: str
    status: int
    title: str
    meaning: str
    next_step: str

    @property
    def type(self) -> str:
        """The URI reference that identifies the kind and explains it."""
        return f"/problems/{self.code}"

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later; such answers carry Retry-After."""
        return self.status in (429, 503)
