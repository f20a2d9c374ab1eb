"""Whose signature stands under a checkpoint: C2SP signed notes, read and checked with the ledger's public keys.

Written apart from the service, like `qubator.receipt_proof`, which uses it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qubator.errors import QubatorError

_ED25519, _ML_DSA = b"\x01", b"\xffML-DSA-65"


class NotProven(QubatorError):  # noqa: N818 - named for what it says
    """The receipt is not what the ledger says, or cannot be checked; the text says what is off."""

    def __init__(self, detail: str, *, code: str = "not_proven", **more: Any) -> None:
        super().__init__(detail, code=code, **more)


@dataclass(frozen=True, slots=True)
class Key:
    """A public key; one that was replaced signs nothing over more than `retired_at` entries."""

    name: str
    id: bytes
    kind: bytes
    content: bytes
    retired_at: int | None = None

    @property
    def algorithm(self) -> str:
        """Its name in words."""
        return "Ed25519" if self.kind == _ED25519 else "ML-DSA-65"


def checkpoint(note: str, keys: Sequence[Key]) -> tuple[int, bytes, str, list[str]]:
    """Size and root of the checkpoint; the name that signed it, and its algorithms: every key of it must have."""
    text, signatures = _note(note, "the checkpoint")
    names = {name for name, _, _ in signatures}
    signer = next((key.name for key in keys if key.name in names), keys[-1].name)
    own = [key for key in keys if key.name == signer]
    _require_signed("the checkpoint", text, signatures, own)
    origin, count, root, *_ = text.split("\n")
    if origin != keys[0].name:
        raise NotProven(f"the checkpoint is of the ledger {origin}, the keys are of {keys[0].name}")
    size, retired_at = int(count), own[0].retired_at
    if retired_at is not None and size > retired_at:
        raise NotProven(f"the key {signer} was retired at {retired_at} entries, the checkpoint is over {size}")
    return size, _base64(root), signer, [key.algorithm for key in own]


def followed(known: Sequence[Key], handovers: Sequence[str]) -> tuple[list[Key], list[str]]:
    """The keys that may be believed when the ledger has changed its keys, and what there is to say about it.

    New keys are believed when those before them have signed the hand-over, or when they are in the file themselves.
    """
    changes = []
    for note in handovers:
        text, signatures = _note(note, "a hand-over of keys")
        origin, kind, after, _, _, _, *lines = text.rstrip("\n").split("\n")
        if (origin, kind, after[:6]) != (known[0].name, "new keys", "after "):
            raise NotProven("a hand-over of keys is malformed, or of another ledger")
        changes.append((text, signatures, int(after[6:]), keys_of("\n".join(lines))))
    contents = {key.content for key in known}
    newcomers = {key.content for *_, fresh in changes for key in fresh}
    current = [key for key in known if key.content not in newcomers]
    found: list[Key] = []
    said = []
    for text, signatures, size, fresh in changes:
        _require_signed("a hand-over of keys", text, signatures, fresh)
        handed_over = bool(current) and not any(_unsigned(text, signatures, key) for key in current)
        if handed_over:
            said.append(f"{current[0].name} handed over to {fresh[0].name} after {size} entries, and signed that")
        found += (replace(key, retired_at=size) for key in current)
        current = fresh if handed_over or contents >= {key.content for key in fresh} else []
    return [*found, *current], said


def _note(note: str, what: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    text, gap, below = note.rpartition("\n\n")
    if not gap:
        raise NotProven(f"{what} is no signed note")
    signatures = []
    for line in below.splitlines():
        dash, name, content = line.split(" ")
        if dash != "—":
            raise NotProven(f"{what} has a line that is no signature")
        raw = _base64(content)
        signatures.append((name, raw[:4], raw[4:]))
    return text + "\n", signatures


def _require_signed(what: str, text: str, signatures: Sequence[tuple[str, bytes, bytes]], keys: Sequence[Key]) -> None:
    for key in keys:
        missing = _unsigned(text, signatures, key)
        if missing:
            raise NotProven(missing.format(what=what))


def _unsigned(text: str, signatures: Sequence[tuple[str, bytes, bytes]], key: Key) -> str | None:
    """Why the key cannot be said to have signed the text; None when it has."""
    own = [content for name, key_id, content in signatures if (name, key_id) == (key.name, key.id)]
    if not own:
        return f"{{what}} is not signed by the {key.algorithm} key {key.name}"
    if not all(_signed(key, content, text.encode()) for content in own):
        return f"the {key.algorithm} signature of {{what}} is wrong"
    return None


def _signed(key: Key, signature: bytes, content: bytes) -> bool:
    # Loaded when a receipt is checked: most uses of the client never need it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

    kind = Ed25519PublicKey if key.kind == _ED25519 else MLDSA65PublicKey
    try:
        kind.from_public_bytes(key.content).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def keys_of(text: str) -> list[Key]:
    """The keys of a key file, in its order: the oldest first. Raises NotProven."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("#"):
            continue
        *retired, key_text = line.split(" ")
        if retired and (len(retired) != 2 or retired[0] != "retired"):
            raise NotProven(f"{line[:40]!r} is no line of a file of public keys")
        retired_at = int(retired[1]) if retired else None
        name, _, rest = key_text.partition("+")
        key_id, _, content = rest.partition("+")
        raw = _base64(content)
        kind = _ED25519 if raw[:1] == _ED25519 else _ML_DSA
        key = Key(name, bytes.fromhex(key_id), kind, raw.removeprefix(kind), retired_at)
        own = hashlib.sha256(name.encode() + b"\n" + kind + key.content).digest()[:4]
        if not raw.startswith(kind) or own != key.id:
            raise NotProven(f"the key {name[:40]!r} is no public key of a ledger, or was changed")
        found.append(key)
    if not found:
        raise NotProven("there is no public key: `qubator ledger key` shows the service's")
    return found


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise NotProven(f"{text[:30]!r} is no base64") from wrong
