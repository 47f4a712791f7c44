"""Derives pipeline runs, deployments, incidents and releases from the demo's merges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from demo.plan.delivery import (
    Account,
    Attempt,
    Commit,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    EventKind,
    Incident,
    Job,
    Outcome,
    PipelineRun,
    PullRequest,
    Release,
    Repository,
    Urgency,
    Workflow,
)
from demo.plan.delivery_stories import DeliveryEffect, effects_on, together
from demo.plan.people import MOBILE, TOOLING
from demo.plan.pull_requests import weeks_before_end
from demo.plan.repositories import DemoRepository
from demo.plan.year import DemoYear

_USUAL_MINUTES = 6.0
_FLAKY_CHANCE, _RED_CHANCE = 0.025, 0.16  # of the last run of a pull request, and of those before
_FAILURE_CHANCE = 0.06  # that a deployment to production fails, or breaks something
_SEEN_AT_ONCE = 0.6  # of failures: the deployment itself says so; users notice the others
_ROLLBACK_CHANCE = 0.6
_GATHERED_HOURS = 5.0  # merges within that many hours are deployed together
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Delivered:
    runs: list[PipelineRun] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)


def delivery_of(
    year: DemoYear,
    planned: DemoRepository,
    repository: Repository,
    pull_requests: Sequence[PullRequest],
    commits: Mapping[str, Commit],
    *,
    first_id: int,
) -> Delivered:
    """Plan the deployments and incidents of one repository until the year's end; ids count from `first_id`."""
    pipeline = _Pipeline(year, planned, repository, commits, first_id)
    for pull_request in pull_requests:
        pipeline.check(pull_request)
    merges = [
        _Merge(happening.at, commits[happening.sha], happening.by)
        for merged_pull_request in pull_requests
        for happening in merged_pull_request.happenings
        if happening.did is EventKind.MERGED
    ]
    pipeline.roll_out(sorted(merges, key=lambda merge: merge.at))
    return pipeline.delivered


@dataclass(slots=True)
class _Share:
    """Takes one item of every so many, evenly spread: random choice would give a small team another share."""

    due: float = 0.0  # of the next one: with 1 it is taken

    def takes(self, chance: float) -> bool:
        self.due += chance
        if self.due < 1:
            return False
        self.due -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Merge:
    at: datetime
    commit: Commit
    by: Account | None


