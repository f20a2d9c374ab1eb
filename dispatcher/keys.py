"""The keys that sign checkpoints: made at first need in the data folder, and never silently replaced.

Ed25519 signs every checkpoint; ML-DSA-65, which a quantum computer does not break, signs beside it where the
cryptographic library offers it. The public keys stand beside the private ones, and in the database, so that every
process can name them and a lost key is noticed instead of remade.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ledger.notes import Algorithm, BadNote, Checkpoint, PublicKey, Signature, note_of, read_note

PrivateKey = Ed25519PrivateKey | MLDSA65PrivateKey

PUBLIC_FILE = "ledger.pub"
NEW, RETIRED = ".new", ".retired"
_FILES: dict[Algorithm, str] = {"Ed25519": "ledger-ed25519.pem", "ML-DSA-65": "ledger-ml-dsa-65.pem"}


class CannotSign(Exception):  # noqa: N818 - named for what it says
    """No checkpoint can be signed here; the text says why and what to do."""


class Keys:
    """The private keys that sign a ledger now. `origin` is what the ledger is called: the name of its first keys."""

    def __init__(self, pairs: Sequence[tuple[PublicKey, PrivateKey]], origin: str | None = None) -> None:
        self._pairs = tuple(pairs)
        self.origin = origin or self._pairs[0][0].name

    @property
    def public(self) -> tuple[PublicKey, ...]:
        """The public keys, Ed25519 first."""
        return tuple(public for public, _ in self._pairs)

    @property
    def name(self) -> str:
        """What the keys sign as; it follows from the first of them."""
        return self._pairs[0][0].name

    def signed(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a note, signed by every key."""
        text = checkpoint.to_text()
        return note_of(text, self.signatures(text))

    def signatures(self, text: str) -> list[Signature]:
        """The signature of each key under a text."""
        return [Signature(public.name, public.id, private.sign(text.encode())) for public, private in self._pairs]


def open_keys(folder: Path, known: Sequence[PublicKey]) -> Keys:
    """The keys in `folder`: those of the `known` public keys, or new ones where none is known yet.

    Raises CannotSign when a known key is missing, cannot be read, or is another one.
    """
    try:
        if not known:
            keys = _made(folder, "")
            write_public(folder, keys.public)
            return keys
        in_force = [public for public in known if public.retired_at is None]
        coming = {public: (folder / _FILES[public.algorithm]).with_suffix(NEW) for public in in_force}
        left = {public: path for public, path in coming.items() if path.exists()}
        # A change of keys that was cut off after it was recorded is finished here.
        if left and all(_content(_load(path)) == public.content for public, path in left.items()):
            put_in_force(folder, known)
        return Keys([(public, _known_private(folder, public)) for public in in_force], known[0].name)
    except OSError as refused:
        raise CannotSign(f"the ledger's keys in {folder} cannot be used: {refused.strerror or refused}") from refused


def _known_private(folder: Path, public: PublicKey) -> PrivateKey:
    path = folder / _FILES[public.algorithm]
    if not path.exists():
        raise CannotSign(
            f"{path} is missing: the {public.algorithm} key that signs the checkpoints of this ledger "
            f"({public.name}). Restore it from a backup. If it is lost for good, `qubatord ledger new-key --lost` "
            "announces new ones; auditors will have to be told why"
        )
    private = _load(path)
    if _content(private) != public.content:
        raise CannotSign(
            f"{path} holds another key than the one that signs the checkpoints of this ledger ({public.name}). "
            "Restore the right one from a backup"
        )
    return private


def new_keys(folder: Path, origin: str) -> Keys:
    """Keys to come, beside those in force: the ones that an earlier try has left, or new ones. Raises CannotSign."""
    try:
        made = _made(folder, NEW)
    except OSError as refused:
        raise CannotSign(f"no keys can be made in {folder}: {refused.strerror or refused}") from refused
    return Keys([(public, private) for public, private in made._pairs], origin)


def put_in_force(folder: Path, public: Sequence[PublicKey]) -> None:
    """Move the keys to come to where keys are looked for. The earlier private keys stay, under the name RETIRED."""
    last = [key.name.rpartition("/")[2] for key in public if key.retired_at is not None]
    for file in _FILES.values():
        path = folder / file
        if path.exists() and path.with_suffix(NEW).exists():
            path.replace(path.with_name(f"{path.stem}-{last[-1]}{RETIRED}"))
        if path.with_suffix(NEW).exists():
            path.with_suffix(NEW).replace(path)
    write_public(folder, public)


