"""The book in memory: whole (simulation) or the part that one transaction needs (store)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.model import Grant, Hold
from ledger.terms import Budget, Terms


def burn_order(grant: Grant) -> tuple[int, int, bool, int, str]:
    """Sort key of the order in which a project's grants are used.

    Priority, earliest expiry, restricted ones before general ones, oldest, id.
    """
    return (grant.priority, grant.valid_until_us, not grant.restricted, grant.created_us, grant.id)


@dataclass(slots=True)
class Book:
    """Grants by id, balances by (account, asset), holds by job id, claims by scope; terms in force by programme id and
    budgets by project id. Only `ledger.core.apply` changes a book.

    An account that is not in `balances` stands at 0, a scope that is not in `claims` likewise.
    """

    grants: dict[str, Grant]
    balances: dict[tuple[str, str], int]
    holds: dict[str, Hold]
    terms: dict[str, Terms] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    budgets: dict[str, tuple[Budget, ...]] = field(default_factory=dict)
    _wallets: dict[str, tuple[Grant, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wallets: dict[str, list[Grant]] = {}
        for grant in self.grants.values():
            wallets.setdefault(grant.project_id, []).append(grant)
        self._wallets = {key: tuple(sorted(grants, key=burn_order)) for key, grants in wallets.items()}

    @classmethod
    def empty(cls) -> Book:
        """A book in which nothing has happened."""
        return cls(grants={}, balances={}, holds={})

    def copy(self) -> Book:
        """A book that may change without changing this one."""
        return Book(
            dict(self.grants),
            dict(self.balances),
            dict(self.holds),
            dict(self.terms),
            dict(self.claims),
            dict(self.budgets),
        )

    def balance(self, account: str, asset: str) -> int:
        """What stands on an account, in the asset's smallest unit."""
        return self.balances.get((account, asset), 0)

    def grants_of(self, project_id: str) -> tuple[Grant, ...]:
        """A project's grants in every asset, in burn order, the expired ones among them."""
        return self._wallets.get(project_id, ())

    def put_grant(self, grant: Grant) -> None:
        """Add a grant or replace it by its newer self. For `ledger.core.apply` only."""
        self.grants[grant.id] = grant
        others = [known for known in self._wallets.get(grant.project_id, ()) if known.id != grant.id]
        self._wallets[grant.project_id] = tuple(sorted([*others, grant], key=burn_order))