class _Pipeline:
    """The repository's workflows and environments while its year is played."""

    def __init__(
        self,
        year: DemoYear,
        planned: DemoRepository,
        repository: Repository,
        commits: Mapping[str, Commit],
        first_id: int,
    ) -> None:
        self.delivered = Delivered()
        self._year, self._planned, self._repository, self._commits = year, planned, repository, commits
        self._rng = Random(f"{year.seed}/{repository.name}/delivery")  # noqa: S311 - a demo, not a secret
        self._next_id = first_id
        self._checks = Workflow(repository.id * 10 + 1, "CI", ".github/workflows/ci.yml")
        self._deploys = Workflow(repository.id * 10 + 2, "Deploy to production", ".github/workflows/deploy.yml")
        self._flaky, self._failing, self._seen_at_once = _Share(), _Share(), _Share(_SEEN_AT_ONCE)
        self._counts = {self._checks: 0, self._deploys: 0}

    # Checks of pull requests ------------------------------------------------------------------------------------

    def check(self, pull_request: PullRequest) -> None:
        """Run the workflow when the pull request is opened and at each push to it."""
        pushes = [(pull_request.created_at, pull_request.commits[-1])]
        pushes += [
            (happening.at, happening.commits[-1])
            for happening in pull_request.happenings
            if happening.did in (EventKind.PUSHED, EventKind.FORCE_PUSHED)
        ]
        for position, (at, commit) in enumerate(pushes):
            self._check(pull_request, at, commit, is_last=position == len(pushes) - 1)

    def _check(self, pull_request: PullRequest, at: datetime, commit: Commit, *, is_last: bool) -> None:
        effect = self._effect(at)
        flaky = effect.flaky_runs if effect.flaky_runs is not None else _FLAKY_CHANCE
        started_at = at + timedelta(seconds=self._rng.randrange(2, 9))
        outcomes = [Outcome.SUCCESS]
        if self._flaky.takes(flaky):
            outcomes = [Outcome.FAILURE, Outcome.SUCCESS]
        elif not is_last and self._rng.random() < _RED_CHANCE:
            outcomes = [Outcome.FAILURE]
        elif not is_last and self._rng.random() < 0.05:
            outcomes = [Outcome.CANCELLED]
        self._run(
            self._checks,
            trigger="pull_request",
            commit=commit,
            branch=pull_request.source_branch,
            by=pull_request.author,
            at=started_at,
            outcomes=outcomes,
            jobs=("lint", "test", "build"),
            pull_request=pull_request.number,
        )

    def _run(
        self,
        workflow: Workflow,
        *,
        trigger: str,
        commit: Commit,
        branch: str,
        by: Account | None,
        at: datetime,
        outcomes: Sequence[Outcome],
        jobs: Sequence[str],
        pull_request: int | None = None,
    ) -> datetime:
        """Play a run with an attempt for each outcome; when the last one ended."""
        attempts: list[Attempt] = []
        started_at = at
        for number, outcome in enumerate(outcomes, start=1):
            attempts.append(self._attempt(number, started_at, by, outcome, jobs))
            started_at = attempts[-1].finished_at + timedelta(minutes=self._rng.randrange(2, 40))
        if at <= self._year.anchor:
            self._counts[workflow] += 1
            run = PipelineRun(
                id=self._id(),
                number=self._counts[workflow],
                repository=self._repository,
                workflow=workflow,
                trigger=trigger,
                commit=commit,
                branch=branch,
                by=by,
                created_at=at,
                attempts=tuple(attempts),
                pull_request=pull_request,
            )
            self.delivered.runs.append(run)
        return attempts[-1].finished_at

    def _attempt(
        self, number: int, at: datetime, by: Account | None, outcome: Outcome, names: Sequence[str]
    ) -> Attempt:
        """Jobs one after another, each after a wait for a runner; what follows a failed one is skipped."""
        jobs: list[Job] = []
        queued_at, failed = at, False
        failing = len(names) // 2
        for position, name in enumerate(names):
            if failed:
                jobs.append(Job(self._id(), name, queued_at, queued_at, queued_at, Outcome.SKIPPED))
                continue
            wait = self._rng.expovariate(1 / (150.0 if self._planned.team == MOBILE else 9.0))
            usual = _USUAL_MINUTES * self._effect(at).pipeline_factor
            minutes = self._rng.lognormvariate(math.log(usual / len(names)), 0.5)
            started_at = queued_at + timedelta(seconds=1 + int(wait))
            finished_at = started_at + timedelta(seconds=5 + int(60 * minutes))
            failed = outcome is not Outcome.SUCCESS and position == failing
            ended = outcome if failed else Outcome.SUCCESS
            jobs.append(Job(self._id(), name, queued_at, started_at, finished_at, ended))
            queued_at = finished_at
        return Attempt(number, by, at, jobs[-1].finished_at, outcome, tuple(jobs))

    # Rollouts ---------------------------------------------------------------------------------------------------

    def roll_out(self, merges: Sequence[_Merge]) -> None:
        """Deploy to staging and then to production, and occasionally create a release."""
        good: list[Deployment] = []
        releases = 0
        for batch in self._batches(merges):
            at = batch.at + timedelta(minutes=self._rng.randrange(2, 10))
            if self._planned.team == TOOLING:
                self._deploy_by_run(batch, at)
                continue
            staged = self._deploy("staging", batch, at, DeploymentState.SUCCESS)
            at = staged.statuses[-1].at + timedelta(minutes=self._rng.lognormvariate(math.log(35), 0.9))
            live = self._to_production(batch, at, good)
            if live is not None and self._planned.team == MOBILE and len(good) % 3 == 0:
                releases += 1
                self._release(live, releases)
        inactive = _with_inactive(self.delivered.deployments)
        past = (_until(deployment, self._year.anchor) for deployment in inactive)
        self.delivered.deployments = [deployment for deployment in past if deployment is not None]
        known = {deployment.id for deployment in self.delivered.deployments}
        self.delivered.incidents = [
            _as_it_stood(incident, self._year.anchor)
            for incident in self.delivered.incidents
            if incident.started_at <= self._year.anchor and incident.caused_by in known
        ]
        self.delivered.releases = [
            release for release in self.delivered.releases if release.published_at <= self._year.anchor
        ]

    def _batches(self, merges: Sequence[_Merge]) -> Iterator[_Merge]:
        """The last merge of those that are deployed together."""
        usual = 60.0 if self._planned.team == MOBILE else _GATHERED_HOURS
        waiting: _Merge | None = None
        first_at: datetime | None = None
        for merge in merges:
            hours = timedelta(hours=self._effect(merge.at).gathered_hours or usual)
            if waiting is not None and first_at is not None and merge.at - first_at > hours:
                yield waiting
                first_at = None
            waiting, first_at = merge, first_at or merge.at
        if waiting is not None:
            yield waiting

    def _to_production(self, batch: _Merge, at: datetime, good: list[Deployment]) -> Deployment | None:
        """The deployment that is live afterwards, where it is this one; `good` are those that went well so far."""
        effect = self._effect(at)
        chance = effect.deployment_failures if effect.deployment_failures is not None else _FAILURE_CHANCE
        if not self._failing.takes(chance):
            live = self._deploy("production", batch, at, DeploymentState.SUCCESS)
            good.append(live)
            return live
        if self._seen_at_once.takes(_SEEN_AT_ONCE):
            state = DeploymentState.FAILURE if self._rng.random() < 0.8 else DeploymentState.ERROR
            failed = self._deploy("production", batch, at, state)
            again_at = failed.statuses[-1].at + timedelta(minutes=self._rng.randrange(10, 90))
            good.append(self._deploy("production", batch, again_at, DeploymentState.SUCCESS))
            return None
        bad = self._deploy("production", batch, at, DeploymentState.SUCCESS)
        self._incident(bad, batch, good[-1] if good else None)
        return None

    def _incident(self, bad: Deployment, batch: _Merge, before: Deployment | None) -> None:
        """Add the incident that a deployment caused, ended by a rollback or a fix."""
        number = self._id()
        started_at = bad.statuses[-1].at + timedelta(minutes=self._rng.randrange(4, 80))
        mended_at = started_at + timedelta(minutes=self._rng.lognormvariate(math.log(50), 0.8))
        urgency = self._rng.choices((Urgency.CRITICAL, Urgency.HIGH, Urgency.LOW), (0.15, 0.5, 0.35))[0]
        if before is not None and self._rng.random() < _ROLLBACK_CHANCE:
            good = replace(batch, commit=self._commits[before.sha])
            words = f"Roll back to {before.sha[:7]}"
            mended = self._deploy("production", good, mended_at, DeploymentState.SUCCESS, words)
            mended = replace(mended, rollback_of=bad.id, fixes=(number,))
        else:
            mended = self._deploy("production", batch, mended_at, DeploymentState.SUCCESS, "Hotfix: configuration")
            mended = replace(mended, fixes=(number,))
        self.delivered.deployments[-1] = mended
        self.delivered.incidents.append(
            Incident(
                id=number,
                repository=self._repository,
                title=f"{self._repository.name} answers with errors",
                urgency=urgency,
                started_at=started_at,
                acknowledged_at=started_at + timedelta(minutes=self._rng.randrange(1, 15)),
                resolved_at=mended.statuses[-1].at + 5 * _MINUTE,
                caused_by=bad.id,
            )
        )

    def _deploy(
        self, environment: str, batch: _Merge, at: datetime, ends: DeploymentState, words: str = ""
    ) -> Deployment:
        by = batch.by
        at = at.replace(microsecond=0)
        started_at = at + timedelta(seconds=self._rng.randrange(4, 30))
        ended = started_at + timedelta(seconds=int(60 * self._rng.lognormvariate(math.log(4.5), 0.4)))
        moments = ((at, DeploymentState.QUEUED), (started_at, DeploymentState.IN_PROGRESS), (ended, ends))
        deployment = Deployment(
            id=self._id(),
            repository=self._repository,
            environment=environment,
            sha=batch.commit.sha,
            ref=self._repository.default_branch,
            by=by,
            created_at=at,
            statuses=tuple(DeploymentStatus(self._id(), moment, state, by) for moment, state in moments),
            description=words,
            service=self._planned.service,
        )
        self.delivered.deployments.append(deployment)
        return deployment

    def _deploy_by_run(self, batch: _Merge, at: datetime) -> None:
        """Deploy by a workflow run alone, as in repositories that report no deployments to the provider."""
        outcome = Outcome.FAILURE if self._rng.random() < _FAILURE_CHANCE else Outcome.SUCCESS
        self._run(
            self._deploys,
            trigger="push",
            commit=batch.commit,
            branch="main",
            by=batch.by,
            at=at,
            outcomes=[outcome],
            jobs=("build", "deploy"),
        )

    def _release(self, live: Deployment, number: int) -> None:
        at = live.statuses[-1].at + 10 * _MINUTE
        tag = f"v{2 + number // 10}.{number % 10}.0"
        self.delivered.releases.append(
            Release(self._id(), self._repository, tag, f"Version {tag[1:]}", live.sha, live.by, at, at)
        )

    def _effect(self, at: datetime) -> DeliveryEffect:
        return together(effects_on(self._year.flavour, self._planned.team, weeks_before_end(self._year, at)))

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id


