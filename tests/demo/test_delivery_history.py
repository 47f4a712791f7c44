"""The demo's delivery: times are in order, commits are those of the demo's repositories, stories are told."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.plan import stories
from demo.plan.commits import plan_commits
from demo.plan.delivery import (
    DeliveryHistory,
    Deployment,
    DeploymentState,
    EventKind,
    Incident,
    Issue,
    PipelineRun,
    PullRequest,
)
from demo.plan.delivery_history import demo_history
from demo.plan.delivery_stories import DELIVERY_STORIES, DeliveryStory
from demo.plan.history import write_repository
from demo.plan.people import CHECKOUT, DATA, LOGISTICS, MOBILE, PEOPLE
from demo.plan.repositories import REPOSITORIES, DemoRepository
from demo.plan.sizes import WHOLE, YEAR_WEEKS
from demo.plan.stories import Flavour, Weeks
from demo.plan.year import DemoYear
from tests.demo import flavours
from tests.demo.delivery_figures import HistoryFigures
from tests.demo.story_checks import assert_story_shows

WHOLE_YEAR = {
    "pull_requests": (1_500, 3_000),
    "issues": (1_000, 2_600),
    "runs": (2_000, 5_200),
    "deployments": (1_200, 3_400),
    "incidents": (10, 120),
    "releases": (10, 200),
}
TWELVE_WEEKS = {
    "pull_requests": (200, 400),
    "issues": (150, 400),
    "runs": (300, 600),
    "deployments": (250, 500),
    "incidents": (3, 12),
    "releases": (3, 20),
}
END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="module", params=flavours.STORIES)
def year(request: pytest.FixtureRequest) -> DemoYear:
    return DemoYear(seed=1, flavour=request.param, anchor=END)


@pytest.fixture(scope="module")
def folder(year: DemoYear, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repositories of the year, which take most of the time here."""
    written = tmp_path_factory.mktemp("repositories")
    _write(year, written)
    return written


@pytest.fixture(scope="module")
def history(year: DemoYear, folder: Path) -> DeliveryHistory:
    return demo_history(year, folder)


def _write(year: DemoYear, folder: Path, repositories: Sequence[DemoRepository] = REPOSITORIES) -> None:
    planned = plan_commits(year, (session for week in range(year.weeks) for session in year.sessions_of_week(week)))
    for repository in repositories:
        write_repository(folder / repository.name, year, repository, planned[repository.name])


def test_there_is_so_much_of_everything(year: DemoYear, history: DeliveryHistory) -> None:
    is_whole = year.weeks == YEAR_WEEKS
    expected = WHOLE_YEAR if is_whole else TWELVE_WEEKS
    counts = {name: len(getattr(history, name)) for name in expected}
    assert {name: fewest <= counts[name] <= most for name, (fewest, most) in expected.items()} == dict.fromkeys(
        expected, True
    ), counts
    did = Counter(happening.did for record in history.pull_requests for happening in record.happenings)
    rare = {EventKind.MADE_DRAFT, EventKind.REOPENED, EventKind.REVIEW_REQUEST_REMOVED}
    for kind in {EventKind.REVIEWED, EventKind.FORCE_PUSHED, EventKind.MERGED} | rare:
        assert did[kind] > (3 if is_whole or kind not in rare else 0), kind


def test_everything_happens_after_its_beginning_in_order_and_before_the_end(history: DeliveryHistory) -> None:
    for record in _conversations(history):
        times = [record.created_at, *(happening.at for happening in record.happenings)]
        assert times == sorted(times), record
        assert times[-1] <= history.ends_at
    for run in history.runs:
        assert run.created_at <= history.ends_at
        for attempt in run.attempts:
            assert attempt.started_at <= attempt.finished_at
            assert all(job.queued_at <= job.started_at <= job.finished_at for job in attempt.jobs)
    for deployment in history.deployments:
        times = [deployment.created_at, *(status.at for status in deployment.statuses)]
        assert times == sorted(times)
        assert times[-1] <= history.ends_at
    for incident in history.incidents:
        moments = (incident.started_at, incident.acknowledged_at, incident.resolved_at)
        assert list(moments) == sorted(moment for moment in moments if moment is not None)


def test_commits_are_those_of_the_repositories(history: DeliveryHistory, folder: Path) -> None:
    for repository in history.repositories:
        command = ["git", f"--git-dir={folder / repository.name}", "rev-list"]
        reachable, on_main = (
            set(subprocess.run([*command, what], check=True, capture_output=True, text=True).stdout.split())
            for what in ("--branches", "main")
        )
        assert {commit.sha for commit in history.commits[repository.name]} == on_main
        for record in _of(history, repository.name):
            commits, merge = _final(record)
            assert commits <= reachable, record.number
            if merge:
                assert merge in on_main
        deployed = {deployment.sha for deployment in history.deployments if deployment.repository == repository}
        assert deployed <= on_main


def test_a_merged_pull_requests_commits_are_on_the_default_branch(history: DeliveryHistory) -> None:
    squashed = 0
    for repository in history.repositories:
        on_main = {commit.sha for commit in history.commits[repository.name]}
        for record in _of(history, repository.name):
            commits, merge = _final(record)
            squashed += bool(merge) and not commits <= on_main
            if not merge:
                assert not commits <= on_main
    assert squashed == 1


