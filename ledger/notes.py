"""Checkpoints as text: the C2SP formats tlog-checkpoint and signed-note, written and read. Nothing is signed here.

A checkpoint names the log, the number of entries and the root over them; its fourth line is the time, in the one
extension line that we write. Signatures are lines below the text, so a reader that knows one of the keys passes over
the others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal

Algorithm = Literal["Ed25519", "ML-DSA-65"]
# Type bytes of signed-note: 1 is Ed25519; 255 stands before the name of what has no byte of its own.
_TYPES: dict[Algorithm, bytes] = {"Ed25519": b"\x01", "ML-DSA-65": b"\xffML-DSA-65"}
_KEY_BYTES: dict[Algorithm, int] = {"Ed25519": 32, "ML-DSA-65": 1952}
_DASH = "— "
_TIME = "time_us "
_RETIRED = "retired "


class BadNote(ValueError):  # noqa: N818 - named for what it says
    """A text that is no checkpoint, no key or no signed note."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signs checkpoints under a name.

    `retired_at` is the size of the last checkpoint that it may have signed; None while it is in force. It is what a
    list of keys says about the key and no part of it.
    """

    name: str
    algorithm: Algorithm
    content: bytes
    retired_at: int | None = field(default=None, compare=False)

    @property
    def id(self) -> bytes:
        """Four bytes that tell a reader which key a signature is of."""
        kind = _TYPES[self.algorithm]
        return hashlib.sha256(self.name.encode() + b"\n" + kind + self.content).digest()[:4]

    def to_text(self) -> str:
        """The key in one line, as readers of signed notes expect it (vkey)."""
        content = base64.b64encode(_TYPES[self.algorithm] + self.content).decode()
        return f"{self.name}+{self.id.hex()}+{content}"

    def to_line(self) -> str:
        """The key in a list of keys: what `to_text` says, behind "retired SIZE" where it no longer signs."""
        return self.to_text() if self.retired_at is None else f"{_RETIRED}{self.retired_at} {self.to_text()}"

    def retired(self, size: int) -> PublicKey:
        """The same key, that signs nothing over more than `size` entries."""
        return replace(self, retired_at=size)

    @classmethod
    def from_line(cls, line: str) -> PublicKey:
        """Read what `to_line` wrote. Raises BadNote."""
        if not line.startswith(_RETIRED):
            return cls.from_text(line)
        size, _, text = line.removeprefix(_RETIRED).partition(" ")
        return cls.from_text(text).retired(_number(size))

    @classmethod
    def from_text(cls, line: str) -> PublicKey:
        """Read what `to_text` wrote. Raises BadNote."""
        name, _, rest = line.strip().partition("+")
        key_id, _, content = rest.partition("+")
        read = _from_base64(content, "the key")
        for algorithm, kind in _TYPES.items():
            if read.startswith(kind) and len(read) == len(kind) + _KEY_BYTES[algorithm]:
                key = cls(name, algorithm, read[len(kind) :])
                if not name or key.id.hex() != key_id:
                    raise BadNote(f"the key {name or line[:40]!r} does not carry its own id: it has been changed")
                return key
        raise BadNote(f"{line[:60]!r} is no public key of a ledger")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` entries of the log `origin` have this root."""

    origin: str
    size: int
    root: bytes
    at_us: int

    def to_text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{_TIME}{self.at_us}\n"

    @classmethod
    def from_text(cls, text: str) -> Checkpoint:
        """Read what `to_text` wrote. Raises BadNote."""
        lines = text.split("\n")
        if len(lines) != 5 or lines[4] or not lines[3].startswith(_TIME):
            raise BadNote("a checkpoint has four lines: log, size, root and time")
        root = _from_base64(lines[2], "the root")
        if len(root) != 32:
            raise BadNote(f"a root has 32 bytes, not {len(root)}")
        found = cls(lines[0], _number(lines[1]), root, _number(lines[3].removeprefix(_TIME)))
        if not found.origin or found.to_text() != text:
            raise BadNote("the checkpoint is not written the way a checkpoint is written")
        return found


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line of a note: by the key of this name and id."""

    name: str
    key_id: bytes
    content: bytes

    def is_by(self, key: PublicKey) -> bool:
        """Whether it claims to be by this key."""
        return self.name == key.name and self.key_id == key.id


def note_of(text: str, signatures: list[Signature]) -> str:
    """Text and signature lines as one note."""
    lines = (f"{_DASH}{each.name} {base64.b64encode(each.key_id + each.content).decode()}\n" for each in signatures)
    return f"{text}\n{''.join(lines)}"


def read_note(note: str) -> tuple[str, list[Signature]]:
    """The text of a note, which nobody should believe before a signature is checked, and its signatures.

    Raises BadNote.
    """
    text, gap, below = note.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise BadNote("a signed note is a text, an empty line, and signatures")
    signatures = []
    for line in below[:-1].split("\n"):
        words = line.removeprefix(_DASH).split(" ")
        if not line.startswith(_DASH) or len(words) != 2:
            raise BadNote(f"{line[:40]!r} is no signature line")
        content = _from_base64(words[1], "a signature")
        if len(content) < 5:
            raise BadNote("a signature is too short")
        signatures.append(Signature(words[0], content[:4], content[4:]))
    return text + "\n", signatures


def signer(note: str) -> str:
    """Whose signatures a note carries, by name; nothing is checked. Raises BadNote."""
    return read_note(note)[1][0].name


def _from_base64(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise BadNote(f"{what} is no base64: {text[:40]!r}") from wrong


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise BadNote(f"{text[:40]!r} is no number")
    return int(text)
