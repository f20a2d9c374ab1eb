"""Quotes that a job may name: honoured for the same work on the same terms until they expire."""

from __future__ import annotations

from dispatcher.model import Refusal, Submission
from ledger.model import in_words
from store.rows import QuoteRow


def honoured(
    row: QuoteRow | None, submission: Submission, project_id: str, work_hash: str, now_us: int
) -> QuoteRow | Refusal:
    """The quote, if it was given for just this job.

    Refusals: quote_unknown, quote_expired, quote_mismatch, cost_limit.
    """
    quote_id = submission.quote_id
    if row is None or row.project_id != project_id:
        return Refusal("quote_unknown", f"There is no quote {quote_id}. Ask for a new one.", {"quote_id": quote_id})
    if row.expires_us <= now_us:
        detail = f"Quote {quote_id} has expired. Ask for a new one, or submit without a quote at today's price."
        return Refusal("quote_expired", detail, {"quote_id": quote_id, "expires_us": row.expires_us})
    asked = [submission.backend, submission.time_limit_us, submission.category]
    if row.work_hash != work_hash or row.body["asked"] != asked:
        detail = (
            f"Quote {quote_id} was given for other work, another backend, time limit or category. "
            "Submit what was quoted, or ask for a new quote."
        )
        return Refusal("quote_mismatch", detail, {"quote_id": quote_id})
    ceiling, asset = row.body["quote"]["ceiling"]["micro"], row.body["quote"]["ceiling"]["asset"]
    if submission.max_cost is not None and ceiling > submission.max_cost:
        detail = (
            f"Quote {quote_id} has a ceiling of {in_words(ceiling, asset)} and max_cost is "
            f"{in_words(submission.max_cost, asset)}. Raise max_cost."
        )
        return Refusal("cost_limit", detail, {"ceiling": ceiling, "max_cost": submission.max_cost, "asset": asset})
    return row