def _with_inactive(deployments: Sequence[Deployment]) -> list[Deployment]:
    """The deployments in order of time; a live one becomes inactive when another one to its environment succeeds."""
    inactive_from: dict[int, DeploymentStatus] = {}
    live: dict[str, Deployment] = {}
    for deployment in sorted(deployments, key=lambda listed: listed.statuses[-1].at):
        last = deployment.statuses[-1]
        if last.state is not DeploymentState.SUCCESS:
            continue
        if before := live.get(deployment.environment):
            inactive_from[before.id] = DeploymentStatus(last.id + 5_000_000, last.at, DeploymentState.INACTIVE, last.by)
        live[deployment.environment] = deployment
    return [
        replace(deployment, statuses=(*deployment.statuses, inactive_from[deployment.id]))
        if deployment.id in inactive_from
        else deployment
        for deployment in sorted(deployments, key=lambda deployment: (deployment.created_at, deployment.id))
    ]


def _until(deployment: Deployment, end: datetime) -> Deployment | None:
    """The deployment as of `end`; None if it had not begun."""
    if deployment.created_at > end:
        return None
    return replace(deployment, statuses=tuple(status for status in deployment.statuses if status.at <= end))


def _as_it_stood(incident: Incident, end: datetime) -> Incident:
    """The incident without events after the end; it is then still open."""
    acknowledged_at, resolved_at = (
        at if at is not None and at <= end else None for at in (incident.acknowledged_at, incident.resolved_at)
    )
    return replace(incident, acknowledged_at=acknowledged_at, resolved_at=resolved_at)
