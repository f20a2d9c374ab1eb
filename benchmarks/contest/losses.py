"""Where the router loses most: a table of the circuits with what hindsight used, what the router chose and foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.contest.figures import Case, Told
from benchmarks.contest.rows import Row


def losses(cases: Sequence[Case], count: int) -> list[Case]:
    """The circuits where the router failed though somebody solved them, then those where it lost most time."""
    lost = [case for case in cases if case.lost_s > 0]
    return sorted(lost, key=lambda case: (case.router.solved, -case.lost_s))[:count]


def loss_table(
    chosen: Sequence[Case],
    rows: Mapping[str, Mapping[str, Row]],
    plan: Callable[[str], str],
    remarks: Mapping[str, str],
) -> str:
    """Some lines for each of these circuits; `rows` by circuit and contestant, `plan` tells the router's plan."""
    lines = []
    for number, case in enumerate(chosen, start=1):
        mine = next(row for name, row in rows[case.name].items() if name.startswith("router"))
        best = [
            f"{name} {1e3 * told.seconds:.4g}"
            for name, told in sorted(case.engines.items(), key=lambda each: each[1].seconds)
            if told.solved
        ]
        outcome = f"{1e3 * mine.seconds:.4g} ms" if case.router.solved else f"UNSOLVED ({mine.status})"
        spent = f"hindsight {1e3 * case.hindsight.seconds:.4g} ms, lost {1e3 * case.lost_s:.4g} ms"
        aer = f"Aer automatic {_short(case.automatic)}, then MPS {_short(case.honest)}"
        lines += [
            f"{number}. {case.name} ({case.family}): router {outcome} by {mine.method or 'nothing'}, {spent}",
            f"   engines, ms: {', '.join(best[:4]) or 'none'}; {aer}",
            f"   predicted, ms: {plan(case.name)}",
        ]
        if mine.note:
            lines.append(f"   told: {mine.note}")
        if remark := remarks.get(case.name):
            lines.append(f"   judged: {remark}")
    return "\n".join(lines)


def _short(told: Told) -> str:
    return f"{1e3 * told.seconds:.4g}" if told.solved else "–"
