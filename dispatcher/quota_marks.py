"""Says in time that a project's grants are running out: with the answer to a submission, and in the event stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.ground import Ground
from dispatcher.model import Caller
from ledger.quota import MARKS, NOTHING, Drawn, crossed
from store import notices
from store.database import Connection
from store.drawn import drawn_of

KIND = "quota_warning"


@dataclass(frozen=True, slots=True)
class QuotaWarning:
    """`used` (settled or held) has reached `percent` of what the valid grants of a project gave it."""

    project_id: str
    percent: int
    used: int
    granted: int
    asset: str


class QuotaMarks:
    """Looks at a project's grants after a submission."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def quota_warning(self, caller: Caller, project_id: str) -> QuotaWarning | None:
        """The highest mark that a project's use has reached, in money before all in kind; None below all, and for what
        the caller may not see."""
        if not caller.sees(project_id):
            return None
        money = self._ground.rules.asset
        with self._ground.database.read() as conn:
            by_asset = drawn_of(conn, project_id, self._ground.now_us())
        for percent in reversed(MARKS):
            for asset in sorted(by_asset, key=lambda asset: (asset != money, asset)):
                found = by_asset[asset]
                if found.reached(percent):
                    return QuotaWarning(project_id, percent, found.used, found.granted, asset)
        return None


def tell_crossed(
    conn: Connection,
    project_id: str,
    before: Mapping[str, Drawn],
    after: Mapping[str, Drawn],
    at_us: int,
    told_since_us: int | None = None,
) -> None:
    """Put a notice for each mark that a change has crossed into the history, in the transaction of the change.

    `before` and `after` are by asset, money and units in kind alike.
    What lies between two instants without a transaction (a grant's time is over before its end is posted) may have been
    told meanwhile: marks that were told since `told_since_us` are passed over.
    """
    passed = [
        (asset, percent) for asset in sorted(after) for percent in crossed(before.get(asset, NOTHING), after[asset])
    ]
    if not passed:
        return
    told: set[tuple[str, int]] = set()
    if told_since_us is not None:
        rows = notices.notices_since(conn, project_id, told_since_us)
        told = {(row.detail["asset"], row.detail["percent"]) for row in rows if row.kind == KIND}
    for asset, percent in passed:
        if (asset, percent) not in told:
            found = after[asset]
            figures = {"percent": percent, "used": found.used, "granted": found.granted, "asset": asset}
            notices.append(conn, project_id, at_us, KIND, figures)
