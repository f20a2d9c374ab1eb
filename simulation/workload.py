"""What a seed's world holds: projects, grants, jobs and their flaws, people who cancel, operators who meddle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from ledger.commands import ANYBODY
from ledger.model import CNY, Grant
from ledger.price import Quote, Usage, quote
from ledger.rates import RateLine
from ledger.terms import Budget, Claimant, Rule, Terms
from scheduler.events import BackendState, TaskSpec
from simulation.agenda import START_US
from simulation.world import BACKENDS, SECOND_US, World

Flaw = Literal["none", "user", "memory", "endless", "crash"]

RATES = (
    RateLine("per-job", "job", 1_000),
    RateLine("per-ms", "qpu_ms", 200, quantum=10),
    RateLine("per-kshot", "shots", 500, quantum=1_000),
)
YEAR = 1970
"""The year of every simulated job: the clock starts at the epoch."""
PLAIN, VOUCHER, KIND = "programme", "voucher", "kind"
FUNDERS = {PLAIN: (("funder", 1),), VOUCHER: (("funder", 2), ("city", 1)), KIND: (("lab", 1), ("city", 1), ("bank", 5))}
LONGEST_LIMIT_US = 6 * SECOND_US
WIDEST_SLOTS = 2


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as its owner sends it, its true nature, and what it was quoted. `again_us`: the request is sent twice."""

    at_us: int
    again_us: int | None
    job_id: str
    project_id: str
    priority: int
    spec: TaskSpec
    shots: int
    quote: Quote
    true_us: int
    flaw: Flaw
    cancel_us: tuple[int, ...]
    claimant: Claimant = ANYBODY
    credit_percent: int = 0
    """So much of what was charged is taken back afterwards."""


@dataclass(frozen=True, slots=True)
class Storm:
    """How often what goes wrong: chances in a thousand."""

    fault: int
    late: int
    twice: int
    forged: int
    deaf: int
    worker_deaths: int
    partitions: int
    restarts: int


@dataclass(frozen=True, slots=True)
class Workload:
    """All that is known before the world begins to turn."""

    weights: tuple[tuple[str, int], ...]
    grants: tuple[Grant, ...]
    terms: tuple[Terms, ...]
    budgets: tuple[Budget, ...]
    top_ups: tuple[tuple[str, int], ...]
    submissions: tuple[Submission, ...]
    backend_changes: tuple[tuple[int, str, BackendState], ...]
    storm: Storm


