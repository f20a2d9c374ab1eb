"""Which keys a ledger may be checked with, beginning with those that somebody trusts: changes of keys are followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.keys import require_signed
from ledger.handover import Handover
from ledger.notes import BadNote, PublicKey, read_note


@dataclass(frozen=True, slots=True)
class Followed:
    """The keys that may be believed, what an auditor should know about them, and what is wrong."""

    keys: list[PublicKey]
    remarks: list[str]
    wrong: list[str]


def followed(trusted: Sequence[PublicKey], inside: Sequence[str], outside: Sequence[str] | None) -> Followed:
    """Follow the hand-overs, as notes of the database and of the files outside (None: there are no files at all).

    New keys are believed when those before them, themselves believed, have signed the hand-over; or when they are
    trusted in their own right.
    """
    remarks: list[str] = []
    wrong: list[str] = []
    if outside is not None and list(inside) != list(outside):
        wrong.append("the changes of keys in the database are not those in the files outside")
    changes = _read(list(inside) or list(outside or ()), wrong)
    newcomers = {key for _, handover in changes for key in handover.keys}
    keys: list[PublicKey] = []
    current = [key for key in trusted if key not in newcomers]
    for note, handover in changes:
        name, told = handover.keys[0].name, f"after {handover.size} entries ({handover.reason})"
        if _has_signed(note, current):
            remarks.append(f"{current[0].name} handed over to {name} {told}")
            believed = True
        else:
            remarks.append(f"the keys {name} were announced {told}, not handed over by the keys before them")
            believed = set(handover.keys) <= set(trusted)
        if not believed:
            wrong.append(f"nobody whose keys are trusted here vouches for the keys {name} that sign {told}")
        keys += (key.retired(handover.size) for key in current)
        current = list(handover.keys) if believed else []
    return Followed([*keys, *current], remarks, wrong)


def _read(notes: Sequence[str], wrong: list[str]) -> list[tuple[str, Handover]]:
    changes = []
    for number, note in enumerate(notes, 1):
        try:
            text, signatures = read_note(note)
            handover = Handover.from_text(text)
            require_signed(text, signatures, handover.keys)
        except BadNote as broken:
            wrong.append(f"the change of keys number {number} cannot be believed: {broken}")
        else:
            changes.append((note, handover))
    return changes


def _has_signed(note: str, keys: Sequence[PublicKey]) -> bool:
    try:
        require_signed(*read_note(note), keys)
    except BadNote:
        return False
    return bool(keys)
