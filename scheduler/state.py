"""Everything the scheduler remembers, the moves that keep it consistent, and the views the shell may read."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from scheduler import waiting
from scheduler.events import BackendState, TaskSpec
from scheduler.lane import Lane, rank_of
from scheduler.model import Attempt, Demand, Project, Task, Worker
from scheduler.policy import Policy
from scheduler.ranking import Ranking
from scheduler.usage import Scale


class State:
    """The scheduler's memory. `step` alone changes it; read it through the views at the top.

    `next_token` is the first fencing token to give out: one more than any given before in the life of the service.
    """

    __slots__ = (
        "attempts",
        "backend_states",
        "demands",
        "estimate_sum_us",
        "leases",
        "next_sequence",
        "next_token",
        "now_us",
        "projects",
        "ranking",
        "scale",
        "scale_until_us",
        "sleepers",
        "sleeping",
        "tasks",
        "waiting_count",
        "wake_us",
        "workers",
    )

    def __init__(self, next_token: int = 1) -> None:
        self.next_token = next_token
        self.next_sequence = 1
        self.now_us = 0
        self.tasks: dict[str, Task] = {}  # by job: a job has one task
        self.attempts: dict[str, Attempt] = {}
        self.workers: dict[str, Worker] = {}
        self.projects: dict[str, Project] = {}
        self.demands: dict[tuple[tuple[str, ...], int, bool], Demand] = {}
        self.backend_states: dict[str, BackendState] = {}  # those not online
        self.ranking = Ranking()
        self.sleeping: dict[int, Task] = {}  # by rank
        self.sleepers: list[tuple[int, int]] = []  # heap of (not before, rank)
        self.leases: list[tuple[int, int, str]] = []  # heap of (look again at, token, attempt)
        self.waiting_count = 0
        self.estimate_sum_us = 0  # of waiting and sleeping tasks
        self.wake_us: int | None = None
        self.scale = Scale.at(0, Policy().half_life_us)
        self.scale_until_us = 0

    # Views: what the shell may read at any time.

    @property
    def queued_count(self) -> int:
        """How many jobs wait for a place, those that back off included."""
        return self.waiting_count + len(self.sleeping)

    @property
    def running_count(self) -> int:
        """How many attempts are out."""
        return len(self.attempts)

    def backlog_us(self) -> int:
        """The estimates of all queued tasks together, in µs."""
        return self.estimate_sum_us

    def usage_of(self, project_id: str) -> tuple[int, int]:
        """The project's usage in slot-µs, and the moment it was last charged, for which that number holds."""
        project = self.projects.get(project_id)
        if project is None:
            return 0, self.now_us
        return self.scale.usage(project.score, project.charged_us), project.charged_us

    def position(self, job_id: str) -> int | None:
        """The job's place in its project's queue, from 1; None when it is not waiting for a place."""
        task = self.tasks.get(job_id)
        if task is None or task.attempt is not None or task.not_before_us is not None:
            return None
        return 1 + sum(lane.ahead_of(task.rank) for lane in task.project.lanes.values())

    def why_waiting(self, job_id: str) -> str:
        """In plain words, why the job does not run now."""
        return waiting.explain(self, job_id)

    # Moves: each keeps every count and index true. For the scheduler's own modules.

    def project(self, project_id: str) -> Project:
        """The project of this id, new if need be."""
        project = self.projects.get(project_id)
        if project is None:
            project = self.projects[project_id] = Project(project_id, charged_us=self.now_us)
        return project

    def add_task(self, spec: TaskSpec, job_id: str, project_id: str, priority: int, short_task_us: int) -> Task:
        """A new task, next in submission order, in no queue yet."""
        short = spec.slots == 1 and spec.estimate_us <= short_task_us
        wanted = (spec.backends, spec.slots, short)
        demand = self.demands.get(wanted)
        if demand is None:
            demand = self.demands[wanted] = Demand(*wanted)
        demand.tasks += 1
        rank = rank_of(priority, self.next_sequence)
        self.next_sequence += 1
        task = Task(spec, job_id, self.project(project_id), demand, rank, spec.attempts_made)
        for kind in spec.failures:
            count_failure(task, kind)
        self.tasks[job_id] = task
        return task

    def forget_task(self, task: Task) -> None:
        """The task's job has ended; the task is in no queue and held by no attempt."""
        del self.tasks[task.job_id]
        demand = task.demand
        demand.tasks -= 1
        if demand.tasks == 0:
            del self.demands[(demand.backends, demand.slots, demand.short)]

    def enqueue(self, task: Task) -> None:
        """The task waits for a place from now on."""
        project, demand = task.project, task.demand
        lane = project.lanes.get(demand)
        if lane is None:
            lane = project.lanes[demand] = Lane()
        lane.push(task.rank, task)
        demand.waiting += 1
        self.waiting_count += 1
        self.estimate_sum_us += task.spec.estimate_us
        self.ranking.put(project.project_id, project.key())

    def dequeue(self, task: Task) -> None:
        """Take the task out of its lane."""
        project, demand = task.project, task.demand
        lane = project.lanes[demand]
        if lane.first_rank() == task.rank:
            lane.pop()
        else:
            lane.remove(task.rank)
        if not len(lane):
            del project.lanes[demand]
            if not project.lanes and project.project_id in self.ranking:
                self.ranking.drop(project.project_id)
        demand.waiting -= 1
        self.waiting_count -= 1
        self.estimate_sum_us -= task.spec.estimate_us

    def put_to_sleep(self, task: Task, until_us: int, reason: str) -> None:
        """The task waits for a moment before it waits for a place."""
        task.not_before_us = until_us
        task.sleep_reason = reason
        self.sleeping[task.rank] = task
        self.estimate_sum_us += task.spec.estimate_us
        heappush(self.sleepers, (until_us, task.rank))

    def take_from_sleep(self, task: Task) -> None:
        """The task sleeps no longer; it is in no queue afterwards."""
        task.not_before_us = None
        del self.sleeping[task.rank]
        self.estimate_sum_us -= task.spec.estimate_us

    def hold(self, attempt: Attempt) -> None:
        """The attempt takes its place on its worker, and its timer starts."""
        task, worker = attempt.task, attempt.worker
        task.attempt = attempt
        self.attempts[attempt.attempt_id] = attempt
        worker.attempts[attempt.token] = attempt
        worker.load += task.spec.slots
        if not task.demand.short:
            worker.long_load += task.spec.slots
        self.watch(attempt)

    def release(self, attempt: Attempt, used_us: int, at_us: int) -> None:
        """The attempt gives its place back, and its project is charged what was used in place of the estimate."""
        task, worker = attempt.task, attempt.worker
        task.attempt = None
        del self.attempts[attempt.attempt_id]
        del worker.attempts[attempt.token]
        worker.load -= task.spec.slots
        if not task.demand.short:
            worker.long_load -= task.spec.slots
        worker.excused = min(worker.excused, worker.load)
        self.charge(task.project, self.scale.score(used_us * task.spec.slots, at_us) - attempt.charge)

    def charge(self, project: Project, score: int) -> None:
        """Add to a project's usage (or take from it) as of now."""
        project.score = max(0, project.score + score)
        project.charged_us = self.now_us
        if project.project_id in self.ranking:
            self.ranking.put(project.project_id, project.key())

    def rank(self, project: Project) -> None:
        """Rank the project by its present usage and weight, if it has anything waiting."""
        if project.lanes:
            self.ranking.put(project.project_id, project.key())

    def watch(self, attempt: Attempt) -> None:
        """Look at the attempt again when its lease ends or its time is up, whichever is first."""
        due_us = attempt.lease_until_us
        if attempt.stop_by_us is not None and attempt.revoked is None:
            due_us = min(due_us, attempt.stop_by_us)
        heappush(self.leases, (due_us, attempt.token, attempt.attempt_id))

    def watched(self, entry: tuple[int, int, str]) -> Attempt | None:
        """The attempt a timer is for, unless that is over."""
        attempt = self.attempts.get(entry[2])
        return attempt if attempt is not None and attempt.token == entry[1] else None

    def next_timer_us(self) -> int | None:
        """When the next timer is due; timers nobody needs any more are swept away on the way."""
        leases, sleepers = self.leases, self.sleepers
        while leases and self.watched(leases[0]) is None:
            heappop(leases)
        while sleepers and not self._sleeps(sleepers[0]):
            heappop(sleepers)
        if not leases:
            return sleepers[0][0] if sleepers else None
        return min(leases[0][0], sleepers[0][0]) if sleepers else leases[0][0]

    def _sleeps(self, entry: tuple[int, int]) -> bool:
        task = self.sleeping.get(entry[1])
        return task is not None and task.not_before_us == entry[0]

    def due_sleeper(self, now_us: int) -> Task | None:
        """A task whose sleep is over, if there is one; its timer is spent."""
        while self.sleepers and self.sleepers[0][0] <= now_us:
            entry = heappop(self.sleepers)
            if self._sleeps(entry):
                return self.sleeping[entry[1]]
        return None

    def sweep_leases(self) -> None:
        """Drop timers of ended attempts when they outnumber the others."""
        if len(self.leases) > 4 * len(self.attempts) + 1024:
            self.leases = [entry for entry in self.leases if self.watched(entry) is not None]
            heapify(self.leases)

    def rescale(self, half_life_us: int) -> None:
        """Move every score to a scale based at the present; called when half-lives have passed or have changed."""
        old, new = self.scale, Scale.at(self.now_us, half_life_us)
        for project in self.projects.values():
            project.score = old.moved(project.score, new, self.now_us)
        for attempt in self.attempts.values():
            attempt.charge = old.moved(attempt.charge, new, self.now_us)
        self.scale, self.scale_until_us = new, new.until_us()
        for project_id in self.ranking.standings():
            self.ranking.put(project_id, self.projects[project_id].key())


def count_failure(task: Task, kind: str) -> None:
    """Count one failure of a kind that may be tried again."""
    if kind == "fault":
        task.faults += 1
    elif kind == "lost":
        task.losses += 1
    elif kind == "crash":
        task.crashes += 1