def write_public(folder: Path, public: Sequence[PublicKey]) -> None:
    """Write the list of public keys beside the private ones."""
    _write(folder / PUBLIC_FILE, public_text(public).encode(), 0o644)


def _made(folder: Path, suffix: str) -> Keys:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = {algorithm: folder / file for algorithm, file in _FILES.items()}
    private = [
        _load_or_make(path.with_suffix(suffix) if suffix else path, algorithm) for algorithm, path in paths.items()
    ]
    made = [key for key in private if key is not None]
    name = f"qubator/{hashlib.sha256(_content(made[0])).hexdigest()[:16]}"
    return Keys([(PublicKey(name, _algorithm(key), _content(key)), key) for key in made])


def _load_or_make(path: Path, algorithm: Algorithm) -> PrivateKey | None:
    """What an earlier try has left, or a new key; None where the library does not offer the algorithm."""
    if path.exists():
        return _load(path)
    try:
        key = Ed25519PrivateKey.generate() if algorithm == "Ed25519" else MLDSA65PrivateKey.generate()
    except UnsupportedAlgorithm:
        return None
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return key


def _load(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise CannotSign(f"{path} is no private key that can be read here: {wrong}") from wrong
    if not isinstance(key, Ed25519PrivateKey | MLDSA65PrivateKey):
        raise CannotSign(f"{path} is a key of another kind than the ledger signs with")
    return key


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, durable, and from the first moment readable only by whom it is for."""
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _content(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _algorithm(key: PrivateKey) -> Algorithm:
    return "Ed25519" if isinstance(key, Ed25519PrivateKey) else "ML-DSA-65"


def public_text(keys: Sequence[PublicKey]) -> str:
    """Public keys as a file: a line each."""
    return "".join(f"{key.to_line()}\n" for key in keys)


def read_public(text: str) -> list[PublicKey]:
    """Read what `public_text` wrote; empty lines and lines that begin with # are passed over. Raises BadNote."""
    lines = (line.strip() for line in text.splitlines())
    return [PublicKey.from_line(line) for line in lines if line and not line.startswith("#")]


def verified(note: str, keys: Sequence[PublicKey]) -> Checkpoint:
    """The checkpoint of a note that may be believed. Raises BadNote. See `believed`."""
    return believed(note, keys)[0]


def believed(note: str, keys: Sequence[PublicKey]) -> tuple[Checkpoint, str]:
    """The checkpoint of a note and the name of the keys, once every key of that name has been found to have signed it.

    Of several names (a ledger that changed its keys) one is enough, if it had not been retired before. Raises BadNote.
    """
    text, signatures = read_note(note)
    if not keys:
        raise BadNote("there is no public key to check the signatures with")
    names = {each.name for each in signatures}
    name = next((key.name for key in keys if key.name in names), keys[-1].name)
    mine = [key for key in keys if key.name == name]
    require_signed(text, signatures, mine)
    checkpoint = Checkpoint.from_text(text)
    if checkpoint.origin != keys[0].name:
        raise BadNote(f"it is a checkpoint of the log {checkpoint.origin}, not of {keys[0].name}")
    retired_at = mine[0].retired_at
    if retired_at is not None and checkpoint.size > retired_at:
        raise BadNote(f"the key {name} was retired at {retired_at} entries and signed over {checkpoint.size}")
    return checkpoint, name


def require_signed(text: str, signatures: Sequence[Signature], keys: Sequence[PublicKey]) -> None:
    """Raise BadNote unless every one of the keys has signed the text."""
    for key in keys:
        by_key = [each for each in signatures if each.is_by(key)]
        if not by_key:
            raise BadNote(f"it is not signed by the {key.algorithm} key {key.name}")
        if not all(_is_valid(key, each.content, text.encode()) for each in by_key):
            raise BadNote(f"the {key.algorithm} signature by {key.name} is wrong")


def _is_valid(key: PublicKey, signature: bytes, content: bytes) -> bool:
    public = (
        Ed25519PublicKey.from_public_bytes(key.content)
        if key.algorithm == "Ed25519"
        else MLDSA65PublicKey.from_public_bytes(key.content)
    )
    try:
        public.verify(signature, content)
    except InvalidSignature:
        return False
    return True
