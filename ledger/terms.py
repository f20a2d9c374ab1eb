"""The terms of a subsidy programme: what share of which costs it pays, for whom, and up to which caps.

Terms are data (a TOML file that an operator applies) and are immutable: a change is a new version. A hold remembers
the version that it was decided on.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.model import FULL_PPM

GENERAL = "general"
"""The workload category of a job that names none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who gets which share. An empty tuple, and None, mean: whoever.

    The rule pays `share_ppm` of the price, and `uplift_ppm` more where the project has one of `uplift_traits`; but the
    payers before it and itself together never more than `up_to_ppm`. At most `cap_per_job` for one job.
    """

    share_ppm: int
    up_to_ppm: int = FULL_PPM
    categories: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    age_months_max: int | None = None
    traits: tuple[str, ...] = ()
    uplift_ppm: int = 0
    uplift_traits: tuple[str, ...] = ()
    cap_per_job: int | None = None

    def __post_init__(self) -> None:
        for name, ppm in (("share", self.share_ppm), ("up_to", self.up_to_ppm)):
            if not 0 < ppm <= FULL_PPM:
                raise ValueError(f"a share lies above 0 % and at most at 100 %, not at {ppm / 10_000} %: {name}")
        if not 0 <= self.uplift_ppm <= FULL_PPM - self.share_ppm:
            together = (self.share_ppm + self.uplift_ppm) / 10_000
            raise ValueError(f"share and uplift are at most 100 % together, not {together} %")
        if self.cap_per_job is not None and self.cap_per_job < 1:
            raise ValueError(f"a cap is at least 1 unit, not {self.cap_per_job}")


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a programme's terms. The first of `rules` that fits a job is the one that holds for it.

    `excluded` resources are never paid. With `excludes_related`, jobs on a backend of a related party aren't either.
    Of the programmes of one `claim_group` only one pays a job: the same use is claimed once. `cap_project_year` and
    `pool_year` bound what is held and captured in a calendar year, for one project and for all. `rollover_ppm` of what
    a grant has left at its end goes into a new grant, valid `rollover_days` longer, which rolls over no more.
    """

    programme_id: str
    version: int
    rules: tuple[Rule, ...]
    excluded: tuple[str, ...] = ()
    excludes_related: bool = True
    claim_group: str = ""
    cap_project_year: int | None = None
    pool_year: int | None = None
    valid_from_us: int = 0
    valid_until_us: int | None = None
    rollover_ppm: int = 0
    rollover_days: int = 0

    def __post_init__(self) -> None:
        if not self.rules:
            raise ValueError(f"programme {self.programme_id}: terms have at least one rule")
        for name, cap in (("cap_project_year", self.cap_project_year), ("pool_year", self.pool_year)):
            if cap is not None and cap < 1:
                raise ValueError(f"programme {self.programme_id}: {name} is at least 1 unit, not {cap}")
        if not 0 <= self.rollover_ppm <= FULL_PPM or (self.rollover_ppm > 0) != (self.rollover_days > 0):
            raise ValueError(f"programme {self.programme_id}: a rollover is a share up to 100 % and a number of days")


@dataclass(frozen=True, slots=True)
class Claimant:
    """What terms and restrictions ask about: the startup, the member, the job and where it runs.

    `age_months` is None where nobody knows when the startup was founded: rules for young ones then do not fit. `year`
    is the calendar year of the facility in which the job was submitted.
    """

    member_id: str = ""
    category: str = GENERAL
    tags: tuple[str, ...] = ()
    backend: str = ""
    provider: str = ""
    stage: str = ""
    age_months: int | None = None
    traits: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    year: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What terms allow one job: the share and its limits, under which rule."""

    rule: str
    share_ppm: int = FULL_PPM
    up_to_ppm: int = FULL_PPM
    cap_per_job: int | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why terms allow a job nothing: one word."""

    reason: str


UNCONDITIONAL = Offer("")
"""A programme without terms pays everything."""


def offer(terms: Terms | None, claimant: Claimant, at_us: int) -> Offer | Unfit:
    """What the terms allow this job, or the reason why nothing: not_valid, related_party, stage, category …"""
    if terms is None:
        return UNCONDITIONAL
    if at_us < terms.valid_from_us or (terms.valid_until_us is not None and at_us >= terms.valid_until_us):
        return Unfit("programme_not_valid")
    if terms.excludes_related and claimant.provider and claimant.provider in claimant.related:
        return Unfit("related_party")
    reason = ""
    for number, rule in enumerate(terms.rules, 1):
        obstacle = _obstacle(rule, claimant)
        if not obstacle:
            uplift = rule.uplift_ppm if set(rule.uplift_traits) & set(claimant.traits) else 0
            name = f"{terms.programme_id}@{terms.version}#{number}"
            return Offer(name, rule.share_ppm + uplift, rule.up_to_ppm, rule.cap_per_job)
        reason = reason or obstacle
    return Unfit(reason)


def _obstacle(rule: Rule, claimant: Claimant) -> str:
    if rule.categories and claimant.category not in rule.categories:
        return "category"
    if rule.stages and claimant.stage not in rule.stages:
        return "stage"
    if rule.age_months_max is not None and (claimant.age_months is None or claimant.age_months >= rule.age_months_max):
        return "age"
    if rule.traits and not set(rule.traits) & set(claimant.traits):
        return "trait"
    return ""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit inside a project, set by its own admins: `limit` micro-units for one member or one tag, in a year."""

    project_id: str
    kind: str
    key: str
    limit: int

    def __post_init__(self) -> None:
        if self.kind not in ("member", "tag"):
            raise ValueError(f"a budget is for a member or a tag, not for a {self.kind!r}")
        if self.limit < 0:
            raise ValueError(f"a budget is at least 0, not {self.limit}")

    def scope(self, year: int) -> str:
        """The limit's name among the claims."""
        return f"budget/{self.project_id}/{year}/{self.kind}/{self.key}"

    def concerns(self, claimant: Claimant) -> bool:
        """Whether a job counts on it."""
        return self.key == claimant.member_id if self.kind == "member" else self.key in claimant.tags


def cap_scope(programme_id: str, project_id: str, year: int) -> str:
    """The name, among the claims, of what a project has drawn from a programme in a year."""
    return f"cap/{programme_id}/{year}/{project_id}"


def pool_scope(programme_id: str, year: int) -> str:
    """The name, among the claims, of what all have drawn from a programme in a year."""
    return f"pool/{programme_id}/{year}"


def programme_of_scope(scope: str) -> str | None:
    """The programme whose cap or pool this is; None for a budget."""
    kind, rest = scope.split("/", 1)
    return rest.split("/", 1)[0] if kind in ("cap", "pool") else None
