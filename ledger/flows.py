"""What moved from account to account in a period, added up: the ground of every report.

A database adds the postings up where it can (`store.flows`); `flows_of` is the same for entries at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.model import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What reports sort jobs by, and tell about them. `used` is what was metered, by resource."""

    job_id: str
    project_id: str
    member_id: str = ""
    category: str = ""
    backend: str = ""
    name: str | None = None
    tags: tuple[str, ...] = ()
    started_us: int | None = None
    ended_us: int | None = None
    used: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """`amount` units of `asset` moved by entries of one kind. What is known of their jobs is "" where there is none."""

    kind: EntryKind
    source: str
    destination: str
    asset: str
    amount: int
    project_id: str = ""
    member_id: str = ""
    category: str = ""
    backend: str = ""


def flows_of(entries: Iterable[Entry], jobs: Mapping[str, JobFacts]) -> list[Flow]:
    """The flows of entries, sorted; two that differ in the amount alone are one."""
    nobody = JobFacts("", "")
    amounts: dict[tuple[EntryKind, str, str, str, str, str, str, str], int] = {}
    for entry in entries:
        job = jobs.get(entry.job_id or "", nobody)
        for posting in entry.postings:
            key = (
                entry.kind,
                posting.source,
                posting.destination,
                posting.asset,
                entry.project_id or "",
                job.member_id,
                job.category,
                job.backend,
            )
            amounts[key] = amounts.get(key, 0) + posting.amount
    return [Flow(*key[:4], amount, *key[4:]) for key, amount in sorted(amounts.items())]


def balances_of(flows: Iterable[Flow]) -> dict[tuple[str, str], int]:
    """Where accounts stand after flows, by (account, asset); those that stand at 0 are left out."""
    balances: dict[tuple[str, str], int] = {}
    for flow in flows:
        for account, change in ((flow.source, -flow.amount), (flow.destination, flow.amount)):
            key = (account, flow.asset)
            balances[key] = balances.get(key, 0) + change
    return {key: balance for key, balance in balances.items() if balance}
