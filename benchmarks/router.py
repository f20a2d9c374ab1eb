"""How well the router chooses: every circuit of the suite by Aer itself, by each engine, and by the backend `ideal`.

`make bench-router` measures CPU seconds, children's too, on one thread, in warm processes that are killed at the limit
(60 s) or at 12 GiB. Aer is called as its users call it, "then MPS" runs its matrix product states where its own choice
fails and pays for both, `ideal` is called as a worker calls it, and hindsight is the quickest of all installed engines,
each forced to run what the reductions leave. A result counts as solved only if it says to be exact or of fidelity
≥ 0.99 and passes its distribution test. Rows of all but the router are kept in the user's cache and measured again only
with FRESH=1 or for a longer limit. The last line has the figures.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.circuit_suite.entry import Entry
from benchmarks.circuit_suite.folder import entries_of
from benchmarks.contest.child import PLAN, SHOTS, Runner
from benchmarks.contest.contestants import AUTOMATIC, AUTOMATIC_MPS, PLAIN, ROUTER, ROUTER_ON_AER, engines, version_of
from benchmarks.contest.figures import Case, Told, family_table, figures_of
from benchmarks.contest.losses import loss_table, losses
from benchmarks.contest.rows import Row, Rows, cache_folder, digest_of
from benchmarks.contest.verdicts import FIDELITY_MIN, NOBODY, Judge

LIMIT_S = 60.0
_PATIENCE_S = 0.5
_PATIENCE = 1.5
_PLAN_S = 20.0
_ORDER = ("stim", "frame", "prismq", "mps", "sparse", "qulacs", "ddsim", "aer")


class Contest:
    """All rows of a set of circuits, measured where they are not known."""

    def __init__(self, source: str, rows: Rows, *, fresh: bool, limit_s: float, router: str) -> None:
        self.rows = rows
        self.limit_s = limit_s
        self.router = router
        self.fresh = fresh
        self.measured = self.cached = 0
        self.by_name: dict[str, dict[str, Row]] = {}
        self.remarks: dict[str, str] = {}
        self._judge = Judge(rows)
        # Two processes: the router's is in the state that the router itself left it in.
        self._mine = Runner(source, (router,))
        self._theirs = Runner(source, (AUTOMATIC, AUTOMATIC_MPS, *engines()))
        self._digests: dict[str, str] = {}
        self._new: set[tuple[str, ...]] = set()

    def row(self, entry: Entry, contestant: str, limit_s: float) -> Row:
        """The row, from the cache or by measuring now; the router's own is always measured."""
        if entry.name not in self._digests:
            self._digests[entry.name] = digest_of(entry.make())
        key = (entry.name, self._digests[entry.name], contestant, version_of(contestant))
        known = self.rows.find(key, limit_s)
        again = self.fresh or contestant == self.router
        if known is not None and (not again or key in self._new):
            self.cached += 1
        else:
            runner = self._mine if contestant == self.router else self._theirs
            answer = runner.run(entry, contestant, limit_s)
            bits = answer.pop("bits", None)
            known = Row(*key, limit_s=limit_s, **answer)
            self.rows.keep(known, bits)
            self._new.add(key)
            self.measured += 1
        self.by_name.setdefault(entry.name, {})[contestant] = known
        return known

    def case(self, entry: Entry, *, hindsight: bool) -> Case:
        """One circuit by everybody."""
        rows = [self.row(entry, self.router, self.limit_s), self.row(entry, AUTOMATIC, self.limit_s)]
        if rows[1].status != "ok":
            rows.append(self.row(entry, AUTOMATIC_MPS, self.limit_s))
        if hindsight:
            for name in sorted(engines(), key=_rank):
                best_s = min((row.seconds for row in rows if row.status == "ok"), default=self.limit_s)
                rows.append(self.row(entry, name, self._patience_s(best_s)))
        told = {row.contestant: self._told(entry, row, rows) for row in rows}
        honest = told[AUTOMATIC]
        if AUTOMATIC_MPS in told:
            second = told[AUTOMATIC_MPS]
            honest = Told(second.solved, honest.seconds + second.seconds, honest.converted_s + second.converted_s)
        alone = {name: each for name, each in told.items() if name not in (AUTOMATIC, AUTOMATIC_MPS, self.router)}
        return Case(entry.name, entry.family, told[AUTOMATIC], honest, told[self.router], alone)

    def plan(self, entry: Entry) -> str:
        """What the router foretells for a circuit."""
        return str(self._mine.run(entry, PLAN, _PLAN_S)["note"])

    def _patience_s(self, best_s: float) -> float:
        """An engine is given half as long again as the best so far: what it would do later is no hindsight.

        In powers of two, so that a row that ran out of time today says enough tomorrow.
        """
        wanted = (_PATIENCE * best_s + _PATIENCE_S) / _PATIENCE_S
        return min(self.limit_s, _PATIENCE_S * 2.0 ** math.ceil(math.log2(wanted)))

    def _told(self, entry: Entry, row: Row, rows: list[Row]) -> Told:
        if row.status != "ok" or row.fidelity < FIDELITY_MIN:
            if row.contestant == self.router:
                self.remarks[entry.name] = f"{row.status}, fidelity {row.fidelity:.4f}, {row.note}"
            return Told(False, row.seconds, row.converted_s)
        verdict = self._judge.verdict(entry, row, rows)
        for prefix in (PLAIN, ""):
            if verdict.finding == NOBODY:
                rows = [*rows, *self._peers(entry, row, prefix)]
                verdict = self._judge.verdict(entry, row, rows)
        if not verdict.passed:
            said = f"{row.contestant} ({row.method}) by {verdict.means}: {verdict.finding}"
            if row.contestant == self.router:
                self.remarks[entry.name] = said
            print(f"    {said}")
        return Told(verdict.passed, row.seconds, row.converted_s)

    def _peers(self, entry: Entry, row: Row, prefix: str) -> list[Row]:
        """Engines for judging alone, without reductions or (where none of those can) with, until one has an answer."""
        found: list[Row] = []
        for name in sorted(engines(), key=_rank):
            if name in row.method.split("/") or name == row.contestant:
                continue
            found.append(self.row(entry, prefix + name, self.limit_s))
            if found[-1].status == "ok":
                break
        return found

    def close(self) -> None:
        """End the children."""
        self._mine.close()
        self._theirs.close()


