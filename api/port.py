"""What the HTTP face needs of the dispatcher: the shape of `dispatcher.room.Room`, checked from both sides by mypy.

Every function blocks and may be called from any thread. A `Refusal` is an expected no, `None` means "does not exist for
this caller", anything raised is a fault of the facility.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from typing import IO, Any, Literal, Protocol

from dispatcher.model import Caller, GrantTerms, Refusal, Role, Submission
from dispatcher.plans import Applied, ProgrammePlan
from dispatcher.tariffs import NewRate
from ledger.model import Grant
from ledger.notes import PublicKey
from ledger.rates import RateLine
from ledger.terms import Terms
from store.rows import (
    AttemptRow,
    BackendState,
    CheckpointRow,
    DisagreementRow,
    FunderRow,
    HistoryRow,
    JobFilter,
    JobRow,
    MemberRow,
    NoticeRow,
    ProgrammeRow,
    ProjectRow,
    RequestKind,
    RequestRow,
    RequestState,
    TokenRow,
)


class Accepted(Protocol):
    """An admitted job; `created` is False when an idempotency key led to one that was there."""

    @property
    def job(self) -> JobRow: ...
    @property
    def created(self) -> bool: ...


class QuoteAnswer(Protocol):
    """What a job would cost, who would pay, and how long (µs) it would wait; kept as a promise until `expires_us`."""

    @property
    def quote(self) -> Mapping[str, Any]: ...
    @property
    def backend(self) -> str: ...
    @property
    def wait_us(self) -> int: ...
    @property
    def findings(self) -> Mapping[str, Any]: ...
    @property
    def quote_id(self) -> str: ...
    @property
    def expires_us(self) -> int: ...
    @property
    def payers(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def missing(self) -> int: ...
    @property
    def refusal(self) -> Refusal | None: ...


class QuotaWarning(Protocol):
    """`used` has reached `percent` of what a project was granted."""

    @property
    def project_id(self) -> str: ...
    @property
    def percent(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def granted(self) -> int: ...
    @property
    def asset(self) -> str: ...


class Changes(Protocol):
    """Says that something was committed, not what."""

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Call `callback` from any thread after commits, until the returned function is called."""
        ...


class JobsPort(Protocol):
    """Submitting, reading and ending jobs."""

    @property
    def changes(self) -> Changes: ...

    def now_us(self) -> int: ...

    def submit(self, caller: Caller, submissions: Sequence[Submission], /) -> Sequence[Accepted | Refusal]:
        """Answers in the order of the submissions."""
        ...

    def quote(self, caller: Caller, submissions: Sequence[Submission], /) -> Sequence[QuoteAnswer | Refusal]: ...
    def route(self, caller: Caller, submission: Submission, /) -> Mapping[str, Any] | Refusal: ...
    def cancel(self, caller: Caller, job_id: str, /) -> JobRow | Refusal: ...
    def job(self, caller: Caller, job_id: str, /) -> JobRow | None: ...

    def jobs(
        self, caller: Caller, wanted: JobFilter, cursor: str | None, limit: int, /
    ) -> tuple[Sequence[JobRow], str | None]:
        """Newest first, and where the next page starts; a cursor that is none of ours raises store.errors.BadCursor."""
        ...

    def history(self, caller: Caller, job_id: str, /) -> Sequence[HistoryRow]: ...
    def attempts(self, caller: Caller, job_id: str, /) -> Sequence[AttemptRow]: ...

    def history_since(self, caller: Caller, seq: int, limit: int, /) -> Sequence[HistoryRow | NoticeRow]:
        """State changes and notices after `seq` that the caller may see, oldest first."""
        ...

    def history_end(self) -> int:
        """The highest `seq` so far; 0 when there is none."""
        ...

    def result(self, caller: Caller, job_id: str, /) -> bytes | Refusal: ...
    def receipt(self, caller: Caller, job_id: str, /) -> Mapping[str, Any] | Refusal: ...
    def why_waiting(self, job_id: str, /) -> str | None: ...


class IdentityPort(Protocol):
    """Projects, members and tokens."""

    def authenticate(self, secret: str, /) -> Caller | Refusal: ...
    def create_project(self, caller: Caller, name: str, weight: int, /) -> ProjectRow | Refusal: ...
    def describe_project(
        self,
        caller: Caller,
        project_id: str,
        stage: str,
        founded_us: int | None,
        traits: tuple[str, ...],
        related: tuple[str, ...],
        /,
    ) -> ProjectRow | Refusal: ...

    def unasked(self, caller: Caller, project_id: str, /) -> Sequence[str]:
        """Words that a startup is described by and no programme asks for, a sentence each."""
        ...

    def list_projects(self, caller: Caller, /) -> Sequence[ProjectRow] | Refusal: ...
    def get_project(self, caller: Caller, project_id: str, /) -> ProjectRow | Refusal | None: ...

    def create_member(self, caller: Caller, project_id: str | None, name: str, role: Role, /) -> MemberRow | Refusal:
        """Project None here and below: of the whole facility."""
        ...

    def list_members(self, caller: Caller, project_id: str | None, /) -> Sequence[MemberRow] | Refusal: ...

    def create_token(
        self, caller: Caller, project_id: str | None, member_id: str, role: Role, label: str, expires_us: int | None, /
    ) -> tuple[TokenRow, str] | Refusal:
        """The row and the secret, which is told this one time."""
        ...

    def list_tokens(self, caller: Caller, project_id: str | None, /) -> Sequence[TokenRow] | Refusal: ...
    def revoke_token(self, caller: Caller, token_id: str, /) -> TokenRow | Refusal | None: ...


