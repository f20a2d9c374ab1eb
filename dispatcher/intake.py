"""Admission: inspect → route → quote → ledger hold → job, all or nothing; or a refusal that leaves no trace.

A whole batch shares one inspection round trip and one commit. Idempotency is decided inside the commit, where the
single writer makes a retry that overtakes its first try see the first try's job.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backends.catalogue import feasible, qpu_us
from backends.findings import Findings
from backends.rejected import Rejection
from dispatcher.admission import Accepted, Admission, Agreed, Plan, refused, same_or_conflict
from dispatcher.claims import rates_for
from dispatcher.ground import Ground
from dispatcher.inbox import cancel_requested
from dispatcher.model import Caller, Refusal, Submission
from dispatcher.pricing import pinned_quote, quote_of
from dispatcher.promises import honoured
from dispatcher.times import times_of
from ledger.model import in_words
from ledger.rates import RateLine
from ledger.terms_json import terms_from_json, terms_to_json
from store import identity, inbox, inspections, jobs, quotes, rate_lines, workers
from store.blobs import hash_of
from store.database import Connection
from store.rows import JobChange, JobRow, QuoteRow
from workers.inspector import InspectorUnavailable

ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """What a job would cost, who would pay it, and how long it would wait (µs), if it were submitted now.

    The price and the terms are honoured for the same work until `expires_us` when the job names `quote_id`. `refusal`
    is what the ledger would say now: no payer for a part of it, or a budget of the project that has too little left.
    """

    quote: Mapping[str, Any]
    backend: str
    wait_us: int
    findings: Mapping[str, Any]
    quote_id: str
    expires_us: int
    payers: Sequence[Mapping[str, Any]]
    missing: int
    refusal: Refusal | None = None


class Intake:
    """Submit, quote and cancel."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def submit(self, caller: Caller, submissions: Sequence[Submission]) -> list[Accepted | Refusal]:
        """Admit each submission or say why not; answers stand in the order of the submissions. Blocks until durable.

        Refusals: forbidden, not_found (project), idempotency_conflict, every code of the inspector, unknown_backend,
        backend_infeasible, cost_limit, quote_unknown, quote_expired, quote_mismatch, queue_full, and the ledger's
        (budget_exhausted … grant_exhausted).
        """
        answers: list[Accepted | Refusal | None] = [None] * len(submissions)
        waiting: list[int] = []
        known = self._known_keys(caller, submissions)
        for index, submission in enumerate(submissions):
            project_id = self._project_of(caller, submission)
            if isinstance(project_id, Refusal):
                answers[index] = project_id
            elif (earlier := known.get((project_id, submission.idempotency_key or ""))) is not None:
                answers[index] = same_or_conflict(earlier, submission)
            else:
                waiting.append(index)
        plans = self._plans(caller, [submissions[index] for index in waiting])
        admitted: list[tuple[int, Plan]] = []
        for index, plan in zip(waiting, plans, strict=True):
            if isinstance(plan, Refusal):
                answers[index] = plan
            else:
                admitted.append((index, plan))
        if admitted:
            # Files of large payloads are written and fsynced before anybody waits for the one writer.
            for _, plan in admitted:
                self._ground.blobs.stage(plan.submission.work)
            written = self._ground.database.writer.run(lambda conn: self._admit(conn, caller, [p for _, p in admitted]))
            for (index, _), answer in zip(admitted, written, strict=True):
                answers[index] = answer
        return [answer for answer in answers if answer is not None]

    def quote(self, caller: Caller, submissions: Sequence[Submission]) -> list[QuoteAnswer | Refusal]:
        """Price, payers and expected waiting time of each submission, as of now. Reserves nothing, promises the price.

        Refusals: those of `submit` but for queue_full, idempotency, quotes and means: what has no payer is `missing`.
        """
        answers: list[QuoteAnswer | Refusal] = []
        refusals = [self._project_of(caller, submission) for submission in submissions]
        if any(isinstance(refusal, Refusal) for refusal in refusals):
            other = Refusal("forbidden", "Another quote of this request was refused.")
            return [refusal if isinstance(refusal, Refusal) else other for refusal in refusals]
        # A quote is today's price: one that named an older quote would keep yesterday's alive for ever.
        plans = self._plans(caller, [replace(submission, quote_id=None) for submission in submissions])
        now = self._ground.now_us()
        given: list[QuoteRow] = []
        with self._ground.database.read() as conn:
            waiting_count, backlog = jobs.backlog_us(conn)
            slots = self._slots(conn)
            wait_us = backlog // max(1, slots) if waiting_count else 0
            projects = {plan.project_id for plan in plans if isinstance(plan, Plan)}
            admission = Admission.over(conn, caller, now, self._ground, projects)
            for plan in plans:
                if isinstance(plan, Refusal):
                    answers.append(plan)
                    continue
                row = self._promise(plan, admission, now)
                given.append(row)
                payers, missing, refusal = admission.preview(plan)
                terms = plan.terms
                shown = (terms.quote, terms.backends[0], wait_us, terms.findings, row.id, row.expires_us)
                answers.append(QuoteAnswer(*shown, payers, missing, refusal))
        if given:
            self._ground.database.writer.run(lambda conn: quotes.insert_quotes(conn, given))
        return answers

    def _promise(self, plan: Plan, admission: Admission, now: int) -> QuoteRow:
        """The quote to be kept: the price, and the terms of every programme of the project as they are now."""
        asked = plan.submission
        body = {
            "quote": dict(plan.terms.quote),
            "backends": list(plan.terms.backends),
            "estimate_us": plan.terms.estimate_us,
            "time_limit_us": plan.terms.time_limit_us,
            "asked": [asked.backend, asked.time_limit_us, asked.category],
            "terms": [terms_to_json(terms) for terms in admission.terms_of(plan)],
        }
        expires_us = now + self._ground.rules.quote_valid_us
        return QuoteRow(self._ground.new_id("qte"), plan.project_id, plan.work_hash, now, expires_us, body)

    def cancel(self, caller: Caller, job_id: str) -> JobRow | Refusal:
        """Ask for the job's end; asking again is no error. Refusals: not_found, forbidden, job_ended."""
        if caller.role == "auditor":
            return Refusal("forbidden", "An auditor reads everything and changes nothing.", {"role": caller.role})
        now = self._ground.now_us()

        def unit(conn: Connection) -> JobRow | Refusal:
            job = jobs.get_job(conn, job_id, caller.project_id)
            if job is None:
                return Refusal("not_found", f"There is no job {job_id}.", {"job_id": job_id})
            if job.state in ENDED:
                if job.state == "cancelled":
                    return job
                return Refusal("job_ended", f"Job {job_id} has already {job.state}.", {"state": job.state})
            if job.cancel_requested_us is None:
                state = "cancelling" if job.state == "running" else job.state
                change = JobChange(job_id, now, state, "cancel requested", cancel_requested_us=now)
                jobs.advance(conn, [change])
                inbox.append(conn, [cancel_requested(now, job_id)])
            return jobs.get_job(conn, job_id, None) or job

        return self._ground.database.writer.run(unit)

    def _slots(self, conn: Connection) -> int:
        return sum(worker.slots for worker in workers.list_workers(conn) if worker.state == "up")

    def _project_of(self, caller: Caller, submission: Submission) -> str | Refusal:
        if caller.role == "auditor":
            return Refusal("forbidden", "An auditor reads everything and changes nothing.", {"role": caller.role})
        project_id = submission.project_id or caller.project_id
        if project_id is None:
            return Refusal(
                "invalid_request",
                "An operator's job needs a project: name one in project_id (qubator: --project ID).",
                {},
            )
        if not caller.sees(project_id) or (caller.project_id is None and not self._there_is(project_id)):
            return Refusal("not_found", f"There is no project {project_id}.", {"project_id": project_id})
        return project_id

    def _there_is(self, project_id: str) -> bool:
        with self._ground.database.read() as conn:
            return identity.get_project(conn, project_id) is not None

    def _known_keys(self, caller: Caller, submissions: Sequence[Submission]) -> dict[tuple[str, str], JobRow]:
        wanted: dict[str, list[str]] = {}
        for submission in submissions:
            project_id = submission.project_id or caller.project_id
            if submission.idempotency_key is not None and project_id is not None and caller.sees(project_id):
                wanted.setdefault(project_id, []).append(submission.idempotency_key)
        if not wanted:
            return {}
        found: dict[tuple[str, str], JobRow] = {}
        with self._ground.database.read() as conn:
            for project_id, keys in wanted.items():
                for key, job in jobs.find_idempotent(conn, project_id, keys).items():
                    found[project_id, key] = job
        return found

    def _plans(self, caller: Caller, submissions: Sequence[Submission]) -> list[Plan | Refusal]:
        hashes = [hash_of(s.work) for s in submissions]
        kept: dict[str, Findings] = {}
        if hashes:
            with self._ground.database.read() as conn:
                documents = inspections.get_many(conn, sorted(set(hashes)))
            for work_hash, document in documents.items():
                with contextlib.suppress(KeyError, TypeError):  # measured by another version: measure again
                    kept[work_hash] = Findings.from_json(document)
        missing = {h: s.work for h, s in zip(hashes, submissions, strict=True) if h not in kept}
        measured: dict[str, Findings | Rejection] = {}
        if missing:
            try:
                found_now = self._ground.inspector.inspect(list(missing.values()))
            except InspectorUnavailable as closed:
                busy = Refusal("unavailable", f"Circuits cannot be inspected now: {closed}.", {"retry_after_s": 5})
                return [busy] * len(submissions)
            measured = dict(zip(missing, found_now, strict=True))
        with self._ground.database.read() as conn:
            card = rate_lines.all_lines(conn)
            promised = quotes.get_quotes(conn, {s.quote_id for s in submissions if s.quote_id is not None})
        now = self._ground.now_us()
        # The jobs of a batch are often alike but for their angles: each kind is routed and priced once.
        agreed: dict[tuple[Findings, str, int | None, int | None], Agreed | Refusal] = {}
        plans: list[Plan | Refusal] = []
        for work_hash, submission in zip(hashes, submissions, strict=True):
            found = measured.get(work_hash)
            if isinstance(found, Rejection):
                plans.append(refused(found))
                continue
            findings = found if found is not None else kept[work_hash]
            project_id = submission.project_id or caller.project_id
            assert project_id is not None
            if submission.quote_id is not None:
                quoted = honoured(promised.get(submission.quote_id), submission, project_id, work_hash, now)
                if isinstance(quoted, QuoteRow):
                    pinned = tuple(terms_from_json(document) for document in quoted.body["terms"])
                    plans.append(
                        Plan(submission, project_id, _quoted(quoted, findings), work_hash, found is not None, pinned)
                    )
                else:
                    plans.append(quoted)
                continue
            kind = (findings, submission.backend, submission.time_limit_us, submission.max_cost)
            terms = agreed.get(kind)
            if terms is None:
                terms = agreed[kind] = self._terms(submission, findings, card, now)
            if isinstance(terms, Refusal):
                plans.append(terms)
                continue
            plans.append(Plan(submission, project_id, terms, work_hash, found is not None))
        return plans

    def _terms(
        self, submission: Submission, findings: Findings, card: Sequence[RateLine], now: int
    ) -> Agreed | Refusal:
        """Where the job would run, for how long and at what price, or why not. Reads no more than the kind of job."""
        rules = self._ground.rules
        candidates = feasible(findings, submission.backend, rules.memory_mib, rules.devices)
        if not isinstance(candidates, tuple):
            return Refusal(candidates.code, candidates.detail, dict(candidates.fields))
        times = times_of(rules, submission, candidates[0], findings)
        if isinstance(times, Refusal):
            return times
        estimate, limit = times
        rates = rates_for(rules, card, candidates[0], now)
        billed = qpu_us(candidates[0], findings)
        shots = findings.shots if billed is None else sum(circuit.sampled for circuit in findings.circuits)
        quote = quote_of(rules, rates, estimate, limit, shots, findings.result_bytes, billed)
        ceiling = quote["ceiling"]["micro"]
        if submission.max_cost is not None and ceiling > submission.max_cost:
            return Refusal(
                "cost_limit",
                f"This job may cost up to {in_words(ceiling, rules.asset)} and max_cost is "
                f"{in_words(submission.max_cost, rules.asset)}. "
                "Raise max_cost, lower the shots, or set a shorter time_limit_s.",
                {"ceiling": ceiling, "max_cost": submission.max_cost, "asset": rules.asset},
            )
        return Agreed(findings.to_json(), candidates, estimate, limit, quote, pinned_quote(quote).ceiling.lines)

    def _admit(self, conn: Connection, caller: Caller, plans: Sequence[Plan]) -> list[Accepted | Refusal]:
        now = self._ground.now_us()
        admission = Admission.over(conn, caller, now, self._ground, {plan.project_id for plan in plans})
        keys: dict[str, list[str]] = {}
        for plan in plans:
            if plan.submission.idempotency_key is not None:
                keys.setdefault(plan.project_id, []).append(plan.submission.idempotency_key)
        for project_id, wanted in keys.items():
            for key, job in jobs.find_idempotent(conn, project_id, wanted).items():
                admission.known[project_id, key] = job
        answers = [admission.take(plan) for plan in plans]
        admission.write()
        return answers


def _quoted(row: QuoteRow, findings: Findings) -> Agreed:
    """The terms of a job as they were promised."""
    body, quote = row.body, row.body["quote"]
    backends = tuple(body["backends"])
    times = (body["estimate_us"], body["time_limit_us"])
    return Agreed(findings.to_json(), backends, *times, quote, pinned_quote(quote).ceiling.lines)
