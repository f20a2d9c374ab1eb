"""The audit of a large ledger from its stored rows: what the entries lead to, and that it is what stands there.

It asks what `ledger.invariants.audit` asks of objects in memory, in three passes over rows that are read once each, and
builds objects only for the few entries that are about no job and for holds that are wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ledger import accounts, grants
from ledger.book import Book
from ledger.hold_text import backing_from, capture_from
from ledger.invariants import differences, violations_of_hold, violations_of_state
from ledger.model import BrokenInvariant, Claim, Entry, Grant, Hold, Posting
from ledger.screening import HoldRow, Scopes, Sums, sound

EntryRow = tuple[int, str, str, int, str | None, str | None, str | None, str | None, str, str]
"""seq, id, kind, at_us, project_id, job_id, grant_id, programme_id, claims, body."""
PostingRow = tuple[int, str, str, int, str]
"""seq, source, destination, amount, asset."""
_UNREADABLE = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)


class Past:
    """What a past of entries leads to. Feed it all entries in order, then all holds, then compare.

    `parse` reads JSON; the shell may have a faster one than the standard library's.
    """

    def __init__(self, parse: Callable[[str], Any] = json.loads) -> None:
        self.entries = self.holds = 0
        self.found: list[str] = []
        """A sentence for everything that is wrong so far."""
        self._parse = parse
        self._balances: dict[str, dict[str, int]] = {}
        self._claims: dict[str, int] = {}
        self._jobs: dict[str, _Told] = {}
        self._book = Book.empty()
        self._posted: set[str] = set()
        self._sums = Sums()

    def take_entries(self, rows: Iterable[tuple[EntryRow, list[PostingRow]]]) -> None:
        """Add up every entry, in the order in which they were posted, each with its postings."""
        balances, found = self._balances, self.found
        for row, postings in rows:
            self.entries += 1
            entry_id, kind = row[1], row[2]
            try:
                left_held = 0
                for _, source, destination, amount, asset in postings:
                    if type(amount) is not int or amount <= 0:
                        found.append(f"entry {entry_id}: a posting moves at least 1 unit, not {amount!r}")
                        continue
                    stands = balances.get(asset)
                    if stands is None:
                        stands = balances[asset] = {}
                    stands[source] = stands.get(source, 0) - amount
                    stands[destination] = stands.get(destination, 0) + amount
                    if source.endswith("/held"):
                        left_held += amount
                for _, source, _, _, asset in postings:
                    if balances[asset][source] < 0 and not accounts.may_be_negative(source):
                        left = balances[asset][source]
                        found.append(f"entry {entry_id} can't have been posted: it leaves {left} {asset} on {source}")
                claims = self._claimed(entry_id, row[8])
                if kind == "hold":
                    self._place(row, postings, claims)
                elif kind in ("settle", "void", "correct"):
                    self._close(row, left_held, claims)
                else:
                    self._apply(row, postings)
            except _UNREADABLE as error:
                found.append(f"entry {entry_id} can't have been posted: {error!r}")

    def _claimed(self, entry_id: str, text: str) -> Scopes:
        if not text:
            return ()
        claims: Scopes = tuple([(scope, change) for scope, change in self._parse(text)])
        for scope, change in claims:
            stands = self._claims.get(scope, 0) + change
            self._claims[scope] = stands
            if stands < 0:
                self.found.append(f"entry {entry_id} can't have been posted: it leaves {stands} claimed of {scope}")
        return claims

    def _place(self, row: EntryRow, postings: list[PostingRow], claims: Scopes) -> None:
        _, entry_id, _, at_us, project_id, job_id, _, _, _, body = row
        if job_id is None or project_id is None or entry_id != f"hold/{job_id}":
            self.found.append(f"entry {entry_id} does not name its subject")
        elif job_id in self._jobs:
            self.found.append(f"entry {entry_id} was posted twice")
        else:
            held = sum([posting[3] for posting in postings])
            self._jobs[job_id] = ("open", hash((project_id, at_us, body)), held, 0, None, claims)

    def _close(self, row: EntryRow, left_held: int, claims: Scopes) -> None:
        _, entry_id, kind, at_us, _, job_id, _, _, _, body = row
        told = self._jobs.get(job_id or "")
        state = told[0] if told is not None else None
        if kind == "correct":
            if entry_id in self._posted:
                self.found.append(f"entry {entry_id} was posted twice")
            self._posted.add(entry_id)
        elif entry_id != f"{kind}/{job_id}":
            self.found.append(f"entry {entry_id} does not name its subject")
        if told is None or job_id is None or state != ("settled" if kind == "correct" else "open"):
            self.found.append(f"entry {entry_id} does not fit what came before it: its hold is {state}")
            return
        _, placed, held, _, closed_us, standing = told
        expected = 0 if kind == "correct" else held
        if left_held != expected:
            self.found.append(
                f"entry {entry_id}: {left_held} units leave the held accounts, the hold is over {expected}"
            )
        if claims:
            total = dict(standing)
            for scope, change in claims:
                total[scope] = total.get(scope, 0) + change
            standing = tuple(total.items())
        captured = 0 if kind == "void" else hash(body)
        self._jobs[job_id] = (
            "voided" if kind == "void" else "settled",
            placed,
            held,
            captured,
            at_us if closed_us is None else closed_us,
            standing,
        )

    def _apply(self, row: EntryRow, postings: list[PostingRow]) -> None:
        """Entries about no job are few, and change grants."""
        _, entry_id, kind, at_us, project_id, job_id, grant_id, programme_id, _, body = row
        if entry_id in self._posted:
            self.found.append(f"entry {entry_id} was posted twice")
        self._posted.add(entry_id)
        moved = tuple([Posting(*posting[1:]) for posting in postings])
        subjects = (project_id, job_id, grant_id, programme_id)
        entry = Entry(entry_id, kind, at_us, moved, *subjects, body=body)  # type: ignore[arg-type]  # as it stands there
        try:
            for grant in grants.after(self._book, entry):
                self._book.put_grant(grant)
        except BrokenInvariant as error:
            self.found.append(f"entry {entry_id} can't have been posted: {error}")

    def take_holds(self, rows: Iterable[HoldRow]) -> None:
        """Compare every hold with what its entries say, and screen it."""
        known, sums, parse, jobs = self._book.grants, self._sums, self._parse, self._jobs
        for row in rows:
            self.holds += 1
            job_id, project_id, _, _, body, capture, written, state, _, _, created_us, closed_us = row
            try:
                told = jobs.pop(job_id, None)
                claims: Scopes = tuple([(scope, change) for scope, change in parse(written)]) if written else ()
                captured = hash(capture) if capture else 0
                stands = (state, hash((project_id, created_us, body)), captured, closed_us, claims)
                if told is None:
                    self.found.append(f"the hold of job {job_id} has no entry that placed it")
                elif (told[0], told[1], *told[3:]) != stands:
                    self.found.append(_differing(row, told, stands))
                if not sound(row, claims, told[2] if told is not None else 0, known, sums, parse):
                    self.found += self._explained(row, claims)
            except _UNREADABLE as error:
                self.found += self._explained(row, (), error)

    def _explained(self, row: HoldRow, claims: Scopes, error: Exception | None = None) -> list[str]:
        name = f"the hold of job {row[0]}"
        try:
            hold = _hold(row, claims)
        except _UNREADABLE as unreadable:
            return [f"{name} cannot be read: {unreadable!r}"]
        self._sums.add(hold, self._book.grants)
        if (hold.amount, hold.charged) != (row[3], row[8]):
            lines = f"its lines make {hold.amount}, charged {hold.charged}"
            return [f"{name} is written down as {row[3]}, charged {row[8]}; {lines}"]
        why = "is not what its entry moved" if error is None else f"cannot be read: {error!r}"
        return list(violations_of_hold(hold, self._book.grants)) or [f"{name} {why}"]

    def compare(self, balances: Mapping[tuple[str, str], int], claims: Mapping[str, int], stored: list[Grant]) -> None:
        """Compare with the stored balances by (account, asset), claims by scope, and grants, once all has been taken.

        Everything that is stored is a cache: the entries alone must lead to it.
        """
        self.found += [f"job {job_id} has entries and no hold" for job_id in sorted(self._jobs)]
        stands = Book({grant.id: grant for grant in stored}, dict(balances), {}, claims=dict(claims))
        self.found += violations_of_state(stands, self._sums, whole=True)
        self._book.balances.update(
            {(name, asset): amount for asset, by_name in self._balances.items() for name, amount in by_name.items()}
        )
        self._book.claims.update(self._claims)
        self.found += differences(self._book, stands)


_Told = tuple[str, int, int, int, int | None, Scopes]
"""What entries say of a job's hold: its state; what it was placed with and what it captured, as hashes (half a million
texts would not fit into memory); the units held; when it was closed; and its claims."""


def _differing(row: HoldRow, told: _Told, stands: tuple[Any, ...]) -> str:
    names = ("state", "body, project or time", "capture", "closed_us", "claims")
    said = (told[0], told[1], *told[3:])
    which = [name for name, one, other in zip(names, said, stands, strict=True) if one != other]
    return f"the hold of job {row[0]} has another {', '.join(which)} than its entries say"


def _hold(row: HoldRow, claims: Scopes) -> Hold:
    job_id, project_id, asset, _, body, capture, _, state, _, overrun, created_us, _ = row
    backing = backing_from(body)
    found = capture_from(capture) if capture else None
    return Hold(
        job_id,
        project_id,
        asset,
        backing.lines,
        backing.slices,
        state,  # type: ignore[arg-type]  # as it stands there
        created_us,
        tuple([Claim(*claim) for claim in claims]),
        backing.cuts,
        found.lines if found else (),
        found.captured if found else (),
        overrun,
    )