class MoneyPort(Protocol):
    """Funders, programmes, grants and where they stand. Amounts in the smallest unit of the asset."""

    def create_funder(self, caller: Caller, name: str, /) -> FunderRow | Refusal: ...
    def list_funders(self, caller: Caller, /) -> Sequence[FunderRow] | Refusal: ...

    def create_programme(
        self, caller: Caller, name: str, funders: Sequence[tuple[str, int]], asset: str, budget: int, /
    ) -> ProgrammeRow | Refusal: ...

    def list_programmes(self, caller: Caller, /) -> Sequence[tuple[ProgrammeRow, int]] | Refusal:
        """Each programme and what of its budget is not yet granted."""
        ...

    def issue_grant(self, caller: Caller, wanted: GrantTerms, /) -> Grant | Refusal: ...

    @property
    def currency(self) -> str: ...
    @property
    def zone(self) -> tzinfo: ...

    def apply_programmes(
        self, caller: Caller, plans: Sequence[ProgrammePlan], dry_run: bool, /
    ) -> Sequence[Applied] | Refusal: ...

    def terms_of(self, caller: Caller, programme_id: str, /) -> Sequence[Terms] | Refusal: ...
    def rates(self) -> Sequence[RateLine]: ...
    def add_rates(self, caller: Caller, wanted: Sequence[NewRate], /) -> Sequence[RateLine] | Refusal: ...

    def top_up(self, caller: Caller, project_id: str, amount: int, key: str, /) -> Mapping[str, Any] | Refusal:
        """The same `key` is booked once."""
        ...

    def pay_out(self, caller: Caller, project_id: str, amount: int, key: str, /) -> Mapping[str, Any] | Refusal: ...

    def set_budget(
        self, caller: Caller, project_id: str, kind: str, key: str, limit: int, /
    ) -> Mapping[str, Any] | Refusal: ...

    def remove_budget(self, caller: Caller, project_id: str, kind: str, key: str, /) -> Refusal | None: ...
    def list_budgets(self, caller: Caller, project_id: str, /) -> Sequence[Mapping[str, Any]] | Refusal: ...

    def ask(
        self, caller: Caller, kind: RequestKind, subject: str, body: Mapping[str, Any], reason: str, /
    ) -> RequestRow | Refusal:
        """An act that a second operator must approve."""
        ...

    def list_requests(self, caller: Caller, state: RequestState | None, /) -> Sequence[RequestRow] | Refusal: ...
    def decide_request(self, caller: Caller, request_id: str, approve: bool, /) -> RequestRow | Refusal: ...
    def grants(self, caller: Caller, project_id: str, /) -> Sequence[Grant] | Refusal: ...
    def quota_warning(self, caller: Caller, project_id: str, /) -> QuotaWarning | None: ...
    def balance(self, caller: Caller, project_id: str, /) -> Mapping[str, Any] | Refusal: ...
    def statement(self, caller: Caller, project_id: str, /) -> Mapping[str, Any] | Refusal: ...


class ReportsPort(Protocol):
    """The books by month; a month is written "2026-11"."""

    def month_statement(self, caller: Caller, project_id: str, month: str, /) -> Mapping[str, Any] | Refusal: ...

    def funder_report(
        self, caller: Caller, funder_id: str, first: str, last: str, /
    ) -> Mapping[str, Any] | Refusal: ...

    def focus(self, caller: Caller, project_id: str, month: str, version: str, /) -> IO[bytes] | Refusal:
        """CSV in a file that stands at its begin; whoever asked for it closes it."""
        ...

    def focus_metadata(
        self, caller: Caller, project_id: str, month: str, version: str, /
    ) -> Mapping[str, Any] | Refusal: ...

    def closes(self, caller: Caller, /) -> Sequence[Mapping[str, Any]] | Refusal: ...
    def close_month(self, caller: Caller, month: str, /) -> Mapping[str, Any] | Refusal: ...


Calibration = date | Literal["today", "stated"]
"""Which day's figures of a device: of today, of a day, or those of its files."""


class FacilityPort(Protocol):
    """Backends, and the service about itself."""

    def backends(self) -> Sequence[Mapping[str, Any]]: ...
    def backend(self, name: str, calibration: Calibration = "today", /) -> Mapping[str, Any] | None: ...

    def set_backend_state(
        self, caller: Caller, name: str, state: BackendState, reason: str, /
    ) -> Mapping[str, Any] | Refusal | None: ...

    def engines(self) -> Sequence[Mapping[str, Any]]: ...
    def set_engine_state(
        self, caller: Caller, name: str, state: str, reason: str, /
    ) -> Mapping[str, Any] | Refusal | None: ...
    def disagreements(
        self, caller: Caller, limit: int, before_seq: int | None, /
    ) -> Sequence[DisagreementRow] | Refusal: ...
    def ready(self) -> Mapping[str, bool]: ...
    def version(self) -> Mapping[str, Any]: ...
    def settings_public(self) -> Mapping[str, Any]: ...


class ProofPort(Protocol):
    """The ledger's proof, for everybody who has a token."""

    def ledger_keys(self) -> Sequence[PublicKey] | Refusal: ...
    def ledger_checkpoint(self) -> CheckpointRow | Refusal: ...

    def ledger_consistency(self, old: int, new: int | None, /) -> Mapping[str, Any] | Refusal:
        """That the first `old` entries are the beginning of the first `new`; None: of the newest checkpoint."""
        ...


class RoomPort(JobsPort, IdentityPort, MoneyPort, ReportsPort, FacilityPort, ProofPort, Protocol):
    """All of it: the one object the HTTP face is given."""
