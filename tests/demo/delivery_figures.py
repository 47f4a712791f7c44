"""Figures of the demo's delivery, computed from its history record by record: a slow second opinion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from statistics import median

from demo.plan.delivery import DeliveryHistory, DeploymentState, EventKind, Outcome, PullRequest
from demo.plan.sizes import YEAR_WEEKS
from demo.plan.stories import Weeks
from demo.plan.year import DemoYear
from demo.providers.record_states import pull_request_at

_BAD = frozenset({DeploymentState.FAILURE, DeploymentState.ERROR})


class HistoryFigures:
    """Figures of one repository each; pull requests count when they are merged, runs and deployments when they
    begin.
    """

    def __init__(self, year: DemoYear, history: DeliveryHistory) -> None:
        self.year, self._history = year, history

    def figure(self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None = None) -> float | None:
        compute: Callable[[str, Weeks], float | None] = {
            "pr.pickup_time": self._pickup_time,
            "pr.size": self._size,
            "dora.lead_time": self._lead_time,
            "dora.deployment_frequency": self._deployed_a_day,
            "commit.weekend_share": self._weekend_share,
            "deployment.failure_rate": self._failure_rate,
            "ci.flaky_rate": self._flaky_rate,
        }[key]
        return compute(facets["repository"], weeks)

    def by_weekday(self, key: str, weeks: Weeks, email: str) -> Mapping[int, float]:
        raise NotImplementedError("no story of the delivery reads people's weekdays")

    def _pickup_time(self, repository: str, weeks: Weeks) -> float | None:
        """Median, in seconds, from when it was first ready to its first review."""
        waits = [
            (first - _ready_at(pull_request)).total_seconds()
            for pull_request, _ in self._merged(repository, weeks)
            if (first := _first(pull_request, EventKind.REVIEWED)) is not None
        ]
        return median(waits) if waits else None

    def _deployed_a_day(self, repository: str, weeks: Weeks) -> float | None:
        days = (self.year.first_day_of(weeks.last) - self.year.first_day_of(weeks.first)).days
        return sum(self._is_in(at, weeks) for at in self._rollouts(repository)) / days

    def _rollouts(self, repository: str) -> list[datetime]:
        """When it was deployed to production with success, and not rolled back to."""
        return sorted(
            status.at
            for deployment in self._history.deployments
            if deployment.repository.name == repository
            and deployment.environment == "production"
            and not deployment.rollback_of
            for status in deployment.statuses
            if status.state is DeploymentState.SUCCESS
        )

    def _lead_time(self, repository: str, weeks: Weeks) -> float | None:
        """Median, in seconds, from the first commit to the first rollout after the merge, where it counts."""
        rollouts = self._rollouts(repository)
        waits = []
        for pull_request, merged_at in self._merged(repository, Weeks(YEAR_WEEKS, 0)):
            deployed_at = next((at for at in rollouts if at > merged_at), None)
            if deployed_at is not None and self._is_in(deployed_at, weeks):
                commits = pull_request_at(pull_request, merged_at).commits
                waits.append((deployed_at - min(commit.authored_at for commit in commits)).total_seconds())
        return median(waits) if waits else None

    def _size(self, repository: str, weeks: Weeks) -> float | None:
        sizes = []
        for pull_request, merged_at in self._merged(repository, weeks):
            state = pull_request_at(pull_request, merged_at)
            sizes.append(state.additions + state.deletions)
        return median(sizes) if sizes else None

    def _weekend_share(self, repository: str, weeks: Weeks) -> float | None:
        """The share of weekend commits in pull requests, by the time of the commit."""
        days = [
            self._local(commit.authored_at).weekday()
            for pull_request in self._history.pull_requests
            if pull_request.repository.name == repository
            for commit in pull_request_at(pull_request, self._history.ends_at).commits
            if self._is_in(commit.authored_at, weeks)
        ]
        return _percent(sum(day >= 5 for day in days), len(days))

    def _failure_rate(self, repository: str, weeks: Weeks) -> float | None:
        ended = [
            [status.state for status in deployment.statuses]
            for deployment in self._history.deployments
            if deployment.repository.name == repository
            and deployment.environment == "production"
            and self._is_in(deployment.created_at, weeks)
        ]
        return _percent(sum(bool(_BAD & set(states)) for states in ended), len(ended))

    def _flaky_rate(self, repository: str, weeks: Weeks) -> float | None:
        """Runs that failed and succeeded on the same commit."""
        outcomes = [
            [attempt.outcome for attempt in run.attempts]
            for run in self._history.runs
            if run.repository.name == repository and self._is_in(run.created_at, weeks)
        ]
        flaky = sum(len(outcome) > 1 and outcome[-1] is Outcome.SUCCESS for outcome in outcomes)
        return _percent(flaky, len(outcomes))

    def _merged(self, repository: str, weeks: Weeks) -> Iterator[tuple[PullRequest, datetime]]:
        for pull_request in self._history.pull_requests:
            merged_at = _first(pull_request, EventKind.MERGED)
            if pull_request.repository.name == repository and merged_at is not None and self._is_in(merged_at, weeks):
                yield pull_request, merged_at

    def _is_in(self, at: datetime, weeks: Weeks) -> bool:
        return self.year.first_day_of(weeks.first) <= self._local(at).date() < self.year.first_day_of(weeks.last)

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.year.anchor.tzinfo)


def _ready_at(pull_request: PullRequest) -> datetime:
    ready_at = _first(pull_request, EventKind.MADE_READY) if pull_request.is_draft else None
    return ready_at or pull_request.created_at


def _first(pull_request: PullRequest, did: EventKind) -> datetime | None:
    return next((happening.at for happening in pull_request.happenings if happening.did is did), None)


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