def _rank(name: str) -> int:
    return next(place for place, start in enumerate(_ORDER) if name.startswith(start))


def _said(case: Case, method: str) -> str:
    def one(told: Told) -> str:
        return f"{1e3 * told.seconds:10.2f}" if told.solved else f"{'–':>10}"

    parts = (one(case.automatic), one(case.honest), one(case.router), one(case.hindsight))
    return f"{case.name:34}" + " ".join(parts) + f"  {case.quickest or '–'}; router: {method or '–'}"


def _chosen(source: str, families: Sequence[str], *, without: Sequence[str]) -> list[Entry]:
    entries = entries_of(source)
    known = {entry.family for entry in entries} | {entry.name for entry in entries}
    if missing := sorted({*families, *without} - known):
        raise SystemExit(f"no family or circuit is called {', '.join(missing)}; there are {', '.join(sorted(known))}")
    asked = [entry for entry in entries if not families or entry.family in families or entry.name in families]
    return [entry for entry in asked if entry.family not in without and entry.name not in without]


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuits", default=os.environ.get("CIRCUITS", ""), help="folder in place of the suite")
    parser.add_argument("--limit", type=float, default=float(os.environ.get("LIMIT") or LIMIT_S), help="CPU seconds")
    parser.add_argument("--family", default=os.environ.get("FAMILY", ""), help="only these families or circuits, a,b,c")
    parser.add_argument("--without", default="", help="not these, say those that something was fitted on")
    parser.add_argument("--fresh", action="store_true", default=os.environ.get("FRESH", "") not in ("", "0"))
    parser.add_argument("--aer-only", action="store_true", help="the router as if Aer alone were installed")
    parser.add_argument("--no-hindsight", action="store_true", help="leave out the engines by themselves")
    parser.add_argument("--jobs", type=int, default=40, metavar="N", help="show the N circuits with the largest losses")
    parser.add_argument("--losses", type=Path, help="write them to this file, too, as often as there are more of them")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="where rows are kept")
    return parser.parse_args()


def main() -> None:
    """Measure, judge, tell."""
    asked = _asked()
    entries = _chosen(
        asked.circuits,
        [name for name in asked.family.split(",") if name],
        without=[name for name in asked.without.split(",") if name],
    )
    router = ROUTER_ON_AER if asked.aer_only else ROUTER
    contest = Contest(asked.circuits, Rows(asked.cache), fresh=asked.fresh, limit_s=asked.limit, router=router)
    by_name = {entry.name: entry for entry in entries}
    plans: dict[str, str] = {}
    cases: list[Case] = []

    def plan(name: str) -> str:
        if name not in plans:
            plans[name] = contest.plan(by_name[name])
        return plans[name]

    def table() -> str:
        return loss_table(losses(cases, asked.jobs), contest.by_name, plan, contest.remarks)

    began_s = time.monotonic()
    try:
        head = f"{f'{SHOTS} shots, CPU ms':34}{'Aer':>10} {'then MPS':>10} {'router':>10} {'hindsight':>10}"
        print(f"{head}  quickest engine")
        for number, entry in enumerate(entries, start=1):
            cases.append(contest.case(entry, hindsight=not asked.no_hindsight))
            print(_said(cases[-1], contest.by_name[entry.name][router].method), flush=True)
            if asked.losses is not None and (number % 20 == 0 or number == len(entries)):
                said = f"{number} of {len(entries)} circuits, limit {asked.limit:g} s\n{figures_of(cases).line()}\n"
                asked.losses.write_text(said + table() + "\n", encoding="utf-8")
        print(f"\n{family_table(cases)}\n\nwhere the router loses most\n{table()}\n")
    finally:
        contest.close()
    took_s = time.monotonic() - began_s
    print(f"{contest.measured} rows measured now, {contest.cached} taken from {asked.cache}, {took_s:.0f} s")
    print(f"{figures_of(cases).line()} limit_s={asked.limit:g} cached={contest.cached}")


if __name__ == "__main__":
    main()
