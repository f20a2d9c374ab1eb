"""Programmes as data: a plan is compared with what is there, and what is missing is made. Twice changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from dispatcher import vocabulary
from dispatcher.funding import Funding, operators_only
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.plans import Applied, ProgrammePlan, differences, funders_in_words, same_terms
from ledger.model import in_words
from ledger.terms import Terms
from store import audit_log, identity, programmes, terms, totals
from store.database import Connection
from store.rows import FunderRow, ProgrammeRow


class Applying:
    """Brings funders, programmes and terms to what plans say."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def terms_of(self, caller: Caller, programme_id: str) -> list[Terms] | Refusal:
        """Every version of a programme's terms, the newest last. Refusals: forbidden, not_found."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            if all(row.id != programme_id for row in programmes.list_programmes(conn)):
                return Refusal("not_found", f"There is no programme {programme_id}.", {"programme_id": programme_id})
            return terms.versions_of(conn, programme_id)

    def apply_programmes(
        self, caller: Caller, plans: Sequence[ProgrammePlan], dry_run: bool
    ) -> list[Applied] | Refusal:
        """Apply all plans or none; with `dry_run` only tell what would change.

        Refusals: forbidden, invalid_request (one name twice, other funders or asset than there are, a smaller budget,
        one too small to share).
        """
        if caller.role != "operator":
            return operators_only(caller)
        twice = next((name for name, count in Counter(plan.name for plan in plans).items() if count > 1), None)
        if twice is not None:
            detail = f"Programme {twice!r} is described twice; describe each once."
            return Refusal("invalid_request", detail, {"name": twice})
        if dry_run:
            with self._ground.database.read() as conn:
                return self._compare_all(conn, plans)

        def unit(conn: Connection) -> list[Applied] | Refusal:
            # All are compared before the first is carried out: a refusal must leave nothing of the others behind.
            compared = self._compare_all(conn, plans)
            if isinstance(compared, Refusal):
                return compared
            return [self._carry_out(conn, caller, plan, one) for plan, one in zip(plans, compared, strict=True)]

        return self._ground.database.writer.run(unit)

    def _compare_all(self, conn: Connection, plans: Sequence[ProgrammePlan]) -> list[Applied] | Refusal:
        known = {row.name: row.id for row in programmes.list_funders(conn)}
        rows = {row.name: row for row in programmes.list_programmes(conn)}
        used = vocabulary.of_projects(identity.list_projects(conn))
        in_force = terms.in_force(conn, [row.id for row in rows.values()])
        found = []
        for plan in plans:
            row = rows.get(plan.name)
            others = [one for one in in_force.values() if row is None or one.programme_id != row.id]
            others += [other.terms for other in plans if other is not plan]
            warnings = vocabulary.unanswered(plan.terms, used, vocabulary.of_terms(others))
            changes = [f"+ funder {name}" for name, _ in plan.funders if name not in known]
            compared = self._as_new(plan) if row is None else self._compare(conn, plan, row)
            if isinstance(compared, Refusal):
                return compared
            known.update((name, "") for name, _ in plan.funders)
            found.append(replace(compared, changes=(*changes, *compared.changes), warnings=warnings))
        return found

    def _as_new(self, plan: ProgrammePlan) -> Applied | Refusal:
        wrong = self._funding().wrong_budget(plan.funders, plan.asset, plan.budget)
        if wrong is not None:
            return replace(wrong, detail=f"Programme {plan.name!r}: {wrong.detail}")
        zone = self._ground.rules.zone
        made = f"+ programme {plan.name}: {in_words(plan.budget, plan.asset)} of {funders_in_words(plan.funders)}"
        return Applied(plan.name, None, 1, (made, *differences(None, plan.terms, plan.asset, zone)))

    def _compare(self, conn: Connection, plan: ProgrammePlan, row: ProgrammeRow) -> Applied | Refusal:
        named = {funder.id: funder.name for funder in programmes.list_funders(conn)}
        shares = tuple((named[funder_id], weight) for funder_id, weight in row.shares)
        if (shares, row.asset) != (plan.funders, plan.asset):
            detail = (
                f"Programme {plan.name!r} is paid by {funders_in_words(shares)} in {row.asset}, which never changes; "
                f"the plan says {funders_in_words(plan.funders)} in {plan.asset}. Give the new one another name."
            )
            return Refusal("invalid_request", detail, {"name": plan.name})
        pledged = totals.pledged_to(conn, row.id)
        changes = []
        if plan.budget < pledged:
            detail = (
                f"Programme {plan.name!r} has {in_words(pledged, row.asset)} pledged and the plan says "
                f"{in_words(plan.budget, row.asset)}: a pledge is not taken back."
            )
            return Refusal("invalid_request", detail, {"name": plan.name, "pledged": pledged, "budget": plan.budget})
        if plan.budget > pledged:
            wrong = self._funding().wrong_budget(row.shares, row.asset, plan.budget - pledged)
            if wrong is not None:
                more = in_words(plan.budget - pledged, row.asset)
                detail = f"Programme {plan.name!r} gets {more} more, which its funders cannot share: {wrong.detail}"
                return replace(wrong, detail=detail)
            changes += [f"- budget: {in_words(pledged, row.asset)}", f"+ budget: {in_words(plan.budget, row.asset)}"]
        before = terms.in_force(conn, [row.id]).get(row.id)
        version = before.version if before is not None else 0
        if before is None or not same_terms(before, plan.terms):
            changes += differences(before, plan.terms, row.asset, self._ground.rules.zone)
            version += 1
        return Applied(plan.name, row.id, version, tuple(changes))

    def _carry_out(self, conn: Connection, caller: Caller, plan: ProgrammePlan, compared: Applied) -> Applied:
        now = self._ground.now_us()
        if not compared.changes:
            return compared
        known = {row.name: row.id for row in programmes.list_funders(conn)}
        for name, _ in plan.funders:
            if name not in known:
                known[name] = self._ground.new_id("fun")
                programmes.insert_funder(conn, FunderRow(known[name], name, now))
                audit_log.append(conn, now, caller.member_id, "funder.create", known[name], {"name": name})
        shares = tuple((known[name], weight) for name, weight in plan.funders)
        row = next((one for one in programmes.list_programmes(conn) if one.name == plan.name), None)
        if row is None:
            row = ProgrammeRow(self._ground.new_id("pgm"), shares[0][0], plan.name, plan.asset, now, shares)
            programmes.insert_programme(conn, row)
        missing = plan.budget - totals.pledged_to(conn, row.id)
        if missing:
            self._funding().pledge(conn, row, missing, self._ground.new_id("plg"))
        before = terms.in_force(conn, [row.id]).get(row.id)
        if before is None or not same_terms(before, plan.terms):
            version = 1 if before is None else before.version + 1
            terms.insert_terms(conn, replace(plan.terms, programme_id=row.id, version=version), now)
        audit_log.append(
            conn,
            now,
            caller.member_id,
            "programme.apply",
            row.id,
            {"name": plan.name, "changes": list(compared.changes)},
        )
        return replace(compared, programme_id=row.id)

    def _funding(self) -> Funding:
        return Funding(self._ground)
