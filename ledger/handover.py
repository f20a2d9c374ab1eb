"""The change of the keys that sign a ledger, as text: which keys sign from now on, up to where the earlier ones did.

It is a signed note (`ledger.notes`). The new keys always sign it; the earlier ones too where they are still there.
Where they are lost it is an announcement, and only whoever trusts the announcer has a reason to believe it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.notes import BadNote, PublicKey

_KIND = "new keys"
_WORDS = ("after", "root", "time_us", "reason")


@dataclass(frozen=True, slots=True)
class Handover:
    """In the log `origin` checkpoints over more than `size` entries, whose root is `root`, are signed by `keys`."""

    origin: str
    size: int
    root: bytes
    at_us: int
    reason: str
    keys: tuple[PublicKey, ...]

    def to_text(self) -> str:
        """What is signed."""
        values = (str(self.size), base64.b64encode(self.root).decode(), str(self.at_us), self.reason)
        lines = [self.origin, _KIND, *(f"{word} {value}" for word, value in zip(_WORDS, values, strict=True))]
        return "".join(f"{line}\n" for line in [*lines, *(key.to_text() for key in self.keys)])

    @classmethod
    def from_text(cls, text: str) -> Handover:
        """Read what `to_text` wrote. Raises BadNote."""
        origin, kind, *rest = [*text.split("\n")[:-1], "", ""]
        rest = rest[:-2] if rest[-2:] == ["", ""] else rest
        if kind != _KIND or len(rest) <= len(_WORDS):
            raise BadNote("a hand-over of keys names the log, the size, the root, the time, the reason and the keys")
        values = [line.removeprefix(f"{word} ") for word, line in zip(_WORDS, rest, strict=False)]
        try:
            size, root, at_us = int(values[0]), base64.b64decode(values[1], validate=True), int(values[2])
        except ValueError as wrong:
            raise BadNote(f"a figure of the hand-over cannot be read: {wrong}") from wrong
        found = cls(origin, size, root, at_us, values[3], tuple(map(PublicKey.from_text, rest[len(_WORDS) :])))
        if found.to_text() != text or len({key.name for key in found.keys}) != 1:
            raise BadNote("the hand-over is not written the way a hand-over is written")
        return found


def after(keys: Sequence[PublicKey], handover: Handover) -> list[PublicKey]:
    """The keys of a ledger after a hand-over, the earliest first: those in force before it are retired at its size."""
    return [*(key if key.retired_at is not None else key.retired(handover.size) for key in keys), *handover.keys]