def test_numbers_and_ids_are_given_once(history: DeliveryHistory) -> None:
    for repository in history.repositories:
        numbers = [
            conversation.number for conversation in _conversations(history) if conversation.repository == repository
        ]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    kinds: list[Sequence[PullRequest | Issue | PipelineRun | Deployment | Incident]] = [
        *(history.pull_requests, history.issues, history.runs, history.deployments, history.incidents)
    ]
    for records in kinds:
        assert len({record.id for record in records}) == len(records)
    events = [happening.id for record in _conversations(history) for happening in record.happenings]
    assert len(set(events)) == len(events)


def test_issues_that_are_named_are_there(history: DeliveryHistory) -> None:
    for repository in history.repositories:
        numbers = {issue.number for issue in history.issues if issue.repository == repository}
        named = [
            int(pull_request.body.rpartition("-")[2])
            for pull_request in _of(history, repository.name)
            if "-" in pull_request.body
        ]
        assert named
        assert set(named) <= numbers


def test_who_merges_in_the_second_of_an_own_commit_works_on_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At this end of a year the merge of another pull request was taken for the first commit of one.

    Its repository is the work of one team, which is all that is played here.
    """
    people = tuple(person for person in PEOPLE if person.team == LOGISTICS)
    monkeypatch.setattr(stories, "WHOLE", replace(WHOLE, people=people))
    year = DemoYear(seed=1, flavour=Flavour.STORIES, anchor=datetime(2026, 11, 24, 22, 27, tzinfo=UTC))
    [routing] = [repository for repository in REPOSITORIES if repository.team == LOGISTICS]
    _write(year, tmp_path, [routing])
    routing_history = demo_history(year, tmp_path, [routing])
    commits = [commit for pull_request in routing_history.pull_requests for commit in pull_request.commits]
    assert len(commits) > 100
    assert not [commit for commit in commits if len(commit.parents) > 1]


def test_what_a_deployment_broke_is_mended_by_another(history: DeliveryHistory) -> None:
    by_id = {deployment.id: deployment for deployment in history.deployments}
    mended = {fixed: deployment for deployment in history.deployments for fixed in deployment.fixes}
    for incident in history.incidents:
        cause = by_id[incident.caused_by or 0]
        assert cause.created_at < incident.started_at
        if incident.id in mended:
            assert mended[incident.id].created_at >= incident.started_at
    rolled_back = [deployment for deployment in history.deployments if deployment.rollback_of]
    assert rolled_back
    assert all(deployment.sha != by_id[deployment.rollback_of or 0].sha for deployment in rolled_back)


def test_one_deployment_is_live_in_every_environment(history: DeliveryHistory) -> None:
    for repository in history.repositories:
        for environment in ("staging", "production"):
            live = [
                deployment
                for deployment in history.deployments
                if (deployment.repository, deployment.environment) == (repository, environment)
                and deployment.statuses
                and deployment.statuses[-1].state is DeploymentState.SUCCESS
            ]
            assert len(live) <= 1


def test_the_same_year_has_the_same_history(year: DemoYear, history: DeliveryHistory, folder: Path) -> None:
    assert demo_history(year, folder) == history


@pytest.mark.parametrize("story", DELIVERY_STORIES, ids=lambda story: story.key)
def test_the_story_is_in_the_history(story: DeliveryStory, year: DemoYear, history: DeliveryHistory) -> None:
    assert_story_shows(story, HistoryFigures(year, history))


@pytest.mark.parametrize("flavour", flavours.QUIET)
def test_the_quiet_flavour_tells_none(flavour: Flavour, tmp_path: Path) -> None:
    year = DemoYear(seed=2, flavour=flavour, anchor=datetime(2027, 4, 11, 22, tzinfo=UTC))
    repositories = [
        demo_repository for demo_repository in REPOSITORIES if demo_repository.team in (CHECKOUT, MOBILE, DATA)
    ]
    _write(year, tmp_path, repositories)
    figures = HistoryFigures(year, demo_history(year, tmp_path, repositories))
    for repository in repositories:
        facets = {"repository": repository.name}
        for weeks in (Weeks(10, 0), Weeks(40, 12)):
            assert (figures.figure("pr.pickup_time", weeks, facets) or 0) < 24 * 3600
            assert (figures.figure("deployment.failure_rate", weeks, facets) or 0) < 12
            assert (figures.figure("ci.flaky_rate", weeks, facets) or 0) < 12
        # Over the weeks of the story of large ones: half of ten weeks' few may be above its bound by chance.
        assert (figures.figure("pr.size", Weeks(26, 0), facets) or 0) < 100


def _conversations(history: DeliveryHistory) -> list[PullRequest | Issue]:
    return [*history.pull_requests, *history.issues]


def _of(history: DeliveryHistory, repository: str) -> Iterator[PullRequest]:
    return (pull_request for pull_request in history.pull_requests if pull_request.repository.name == repository)


def _final(record: PullRequest) -> tuple[set[str], str]:
    """The commits that it had in the end, and the one that brought it to the default branch."""
    commits, merge = {commit.sha for commit in record.commits}, ""
    for happening in record.happenings:
        if happening.did is EventKind.FORCE_PUSHED:
            commits = set()
        commits |= {commit.sha for commit in happening.commits}
        merge = happening.sha if happening.did is EventKind.MERGED else merge
    return commits, merge
