"""Where a job would run if it were submitted now, and why not elsewhere: every backend's verdict, the router's plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.catalogue import Weighed, feasible, weighed
from backends.findings import Findings
from backends.rejected import Rejection
from dispatcher.admission import refused
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal, Submission
from dispatcher.times import times_of
from workers.inspector import InspectorUnavailable


class Routing:
    """Asks; reserves, prices and writes nothing."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def route(self, caller: Caller, submission: Submission) -> Mapping[str, Any] | Refusal:
        """As {"asked", "backend", "refusal", "memory_mib", "backends": [...], "ideal": {...}, "findings": {...}}.

        `refusal` is what the job would get before money is looked at: unknown_backend, backend_infeasible,
        option_invalid, job_too_long. Refusals of its own: not_found (project), every code of the
        inspector, unavailable.
        """
        rules, project_id = self._ground.rules, submission.project_id
        if project_id is not None and not caller.sees(project_id):
            return Refusal("not_found", f"There is no project {project_id}.", {"project_id": project_id})
        try:
            found = self._ground.inspector.routes(submission.work)
        except InspectorUnavailable as closed:
            return Refusal("unavailable", f"Circuits cannot be inspected now: {closed}.", {"retry_after_s": 5})
        if isinstance(found, Rejection):
            return refused(found)
        findings = Findings.from_json(found.document["findings"])
        chosen = feasible(findings, submission.backend, rules.memory_mib, rules.devices)
        times = refused(chosen) if isinstance(chosen, Rejection) else times_of(rules, submission, chosen[0], findings)
        refusal = times if isinstance(times, Refusal) else None
        return {
            "asked": submission.backend,
            "backend": None if refusal is not None or isinstance(chosen, Rejection) else chosen[0],
            "refusal": refusal,
            "memory_mib": rules.memory_mib,
            "backends": [_verdict(one) for one in weighed(findings, rules.memory_mib, rules.devices)],
            "ideal": found.document["ideal"],
            "findings": found.document["findings"],
        }


def _verdict(one: Weighed) -> dict[str, Any]:
    if one.obstacle is not None:
        return {"backend": one.backend, "takes_it": False, "estimate_us": None, "why": one.obstacle.detail}
    return {"backend": one.backend, "takes_it": True, "estimate_us": one.estimate_us, "why": None}