def draw(random: Random, world: World) -> Workload:
    """Draw a world's content. The same state of `random` gives the same content."""
    projects = [f"p{number}" for number in range(random.randint(*world.projects))]
    weights = tuple((project_id, random.choice((50, 100, 100, 200))) for project_id in projects)
    submissions = tuple(
        sorted(
            (_submission(random, world, number, projects) for number in range(random.randint(*world.jobs))),
            key=lambda submission: (submission.at_us, submission.job_id),
        )
    )
    grants = tuple(grant for project_id in projects for grant in _grants(random, world, project_id, submissions))
    terms = _terms(random, submissions)
    budgets = tuple(_budgets(random, projects, submissions))
    top_ups = tuple(
        (project_id, _wanted(project_id, submissions) * random.randint(1, 150) // 100 + 1)
        for project_id in projects
        if random.random() < 0.7
    )
    changes = tuple(_backend_changes(random, world))
    return Workload(weights, grants, terms, budgets, top_ups, submissions, changes, _storm(random))


def _submission(random: Random, world: World, number: int, projects: list[str]) -> Submission:
    # The first project sends a burst at the very beginning; the others trickle in.
    project_id = projects[0] if random.random() < 0.4 else random.choice(projects)
    burst = project_id == projects[0] and random.random() < 0.7
    at_us = START_US + random.randint(0, SECOND_US // 2 if burst else world.arrivals_us)
    estimate_us = random.randint(2_000, 50_000) if random.random() < 0.5 else random.randint(200_000, 2_500_000)
    limit_us = min(LONGEST_LIMIT_US, max(SECOND_US, 2 * estimate_us))
    flaw: Flaw = random.choices(("none", "user", "memory", "endless", "crash"), (75, 8, 4, 5, 8))[0]
    slots = WIDEST_SLOTS if random.random() < 0.08 else 1
    shots = random.choice((1, 100, 1_024, 4_000))
    backends = tuple(random.sample(BACKENDS, random.randint(1, len(BACKENDS))))
    job_id = f"j{number}"
    cancels = random.choices((0, 1, 2), (85, 12, 3))[0]
    return Submission(
        at_us=at_us,
        again_us=at_us + random.randint(0, SECOND_US) if random.random() < 0.05 else None,
        job_id=job_id,
        project_id=project_id,
        priority=random.choice((0, 0, 0, 5, -5)),
        spec=TaskSpec(f"{job_id}/0", backends, estimate_us, limit_us, slots),
        shots=shots,
        quote=quote(RATES, Usage(estimate_us // 1_000, shots), Usage(limit_us // 1_000, shots)),
        true_us=max(1_000, estimate_us * random.randint(30, 250) // 100),
        flaw=flaw,
        cancel_us=tuple(at_us + random.randint(0, 4 * SECOND_US) for _ in range(cancels)),
        claimant=Claimant(
            member_id=f"m{random.randint(0, 2)}",
            category=random.choice(("general", "chemistry")),
            backend=backends[0],
            traits=random.choice(((), ("rural",))),
            year=YEAR,
        ),
        credit_percent=random.choices((0, 10, 50, 100), (85, 5, 5, 5))[0],
    )


def _wanted(project_id: str, submissions: tuple[Submission, ...]) -> int:
    return sum(each.quote.ceiling.amount for each in submissions if each.project_id == project_id)


def _grants(random: Random, world: World, project_id: str, submissions: tuple[Submission, ...]) -> list[Grant]:
    """One to three grants: some start late, some expire in the middle, and together they may not be enough."""
    wanted = _wanted(project_id, submissions)
    end_us = START_US + world.storm_us + world.patience_us
    grants: list[Grant] = []
    for number in range(random.randint(1, 3)):
        from_us = START_US + (random.randint(0, world.arrivals_us // 2) if random.random() < 0.2 else 0)
        until_us = from_us + random.randint(1, world.arrivals_us) if random.random() < 0.35 else end_us
        programme_id = random.choices((PLAIN, VOUCHER, KIND), (50, 32, 18))[0]
        in_kind = programme_id == KIND
        grants.append(
            Grant(
                id=f"{project_id}-g{number}",
                programme_id=programme_id,
                funders=FUNDERS[programme_id],
                project_id=project_id,
                asset="qpu_ms" if in_kind else CNY,
                amount=max(1, wanted * random.randint(5, 120) // (2_000 if in_kind else 100)),
                valid_from_us=from_us,
                valid_until_us=until_us,
                priority=random.randint(0, 2),
                created_us=START_US - number,
            )
        )
    return grants


def _terms(random: Random, submissions: tuple[Submission, ...]) -> tuple[Terms, ...]:
    """Vouchers pay a share, mostly with a cap or two; what is given in kind has terms in half of all worlds."""
    wanted = sum(each.quote.ceiling.amount for each in submissions)

    def maybe(share: int) -> int | None:
        return max(1, share * random.randint(20, 100) // 100) if random.random() < 0.5 else None

    rule = Rule(
        share_ppm=random.choice((300_000, 333_333, 500_000, 650_000)),
        up_to_ppm=random.choice((700_000, 1_000_000)),
        uplift_ppm=random.choice((0, 200_000)),
        uplift_traits=("rural",),
        cap_per_job=maybe(30_000),
    )
    chemistry = Rule(random.choice((400_000, 1_000_000)), categories=("chemistry",))
    group = random.choice(("", "once"))
    voucher = Terms(
        VOUCHER,
        1,
        random.choice(((rule,), (chemistry, rule))),
        claim_group=group,
        cap_project_year=maybe(wanted // 4),
        pool_year=maybe(wanted // 2),
    )
    in_kind = Rule(random.choice((250_000, 500_000)), cap_per_job=maybe(2_000))
    return (voucher, Terms(KIND, 1, (in_kind,), claim_group=group)) if random.random() < 0.5 else (voucher,)


def _budgets(random: Random, projects: list[str], submissions: tuple[Submission, ...]) -> Iterator[Budget]:
    for project_id in projects:
        if random.random() < 0.3:
            limit = _wanted(project_id, submissions) * random.randint(5, 40) // 100
            yield Budget(project_id, "member", f"m{random.randint(0, 2)}", limit)


def _backend_changes(random: Random, world: World) -> list[tuple[int, str, BackendState]]:
    """Operators drain back-ends and open them again."""
    changes: list[tuple[int, str, BackendState]] = []
    for backend in BACKENDS:
        if random.random() < 0.3:
            from_us = START_US + random.randint(0, world.arrivals_us)
            changes.append((from_us, backend, random.choice(("draining", "offline"))))
            changes.append((from_us + random.randint(SECOND_US, world.storm_us // 2), backend, "online"))
    return changes


def _storm(random: Random) -> Storm:
    """Each kind of trouble is absent from about half of all worlds, so that troubles also come one at a time."""

    def maybe(most: int) -> int:
        return random.randint(1, most) if random.random() < 0.5 else 0

    return Storm(
        fault=maybe(300),
        late=maybe(100),
        twice=maybe(200),
        forged=maybe(100),
        deaf=maybe(300),
        worker_deaths=maybe(3),
        partitions=maybe(3),
        restarts=maybe(2),
    )
