"""The tables, one schema for SQLite and PostgreSQL. The migrations build exactly this (a test compares them).

Columns `_us` and amounts are 64-bit integers. JSON is text. The rows of entries, postings, closes, terms, rate lines,
nodes of the ledger's tree, checkpoints and audit are written once: triggers of the migrations refuse every change.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from store.columns import Json, Serial, Texts

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("weight", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("stage", Text, nullable=False),
    Column("founded_us", BigInteger),
    Column("traits", Texts, nullable=False),
    Column("related", Texts, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id")),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("members_by_project", "project_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("members.id"), nullable=False),
    Column("project_id", Text, ForeignKey("projects.id")),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("revoked_us", BigInteger),
    Column("secret_hash", Text, nullable=False, unique=True),
    Index("tokens_by_project", "project_id"),
)

funders = Table(
    "funders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_us", BigInteger, nullable=False),
)

programmes = Table(
    "programmes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("funder_id", Text, ForeignKey("funders.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    # Who pays which part, the lead funder first: [[funder_id, weight], …].
    Column("funders", Json, nullable=False),
    Index("programmes_by_name", "funder_id", "name", unique=True),
)

terms = Table(
    "terms",
    metadata,
    Column("programme_id", Text, ForeignKey("programmes.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Json, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

rate_lines = Table(
    "rate_lines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("quantum", BigInteger, nullable=False),
    Column("backend", Text, nullable=False),
    Column("from_hour", Integer, nullable=False),
    Column("until_hour", Integer, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_until_us", BigInteger),
    Column("created_us", BigInteger, nullable=False),
    CheckConstraint("unit_price >= 0 AND quantum > 0", name="price"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("programme_id", Text, ForeignKey("programmes.id"), nullable=False),
    Column("funders", Json, nullable=False),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_until_us", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expired", Boolean, nullable=False),
    Column("resources", Texts, nullable=False),
    Column("backends", Texts, nullable=False),
    Column("members", Texts, nullable=False),
    CheckConstraint("amount >= 0", name="amount"),
    Index("grants_by_project", "project_id"),
    Index("grants_by_end", "valid_until_us"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("balance", BigInteger, nullable=False),
    # The ledger never overdraws these; should it ever try, the transaction fails instead of the books.
    CheckConstraint(
        "balance >= 0 OR substr(account, 1, 7) = 'funder/' OR substr(account, 1, 6) = 'payer/' "
        "OR account = 'facility/overrun'",
        name="balance",
    ),
)

claims = Table(
    "claims",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("claimed", BigInteger, nullable=False),
    CheckConstraint("claimed >= 0", name="claimed"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("project_id", Text, ForeignKey("projects.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("most", BigInteger, nullable=False),
)

quotes = Table(
    "quotes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("work_hash", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("body", Json, nullable=False),
    Index("quotes_by_end", "expires_us"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_us", BigInteger),
    Index("requests_by_state", "state", "asked_us"),
)

entries = Table(
    "entries",
    metadata,
    # Counted by us, from 1 and without a gap; `hash` is ledger.chain's, over all columns and the hash before.
    Column("seq", Serial, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("project_id", Text),
    Column("job_id", Text),
    Column("grant_id", Text),
    Column("programme_id", Text),
    Column("claims", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("entries_by_project", "project_id", "at_us"),
    Index(
        "entries_by_job",
        "job_id",
        sqlite_where=text("job_id IS NOT NULL"),
        postgresql_where=text("job_id IS NOT NULL"),
    ),
    Index("entries_by_programme", "programme_id"),
)

postings = Table(
    "postings",
    metadata,
    Column("seq", Serial, ForeignKey("entries.seq"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("asset", Text, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
    sqlite_with_rowid=False,
)

# The one row says where the chain ends. Whoever records entries locks it before any balance, so the chain is one.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # The complete subtrees of the tree over all entries, the largest first, 32 bytes each.
    Column("frontier", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

# Complete nodes of the tree, from the level that store.chain stores on; those below follow from a few entries.
merkle_nodes = Table(
    "merkle_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

closes = Table(
    "closes",
    metadata,
    Column("month", Text, primary_key=True),
    Column("until_us", BigInteger, nullable=False),
    # The last entry that it covers: what is posted later belongs to a later month, whatever its instant says.
    Column("last_seq", BigInteger, nullable=False),
    Column("closed_us", BigInteger, nullable=False),
    Column("closed_by", Text, nullable=False),
    # Canonical JSON, and its SHA-256 (`ledger.periods`).
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    # As the entries have them (`ledger.hold_text`): what it consists of, and what was captured of it.
    Column("body", Text, nullable=False),
    Column("capture", Text, nullable=False),
    Column("claims", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("overrun", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    CheckConstraint("amount >= 0", name="amount"),
    Index("holds_by_project", "project_id", "created_us"),
    Index("holds_open", "project_id", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("member_id", Text, ForeignKey("members.id"), nullable=False),
    Column("primitive", Text, nullable=False),
    Column("name", Text),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("backend_asked", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("tags", Texts, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("work_hash", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("time_limit_us", BigInteger, nullable=False),
    Column("max_cost", BigInteger),
    Column("estimate_us", BigInteger, nullable=False),
    Column("quote", Json, nullable=False),
    Column("findings", Json, nullable=False),
    Column("result_hash", Text),
    Column("result_size", BigInteger),
    Column("problem", Json),
    Column("usage", Json),
    Column("receipt", Json),
    Column("cancel_requested_us", BigInteger),
    Column("category", Text, nullable=False),
    Index("jobs_by_time", "created_us", "id"),
    Index("jobs_by_project", "project_id", "created_us", "id"),
    Index("jobs_by_state", "project_id", "state", "created_us", "id"),
    Index(
        "jobs_by_key",
        "project_id",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key IS NOT NULL"),
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    # The collector asks whether any job refers to a blob.
    Index("jobs_by_work", "work_hash"),
    Index(
        "jobs_by_result",
        "result_hash",
        sqlite_where=text("result_hash IS NOT NULL"),
        postgresql_where=text("result_hash IS NOT NULL"),
    ),
    # Small however many jobs have ended; `estimate_us` in it makes the backlog a sum over the index alone.
    Index(
        "jobs_open",
        "state",
        "estimate_us",
        sqlite_where=text("ended_us IS NULL"),
        postgresql_where=text("ended_us IS NULL"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("leased_us", BigInteger, nullable=False),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("lease_until_us", BigInteger, nullable=False),
    Column("failure", Json),
    Index("attempts_by_job", "job_id", "number"),
    Index("attempts_by_token", "token", unique=True),
    Index(
        "attempts_open",
        "worker_id",
        "token",
        sqlite_where=text("ended_us IS NULL"),
        postgresql_where=text("ended_us IS NULL"),
    ),
)

history = Table(
    "history",
    metadata,
    Column("seq", Serial, primary_key=True),
    # A step of a job; or a notice about a project, which has no job and no version.
    Column("job_id", Text),
    Column("project_id", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", Integer),
    Column("notice", Json),
    CheckConstraint("(job_id IS NULL) = (notice IS NOT NULL)", name="subject"),
    Index("history_by_job", "job_id", "version", unique=True),
    Index("history_by_project", "project_id", "seq"),
    sqlite_autoincrement=True,
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Json, nullable=False),
    sqlite_autoincrement=True,
)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("pipeline", Integer, nullable=False),
    Column("backends", Texts, nullable=False),
    Column("state", Text, nullable=False),
    Column("joined_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("bytes", LargeBinary),
    # The last time somebody stored these bytes: collection goes by it, so a blob put anew is never collected.
    Column("created_us", BigInteger, nullable=False),
    Index("blobs_by_time", "created_us"),
)

inspections = Table(
    "inspections",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("findings", Json, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("usage", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

backends = Table(
    "backends",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

engines = Table(
    "engines",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Column("compared", BigInteger, nullable=False),
    Column("disagreed", BigInteger, nullable=False),
)

disagreements = Table(
    "disagreements",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("finding", Json, nullable=False),
    sqlite_autoincrement=True,
)

leader = Table(
    "leader",
    metadata,
    Column("name", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Json, nullable=False),
    sqlite_autoincrement=True,
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
)
