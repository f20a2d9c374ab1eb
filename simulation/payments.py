"""Who pays what: the rules of shares, caps, kinds and budgets, kept in tallies of their own.

Nothing here asks the ledger for its claims or shares: what a limit counts is added up from the slices of the holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from ledger.book import Book, burn_order
from ledger.commands import PlaceHold
from ledger.model import CNY, WALLET, Hold, Line, Slice
from ledger.terms import Budget, Claimant, Rule, Terms
from simulation.laws import must


class Payments:
    """Call `held`, `closed` and `corrected` after each step about a job; each raises BrokenLaw."""

    def __init__(self, book: Book, terms: Sequence[Terms], budgets: Sequence[Budget]) -> None:
        self.book = book
        self.terms = {one.programme_id: one for one in terms}
        self.budgets = budgets
        self.claimants: dict[str, Claimant] = {}
        self.drawn: Counter[tuple[str, str]] = Counter()
        """By programme and project: what is held or paid of it."""
        self.spent: Counter[tuple[str, str]] = Counter()
        """By project and member: what their jobs may cost, or have cost."""
        self.earned: Counter[str] = Counter()

    def over_budget(self, command: PlaceHold) -> bool:
        """Whether a job costs more than its member may still spend."""
        project_id, member_id = command.project_id, command.claimant.member_id
        price = self.spent[project_id, member_id] + sum(line.amount for line in command.lines)
        return any((one.project_id, one.key) == (project_id, member_id) and price > one.limit for one in self.budgets)

    def held(self, command: PlaceHold) -> None:
        """A hold was placed: its payers are valid, in burn order, within shares and caps, the wallet comes last."""
        hold = self.book.holds[command.job_id]
        must(hold.lines == command.lines, "job", hold.job_id, "asked for", command.lines, "held", hold.lines)
        self.claimants[hold.job_id] = command.claimant
        amounts = [part.amount for part in hold.slices]
        self._count(hold, amounts, 1)
        for line in hold.lines:
            worth = sum(_worth(hold, part, part.amount) for part in hold.slices if part.resource == line.resource)
            must(worth == line.amount, "job", hold.job_id, "holds", worth, "for", line)
        self._judge_payers(hold, command)
        self._judge_shares(hold, hold.lines, amounts, 0)
        self._judge_limits(hold)
        self._judge_wallet(hold, command)

    def closed(self, job_id: str, used: Sequence[Line]) -> None:
        """A hold was settled with `used`, or voided: each line is paid, nobody pays beyond its share."""
        hold = self.book.holds[job_id]
        self._count(hold, [part.amount for part in hold.slices], -1)
        self._judge_payment(hold, used)

    def before_correction(self, job_id: str) -> dict[str, int]:
        """Where the payers of a job stand, and what they have paid: to be handed to `corrected`."""
        hold = self.book.holds[job_id]
        self._count(hold, hold.captured, -1)
        self._earn(hold, -1)
        return {account: self.book.balance(account, asset) + paid for account, asset, paid in self._standing(hold)}

    def corrected(self, job_id: str, used: Sequence[Line], before: dict[str, int]) -> None:
        """A job was corrected: what each payer has and what it has paid are together what they were."""
        hold = self.book.holds[job_id]
        for account, asset, paid in self._standing(hold):
            stands = self.book.balance(account, asset) + paid
            must(stands == before[account], "the correction of", job_id, "leaves", stands, "on", account, "of", before)
        self._judge_payment(hold, used)

    def check_at_the_end(self) -> None:
        """Every funder has paid its share, to a unit for each job."""
        for (account, asset), balance in sorted(self.book.balances.items()):
            if account.startswith("facility/earned/"):
                key = f"{account} {asset}"
                must(self.earned[key] == balance, account, "stands at", balance, asset, "and not at", self.earned[key])

    def _judge_payment(self, hold: Hold, used: Sequence[Line]) -> None:
        captured = hold.captured or (0,) * len(hold.slices)
        ceilings = {line.resource: line for line in hold.lines}
        within = [_within(line, ceilings.get(line.resource)) for line in used]
        for payer in {part.payer for part in hold.slices}:
            own = [(part, amount) for part, amount in zip(hold.slices, captured, strict=True) if part.payer == payer]
            taken, most = sum(amount for _, amount in own), sum(part.amount for part, _ in own)
            must(taken <= most, "job", hold.job_id, "takes", taken, "of", payer, "which holds", most)
            must(all(amount >= 0 for _, amount in own), "job", hold.job_id, "takes less than nothing of", payer)
        for line in hold.lines:
            due = sum(one.amount for one in within if one.resource == line.resource)
            parts = zip(hold.slices, captured, strict=True)
            paid = sum(_worth(hold, part, amount) for part, amount in parts if part.resource == line.resource)
            must(paid == due, "job", hold.job_id, "paid", paid, "for", line.resource, "and not", due)
        beyond = sum(line.amount for line in used) - sum(line.amount for line in within)
        must(hold.overrun == beyond, "job", hold.job_id, "has an overrun of", hold.overrun, "and not", beyond)
        self._count(hold, captured, 1)
        self._earn(hold, 1)
        self._judge_shares(hold, within, captured, len(hold.slices))
        self._judge_limits(hold)

    def _count(self, hold: Hold, amounts: Sequence[int], sign: int) -> None:
        member_id = self.claimants[hold.job_id].member_id
        for part, amount in zip(hold.slices, amounts, strict=True):
            self.spent[hold.project_id, member_id] += sign * _worth(hold, part, amount)
            if part.payer != WALLET:
                self.drawn[self.book.grants[part.payer].programme_id, hold.project_id] += sign * amount

    def _earn(self, hold: Hold, sign: int) -> None:
        for payer, asset in dict.fromkeys((part.payer, part.asset) for part in hold.slices):
            parts = zip(hold.slices, hold.captured, strict=False)
            paid = sum(amount for part, amount in parts if part.payer == payer)
            if payer == WALLET:
                self.earned[f"facility/earned/copay {asset}"] += sign * paid
                continue
            (first, _), *others = funders = self.book.grants[payer].funders
            total = sum(weight for _, weight in funders)
            shares = {funder_id: int(Fraction(weight, total) * paid) for funder_id, weight in others}
            shares[first] = paid - sum(shares.values())
            for funder_id, share in shares.items():
                self.earned[f"facility/earned/funder/{funder_id} {asset}"] += sign * share
        self.earned[f"facility/earned/overrun {hold.asset}"] += sign * hold.overrun

    def _standing(self, hold: Hold) -> list[tuple[str, str, int]]:
        """(account, asset, paid) of each payer: where it gets back what it has paid too much."""
        found = []
        for payer, asset in dict.fromkeys((part.payer, part.asset) for part in hold.slices):
            paid = sum(amount for part, amount in zip(hold.slices, hold.captured, strict=True) if part.payer == payer)
            if payer == WALLET:
                found.append((f"wallet/{hold.project_id}/available", asset, paid))
            else:
                which = "expired" if self.book.grants[payer].expired else "available"
                found.append((f"grant/{payer}/{which}", asset, paid))
        return found

    def _judge_payers(self, hold: Hold, command: PlaceHold) -> None:
        """Valid grants of the project in burn order, each drained of its share before the next is touched."""
        payers = list(dict.fromkeys(part.payer for part in hold.slices))
        must(WALLET not in payers[:-1], "the wallet of", hold.project_id, "pays before its grants for", hold.job_id)
        grants = [self.book.grants[payer] for payer in payers if payer != WALLET]
        for grant in grants:
            valid = grant.valid_from_us <= command.at_us < grant.valid_until_us and not grant.expired
            must(valid, "job", hold.job_id, "is paid from grant", grant.id, "which is not valid")
            must(grant.project_id == hold.project_id, "job", hold.job_id, "is paid by another project")
        ordered = sorted(grants, key=lambda grant: (grant.asset == CNY, burn_order(grant)))
        must(grants == ordered, "the hold of", hold.job_id, "burns in the wrong order")
        for number, grant in enumerate(grants):
            left = self.book.balance(f"grant/{grant.id}/available", grant.asset)
            plain = grant.asset == CNY and grant.programme_id not in self.terms
            went_on = plain and number + 1 < len(payers)
            must(not went_on or left == 0, "the hold of", hold.job_id, "left", left, "on", grant.id, "and went on")
        groups: dict[str, str] = {}
        for grant in grants:
            terms = self.terms.get(grant.programme_id)
            if terms is not None and terms.claim_group:
                first = groups.setdefault(terms.claim_group, grant.programme_id)
                must(first == grant.programme_id, "job", hold.job_id, "is claimed by two of", terms.claim_group)

    def _judge_shares(self, hold: Hold, lines: Sequence[Line], amounts: Sequence[int], rounding: int) -> None:
        """No programme pays more than its share of what others leave in kind; at the end but for a few units."""
        for line in lines:
            given = [
                (part, amount)
                for part, amount in zip(hold.slices, amounts, strict=True)
                if part.resource == line.resource and part.payer != WALLET
            ]
            by_programme: dict[str, list[tuple[Slice, int]]] = {}
            for part, amount in given:
                by_programme.setdefault(self.book.grants[part.payer].programme_id, []).append((part, amount))
            in_kind = {
                programme_id: sum(_worth(hold, part, amount) for part, amount in parts if part.asset != hold.asset)
                for programme_id, parts in by_programme.items()
            }
            for programme_id, parts in by_programme.items():
                rule = self._rule(programme_id, self.claimants[hold.job_id])
                if rule is None:
                    continue
                worth = sum(_worth(hold, part, amount) for part, amount in parts)
                of = line.amount - sum(in_kind.values()) + in_kind[programme_id]
                most = of * rule[0] + rounding * (line.unit_price if in_kind[programme_id] else 1)
                must(worth <= most, "programme", programme_id, "pays", worth, "of", line, "for", hold.job_id)

    def _rule(self, programme_id: str, claimant: Claimant) -> tuple[Fraction, Rule] | None:
        """The share a programme pays, or None where it pays all; a rule that does not fit pays nothing."""
        terms = self.terms.get(programme_id)
        if terms is None:
            return None
        for rule in terms.rules:
            if not rule.categories or claimant.category in rule.categories:
                more = rule.uplift_ppm if set(rule.uplift_traits) & set(claimant.traits) else 0
                return Fraction(rule.share_ppm + more, 10**6), rule
        return Fraction(0), terms.rules[0]

    def _judge_limits(self, hold: Hold) -> None:
        """Caps hold for what is held and paid together, and the book counts what is counted here."""
        year = self.claimants[hold.job_id].year
        for programme_id, terms in self.terms.items():
            drawn = self.drawn[programme_id, hold.project_id]
            pool = sum(amount for (programme, _), amount in self.drawn.items() if programme == programme_id)
            for name, scope, amount, limit in (
                ("cap", f"cap/{programme_id}/{year}/{hold.project_id}", drawn, terms.cap_project_year),
                ("pool", f"pool/{programme_id}/{year}", pool, terms.pool_year),
            ):
                must(limit is None or amount <= limit, "the", name, limit, "of", programme_id, "is passed by", amount)
                counted = self.book.claims.get(scope, 0)
                must(counted == amount, "the book counts", counted, "on", scope, "and not", amount)
            rule = self._rule(programme_id, self.claimants[hold.job_id])
            own = sum(part.amount for part in hold.slices if self._programme_of(part) == programme_id)
            cap = rule[1].cap_per_job if rule is not None else None
            must(
                cap is None or own <= cap, "programme", programme_id, "pays", own, "for", hold.job_id, "capped at", cap
            )

    def _programme_of(self, part: Slice) -> str:
        return "" if part.payer == WALLET else self.book.grants[part.payer].programme_id

    def _judge_wallet(self, hold: Hold, command: PlaceHold) -> None:
        """The wallet pays nothing of what a grant without terms, or in kind, could still have paid."""
        if all(part.payer != WALLET for part in hold.slices):
            return
        for grant in self.book.grants_of(hold.project_id):
            valid = grant.valid_from_us <= command.at_us < grant.valid_until_us and not grant.expired
            if valid and grant.asset == CNY and grant.programme_id not in self.terms:
                left = self.book.balance(f"grant/{grant.id}/available", CNY)
                must(left == 0, "the wallet pays for", hold.job_id, "while", grant.id, "has", left)


def _within(line: Line, ceiling: Line | None) -> Line:
    """What of a used line lies within the line that was held."""
    quantity = min(line.quantity, ceiling.quantity if ceiling is not None else 0)
    return Line(line.resource, quantity, line.unit_price, line.quantum, line.rate)


def _worth(hold: Hold, part: Slice, amount: int) -> int:
    """What an amount of a slice is worth in money."""
    if part.asset == hold.asset:
        return amount
    line = next(line for line in hold.lines if line.resource == part.resource)
    return amount // line.quantum * line.unit_price
