"""A ledger as one would write it on a blackboard: slow, naive, and sharing no line with the one it is compared with.

Nothing is carried along: whatever a payer owes is reckoned anew, as a fraction, from the parts that stand before it.
Commands are applied to plain dicts of balances and claims; the answer to each is "" or the code of the refusal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any

from ledger.model import Grant, Line
from ledger.terms import Budget, Claimant, Terms

MONEY = "CNY"


@dataclass
class Part:
    """What one payer has set aside of one line, and what it has paid of it."""

    payer: str
    programme: str
    asset: str
    line: Line
    held: int
    share: Fraction
    up_to: Fraction
    rule: str
    paid: int = 0


@dataclass
class Job:
    """A hold on the blackboard."""

    project: str
    parts: list[Part]
    claims: dict[str, str]  # scope -> the programme it counts, or "" for the whole price
    state: str = "open"
    used: dict[str, Line] = field(default_factory=dict)
    overrun: int = 0


def left_of(line: Line, quantity: int, parts: list[Part], amounts: list[int]) -> tuple[int, int]:
    """(quanta nobody gives in kind, money nobody has paid) of a line of so many quanta."""
    own = [(part, amount) for part, amount in zip(parts, amounts, strict=True) if part.line.resource == line.resource]
    quanta = quantity - sum(amount // line.quantum for part, amount in own if part.asset != MONEY)
    return quanta, quanta * line.unit_price - sum(amount for part, amount in own if part.asset == MONEY)


def owed(part: Part, quantity: int, before: list[Part], amounts: list[int]) -> int:
    """What the rule of a part asks it to pay, in its own asset, after those before it."""
    line = part.line
    own = [(one, amount) for one, amount in zip(before, amounts, strict=True) if one.line.resource == line.resource]
    same = [(one, amount) for one, amount in own if part.rule and one.rule == part.rule]
    quanta_by_rule = sum(amount // line.quantum for one, amount in same if one.asset != MONEY)
    quanta, open_money = left_of(line, quantity, before, amounts)
    if part.asset != MONEY:
        return max(0, min(quanta, floor(quantity * part.share) - quanta_by_rule)) * line.quantum
    money_by_rule = sum(amount for one, amount in same if one.asset == MONEY)
    paid = sum(amount for one, amount in own if one.asset == MONEY)
    share_of = (quanta + quanta_by_rule) * line.unit_price
    share = floor(share_of * part.share) - quanta_by_rule * line.unit_price - money_by_rule
    return max(0, min(share, floor(quanta * line.unit_price * part.up_to) - paid, open_money))


class Reference:
    """The whole ledger."""

    def __init__(self) -> None:
        self.balances: Counter[tuple[str, str]] = Counter()
        self.claims: Counter[str] = Counter()
        self.grants: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, Job] = {}
        self.terms: dict[str, Terms] = {}
        self.in_force: dict[str, Terms] = {}
        self.budgets: list[Budget] = []

    def move(self, source: str, destination: str, amount: int, asset: str) -> str:
        self.balances[source, asset] -= amount
        self.balances[destination, asset] += amount
        return ""

    # Grants and wallets

    def fund(self, programme: str, funder: str, asset: str, amount: int) -> str:
        return self.move(f"funder/{funder}", f"programme/{programme}/available", amount, asset)

    def issue(self, grant: Grant) -> str:
        if grant.id in self.grants:
            return "grant_exists"
        programme = f"programme/{grant.programme_id}/available"
        if self.balances[programme, grant.asset] < grant.amount:
            return "programme_exhausted"
        self.move(programme, f"grant/{grant.id}/available", grant.amount, grant.asset)
        self.grants[grant.id] = {"grant": grant, "amount": grant.amount, "over": False}
        return ""

    def increase(self, grant_id: str, amount: int) -> str:
        known = self.grants.get(grant_id)
        if known is None:
            return "grant_unknown"
        if known["over"]:
            return "grant_expired"
        programme, asset = f"programme/{known['grant'].programme_id}/available", known["grant"].asset
        if self.balances[programme, asset] < amount:
            return "programme_exhausted"
        self.move(programme, f"grant/{grant_id}/available", amount, asset)
        known["amount"] += amount
        return ""

    def transfer(self, grant_id: str, to_grant_id: str, amount: int) -> str:
        if not {grant_id, to_grant_id} <= self.grants.keys():
            return "grant_unknown"
        known, other = self.grants[grant_id], self.grants[to_grant_id]
        one, two = known["grant"], other["grant"]
        if (one.programme_id, one.asset) != (two.programme_id, two.asset) or grant_id == to_grant_id:
            return "transfer_mismatch"
        if known["over"] or other["over"]:
            return "grant_expired"
        if self.balances[f"grant/{grant_id}/available", one.asset] < amount:
            return "grant_exhausted"
        self.move(f"grant/{grant_id}/available", f"grant/{to_grant_id}/available", amount, one.asset)
        known["amount"] -= amount
        other["amount"] += amount
        return ""

    def claw_back(self, grant_id: str, amount: int) -> str:
        if grant_id not in self.grants:
            return "grant_unknown"
        known = self.grants[grant_id]
        asset = known["grant"].asset
        if self.balances[f"grant/{grant_id}/available", asset] < amount:
            return "grant_exhausted"
        self.move(f"grant/{grant_id}/available", f"programme/{known['grant'].programme_id}/available", amount, asset)
        known["amount"] -= amount
        return ""

    def expire(self, at_us: int, grant_id: str) -> str:
        known = self.grants.get(grant_id)
        if known is None:
            return "grant_unknown"
        grant = known["grant"]
        if known["over"]:
            return "grant_expired"
        if at_us < grant.valid_until_us:
            return "grant_not_due"
        known["over"] = True
        source = f"grant/{grant_id}/available"
        left = self.balances[source, grant.asset]
        terms = self.terms.get(grant.programme_id)
        rolled = floor(Fraction(terms.rollover_ppm, 10**6) * left) if terms else 0
        self.move(source, f"programme/{grant.programme_id}/available", rolled, grant.asset)
        self.move(source, f"grant/{grant_id}/expired", left - rolled, grant.asset)
        known["amount"] -= rolled
        return ""

    def top_up(self, project: str, amount: int) -> str:
        return self.move(f"payer/{project}", f"wallet/{project}/available", amount, MONEY)

    def pay_out(self, project: str, amount: int) -> str:
        if self.balances[f"wallet/{project}/available", MONEY] < amount:
            return "wallet_short"
        return self.move(f"wallet/{project}/available", f"payer/{project}", amount, MONEY)

    # Jobs

    def hold(
        self, at_us: int, job_id: str, project: str, lines: tuple[Line, ...], who: Claimant, pinned: tuple[Terms, ...]
    ) -> str:
        if job_id in self.jobs:
            return "hold_exists"
        price = sum(line.amount for line in lines)
        budgets = [
            f"budget/{project}/{who.year}/{one.kind}/{one.key}"
            for one in self.budgets
            if one.project_id == project and (one.key == who.member_id if one.kind == "member" else one.key in who.tags)
        ]
        limits = {f"budget/{b.project_id}/{who.year}/{b.kind}/{b.key}": b.limit for b in self.budgets}
        if any(self.claims[scope] + price > limits[scope] for scope in budgets):
            return "budget_exhausted"
        self.in_force = self.terms | {terms.programme_id: terms for terms in pinned}
        parts, why = self._spread(at_us, project, lines, who)
        wallet = self.balances[f"wallet/{project}/available", MONEY]
        rest = wallet
        for line in lines:
            open_money = left_of(line, line.quantity, parts, [part.held for part in parts])[1]
            amount = min(rest, open_money)
            if amount:
                parts.append(Part("wallet", "", MONEY, line, amount, Fraction(1), Fraction(1), ""))
                rest -= amount
        if any(left_of(line, line.quantity, parts, [part.held for part in parts])[1] for line in lines):
            return self._why_not(why, wallet)
        job = Job(project, parts, dict.fromkeys(budgets, ""))
        for programme in {part.programme for part in parts if part.programme in self.in_force}:
            cap, pool = f"cap/{programme}/{who.year}/{project}", f"pool/{programme}/{who.year}"
            job.claims |= {cap: programme, pool: programme}
        self.jobs[job_id] = job
        for part in parts:
            self.move(self._place(job, part, "available"), self._place(job, part, "held"), part.held, part.asset)
        self._claim(job, 1, [part.held for part in parts])
        return ""

    def _spread(
        self, at_us: int, project: str, lines: tuple[Line, ...], who: Claimant
    ) -> tuple[list[Part], dict[str, str]]:
        """The parts of the grants, and why each grant gave no more: "" where its share ended."""
        parts: list[Part] = []
        why: dict[str, str] = {}
        own = [known["grant"] for known in self.grants.values() if known["grant"].project_id == project]
        for key in ("id", "created_us", "restricted", "valid_until_us", "priority"):
            own.sort(key=lambda g: getattr(g, key), reverse=key == "restricted")
        own.sort(key=lambda g: g.asset == MONEY)
        for grant in own:
            terms = self.in_force.get(grant.programme_id)
            why[grant.id] = self._barred(at_us, grant, who, parts)
            if why[grant.id]:
                continue
            share, up_to, rule, cap = _rule_for(terms, who)
            for line in lines:
                if grant.resources and line.resource not in grant.resources:
                    continue
                if (terms and line.resource in terms.excluded) or grant.asset not in (MONEY, line.resource):
                    continue
                part = Part(grant.id, grant.programme_id, grant.asset, line, 0, share, up_to, rule)
                wanted = owed(part, line.quantity, parts, [one.held for one in parts])
                most, name = self._most(grant, terms, who, cap, parts)
                part.held = min(wanted, most)
                if grant.asset != MONEY:
                    part.held -= part.held % line.quantum
                if part.held < wanted:
                    why[grant.id] = why[grant.id] or name
                begun = grant.asset == MONEY and any(one.payer == grant.id for one in parts)
                if part.held or (wanted and begun):
                    parts.append(part)
        return parts, why

    def _barred(self, at_us: int, grant: Grant, who: Claimant, parts: list[Part]) -> str:
        terms = self.in_force.get(grant.programme_id)
        if self.grants[grant.id]["over"] or at_us >= grant.valid_until_us:
            return "expired"
        if at_us < grant.valid_from_us:
            return "not_started"
        if grant.members and who.member_id not in grant.members:
            return "barred"
        if terms is None:
            return ""
        if _rule_for(terms, who)[2] == "":
            return "barred"
        claimed = {part.programme for part in parts if part.programme in self.in_force}
        rivals = {one for one in claimed if self.in_force[one].claim_group == terms.claim_group} - {grant.programme_id}
        return "barred" if terms.claim_group and rivals else ""

    def _most(
        self, grant: Grant, terms: Terms | None, who: Claimant, cap: int | None, parts: list[Part]
    ) -> tuple[int, str]:
        """What a grant may still give this job, after the parts it and its programme have given."""
        mine = sum(part.held for part in parts if part.payer == grant.id)
        programme = sum(part.held for part in parts if part.programme == grant.programme_id)
        limits = [(self.balances[f"grant/{grant.id}/available", grant.asset] - mine, "available")]
        if terms is not None:
            if cap is not None:
                limits.append((cap - programme, "cap"))
            year = f"{grant.programme_id}/{who.year}"
            yearly = {f"cap/{year}/{grant.project_id}": terms.cap_project_year, f"pool/{year}": terms.pool_year}
            for scope, limit in yearly.items():
                if limit is not None:
                    limits.append((limit - self.claims[scope] - programme, "cap"))
        least = min(amount for amount, _ in limits)
        return max(0, least), next(name for amount, name in limits if amount == least)

    @staticmethod
    def _why_not(why: dict[str, str], wallet: int) -> str:
        if not why and not wallet:
            return "no_grant"
        live = [reason for reason in why.values() if reason not in ("expired", "not_started")]
        if not live and not wallet:
            return "grant_not_started" if "not_started" in why.values() else "grant_expired"
        return "grant_exhausted" if "available" in live else "wallet_short"

    def settle(self, job_id: str, lines: tuple[Line, ...]) -> str:
        job = self.jobs.get(job_id)
        if job is None or job.state != "open":
            return "hold_unknown" if job is None else "hold_closed"
        for part in job.parts:  # all goes back to where it may be used, then what is owed is paid from there
            self.move(self._place(job, part, "held"), self._back(job, part), part.held, part.asset)
        self._claim(job, -1, [part.held for part in job.parts])
        job.state = "settled"
        self._pay(job, lines, [part.held for part in job.parts])
        return ""

    def void(self, job_id: str) -> str:
        code = self.settle(job_id, ())
        if not code:
            self.jobs[job_id].state = "voided"
        return code

    def correct(self, job_id: str, lines: tuple[Line, ...]) -> str:
        job = self.jobs.get(job_id)
        if job is None or job.state != "settled":
            return "hold_unknown" if job is None else "hold_not_settled"
        for line in lines:
            if line.resource not in job.used or line.quantity > job.used[line.resource].quantity:
                return "correction_raises"
        self._earn(job, -1)
        self._claim(job, -1, [part.paid for part in job.parts])
        self._pay(job, lines, [part.paid for part in job.parts])
        return ""

    def _pay(self, job: Job, lines: tuple[Line, ...], limits: list[int]) -> None:
        job.used = {line.resource: line for line in lines}
        amounts, job.overrun = _captured(job.parts, lines, limits)
        for part, amount in zip(job.parts, amounts, strict=True):
            part.paid = amount
        self._earn(job, 1)
        self._claim(job, 1, amounts)

    def _earn(self, job: Job, sign: int) -> None:
        for payer, asset in {(part.payer, part.asset): None for part in job.parts}:
            own = [part for part in job.parts if (part.payer, part.asset) == (payer, asset)]
            paid = sum(part.paid for part in own)
            source = self._back(job, own[0])
            if payer == "wallet":
                self.move(source, "facility/earned/copay", sign * paid, asset)
                continue
            funders = self.grants[payer]["grant"].funders
            whole = sum(weight for _, weight in funders)
            rest = paid
            for funder, weight in funders[1:]:
                amount = floor(Fraction(weight, whole) * paid)
                rest -= amount
                self.move(source, f"facility/earned/funder/{funder}", sign * amount, asset)
            self.move(source, f"facility/earned/funder/{funders[0][0]}", sign * rest, asset)
        self.move("facility/overrun", "facility/earned/overrun", sign * job.overrun, MONEY)

    def _claim(self, job: Job, sign: int, amounts: list[int]) -> None:
        for scope, programme in job.claims.items():
            for part, amount in zip(job.parts, amounts, strict=True):
                if not programme:
                    in_kind = part.asset != MONEY
                    worth = amount // part.line.quantum * part.line.unit_price if in_kind else amount
                    self.claims[scope] += sign * worth
                elif part.programme == programme:
                    self.claims[scope] += sign * amount

    @staticmethod
    def _place(job: Job, part: Part, which: str) -> str:
        return f"wallet/{job.project}/{which}" if part.payer == "wallet" else f"grant/{part.payer}/{which}"

    def _back(self, job: Job, part: Part) -> str:
        return self._place(job, part, "expired" if self.grants.get(part.payer, {}).get("over") else "available")


def _rule_for(terms: Terms | None, who: Claimant) -> tuple[Fraction, Fraction, str, int | None]:
    """(share, limit, name, cap) of the first rule that fits; the name is "" where none does, or there are no terms."""
    for number, rule in enumerate(terms.rules if terms is not None else ()):
        if not rule.categories or who.category in rule.categories:
            more = rule.uplift_ppm if any(trait in rule.uplift_traits for trait in who.traits) else 0
            share, up_to = Fraction(rule.share_ppm + more, 10**6), Fraction(rule.up_to_ppm, 10**6)
            assert terms is not None
            return share, up_to, f"{terms.programme_id}@{terms.version}#{number + 1}", rule.cap_per_job
    return Fraction(1), Fraction(1), "", None


def _captured(parts: list[Part], lines: tuple[Line, ...], limits: list[int]) -> tuple[list[int], int]:
    """What each part pays, and what exceeds all. Money held for one line pays others unless that leaves one open."""
    held = {part.line.resource: part.line.quantity for part in parts}
    within = Counter({line.resource: min(line.quantity, held.get(line.resource, 0)) for line in lines})
    overrun = sum((line.quantity - within[line.resource]) * line.unit_price for line in lines)
    for pooled in (True, False):
        amounts = _drawn(parts, within, limits, pooled)
        if not any(left_of(part.line, within[part.line.resource], parts, amounts)[1] for part in parts):
            break
    return amounts, overrun


def _drawn(parts: list[Part], within: Counter[Any], limits: list[int], pooled: bool) -> list[int]:
    amounts = [0] * len(parts)
    for in_kind, rounding in ((True, False), (True, True), (False, False), (False, True)):
        for number, part in enumerate(parts):
            if (part.asset != MONEY) != in_kind:
                continue
            line, quantity = part.line, within[part.line.resource]
            wanted = owed(part, quantity, parts[:number], amounts[:number])
            if rounding:  # what is still open, but for what money can pay of it afterwards
                money = [
                    most for one, most in zip(parts, limits, strict=True) if (one.line, one.asset) == (line, MONEY)
                ]
                short = max(0, left_of(line, quantity, parts, amounts)[1] - in_kind * sum(money))
                wanted = ceil(Fraction(short, line.unit_price or 1)) * line.quantum if in_kind else short
            purse = [n for n, one in enumerate(parts) if pooled and (one.payer, one.asset) == (part.payer, part.asset)]
            amounts[number] += min(wanted, sum(limits[n] - amounts[n] for n in purse or [number]))
    return amounts
