"""How the room says no to a circuit: a value for those who ask, an exception for the depths of a parser.

Import-light: the service process uses these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Field = int | float | str | bool | None | list[int] | list[str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """An expected no about one piece of work.

    `code` is a row of the problem table, `detail` a sentence that names the thing, the limit, the value and what to do,
    `fields` the same numbers for programs.
    """

    code: str
    detail: str
    fields: Mapping[str, Field] = field(default_factory=dict)


class Rejected(Exception):  # noqa: N818 - the name of the outcome, as in Refusal
    """Carries a `Rejection` out of a decoder or a run; caught at the door of the child process, never a bug."""

    def __init__(self, code: str, detail: str, fields: Mapping[str, Field] | None = None) -> None:
        super().__init__(code, detail)
        self.rejection = Rejection(code, detail, dict(fields or {}))

    @property
    def code(self) -> str:
        """The row of the problem table."""
        return self.rejection.code

    @property
    def detail(self) -> str:
        """The sentence for people."""
        return self.rejection.detail

    @property
    def fields(self) -> Mapping[str, Field]:
        """The numbers for programs."""
        return self.rejection.fields
