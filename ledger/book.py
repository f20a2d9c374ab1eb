"""The book in memory: grants, balances and holds, whole (simulation) or the part one transaction needs (store)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.model import Grant, Hold


def burn_order(grant: Grant) -> tuple[int, int, int, str]:
    """Sort key of the order in which a project's grants are used: priority, earliest expiry, oldest, id."""
    return (grant.priority, grant.valid_until_us, grant.created_us, grant.id)


@dataclass(slots=True)
class Book:
    """Grants by id, balances by (account, asset), holds by job id. Only `ledger.core.apply` changes a book.

    An account that is not in `balances` stands at 0.
    """

    grants: dict[str, Grant]
    balances: dict[tuple[str, str], int]
    holds: dict[str, Hold]
    _wallets: dict[tuple[str, str], tuple[Grant, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wallets: dict[tuple[str, str], list[Grant]] = {}
        for grant in self.grants.values():
            wallets.setdefault((grant.project_id, grant.asset), []).append(grant)
        self._wallets = {key: tuple(sorted(grants, key=burn_order)) for key, grants in wallets.items()}

    @classmethod
    def empty(cls) -> Book:
        """A book in which nothing has happened."""
        return cls(grants={}, balances={}, holds={})

    def copy(self) -> Book:
        """A book that may change without changing this one."""
        return Book(grants=dict(self.grants), balances=dict(self.balances), holds=dict(self.holds))

    def balance(self, account: str, asset: str) -> int:
        """What stands on an account, in the asset's smallest unit."""
        return self.balances.get((account, asset), 0)

    def wallet(self, project_id: str, asset: str) -> tuple[Grant, ...]:
        """A project's grants in an asset, in burn order, the expired ones among them."""
        return self._wallets.get((project_id, asset), ())

    def put_grant(self, grant: Grant) -> None:
        """Add a grant or replace it by its newer self. For `ledger.core.apply` only."""
        self.grants[grant.id] = grant
        key = (grant.project_id, grant.asset)
        others = [known for known in self._wallets.get(key, ()) if known.id != grant.id]
        self._wallets[key] = tuple(sorted([*others, grant], key=burn_order))
