"""The rows of the table of problems about prices, quotes, grants and wallets."""

from __future__ import annotations

from api.problem import Problem

MONEY = (
    Problem(
        "job_too_long",
        422,
        "The job needs longer than its time limit",
        "The expected run time is above the time limit, so the job would be stopped, and charged, before its end.",
        "Set a longer `time_limit_s`, ask for fewer shots or parameter sets, or split the work into several jobs.",
    ),
    Problem(
        "cost_limit",
        422,
        "The job may cost more than max_cost",
        "The most that this job can be charged is above the limit you set.",
        "Raise `max_cost`, ask for fewer shots, or set a shorter `time_limit_s`.",
    ),
    Problem(
        "no_grant",
        402,
        "The project has no grant",
        "Jobs are paid from grants, and the project has none.",
        "Apply to a programme; an operator issues grants.",
    ),
    Problem(
        "grant_not_started",
        402,
        "The project's grant has not started",
        "The project's grants are valid from a later day.",
        "Submit from that day on.",
    ),
    Problem(
        "grant_expired",
        402,
        "The time of the grant is over",
        "The project's grants, or the grant that is named, have expired.",
        "Ask an operator for a new grant.",
    ),
    Problem(
        "wallet_short",
        402,
        "The wallet has too little",
        "The project's own money does not cover its share of the price, or what is to be paid out.",
        "Pay into the wallet, submit a smaller job, or ask for a grant that pays a larger share.",
    ),
    Problem(
        "budget_exhausted",
        402,
        "The project's own budget does not cover this job",
        "An admin of the project has set a limit for this member or tag, and the job may cost more than is left of it.",
        "Submit a smaller job, or ask an admin of the project to raise the budget.",
    ),
    Problem(
        "quote_unknown",
        422,
        "There is no such quote",
        "The quote was never given to this project, or is long gone.",
        "Ask for a new quote, or submit without one.",
    ),
    Problem(
        "quote_expired",
        409,
        "The quote has expired",
        "A quote is honoured for a limited time.",
        "Ask for a new quote, or submit without one at today's price.",
    ),
    Problem(
        "quote_mismatch",
        422,
        "The quote was given for another job",
        "A quote is honoured for the same circuits, backend, time limit and category.",
        "Submit what was quoted, or ask for a new quote.",
    ),
    Problem(
        "grant_exhausted",
        402,
        "The grants do not cover this",
        "What is available is less than the most that the job can be charged, or than what is to be taken back.",
        "Wait for running jobs to give back what they do not use, submit a smaller job, or ask for another grant.",
    ),
    Problem(
        "programme_exhausted",
        402,
        "The programme's budget does not cover this grant",
        "What is left of the programme's budget is less than the grant, or than its increase.",
        "Give less, or raise the programme's budget.",
    ),
    Problem(
        "transfer_mismatch",
        422,
        "The grants do not belong together",
        "A transfer goes between two grants of one programme in one asset.",
        "Name two such grants; between programmes a claw-back and a new grant do it.",
    ),
    Problem(
        "hold_not_settled",
        409,
        "The job has nothing to correct",
        "Only what has been settled can be corrected; this job is under way, or was not charged.",
        "Wait for the end of a job that is under way; one that cost nothing needs no correction.",
    ),
    Problem(
        "correction_raises",
        422,
        "A correction only gives back",
        "The corrected usage is more than what was settled.",
        "Give the usage that is right, at most what was settled of each resource.",
    ),
    Problem(
        "second_operator_needed",
        403,
        "Another operator must approve",
        "Whoever asked for an act on money cannot approve it.",
        "Have another operator approve the request.",
    ),
    Problem(
        "request_closed",
        409,
        "The request has been decided",
        "It has been approved or refused already.",
        "Ask anew if it is still wanted.",
    ),
)

MONTHS = (
    Problem(
        "month_closed",
        409,
        "The month is closed",
        "A month is closed once; its balances are final.",
        "Nothing is left to do; `GET /v1/closes` shows its totals.",
    ),
    Problem(
        "month_not_over",
        409,
        "The month is not over",
        "A month can be closed once its last instant, by the facility's clocks, has passed.",
        "Close it after the instant `until_us`.",
    ),
    Problem(
        "month_out_of_order",
        409,
        "Another month comes first",
        "Months are closed one after the other, from the first entry of the books on.",
        "Close the month named in `next` first.",
    ),
)
