"""Content of the demo's tools besides its planted stories: issues, services, mirrors; and that all of it was read."""

from __future__ import annotations

from collections.abc import Iterable

from demo.load.mirrors import DIFFERENT, HERE, IN_STEP, THERE
from demo.plan.repositories import BUILT_APART, REPOSITORIES
from demo.plan.stories import Weeks
from demo.plan.year import DemoYear
from integrations.models import (
    Commit,
    Connection,
    Deployment,
    FileAttribution,
    Incident,
    PullRequest,
    PullRequestCommit,
    Repository,
    Stream,
    UnplacedRecord,
    WorkItem,
    WorkItemLink,
)
from programs.models import TicketMirror
from tests.demo.read_figures import figure_of_unit


def assert_worked_on(year: DemoYear, units: Iterable[str]) -> None:
    """Work is in progress in each unit, by the organisation's label, shortly before the first commit; some of it waits.

    A small team may have nothing in progress at the hour at which the demo ends, or nothing that waited; not all of
    them may.
    """
    all_under_way, somebody_waited = 0.0, False
    for unit in units:
        cycle, lead, active, under_way = (
            figure_of_unit(year, key, unit, Weeks(12, 0))
            for key in ("issue.cycle_time", "issue.lead_time", "flow.efficiency", "wip.count")
        )
        assert 3600 < cycle < lead, unit
        assert 60 < active <= 100, (unit, active)
        somebody_waited = somebody_waited or active < 99
        assert under_way <= 60, unit
        all_under_way += under_way
    assert all_under_way
    assert somebody_waited


def assert_services_named() -> None:
    """Those that GitHub is told of; what a workflow alone deploys has no name for it."""
    deployed = Deployment.objects.filter(environment="production").values_list("repository__name", "service")
    assert set(deployed) == {(repository.name, repository.service) for repository in REPOSITORIES}
    broken = set(Incident.objects.values_list("service", flat=True))
    assert broken <= {repository.service for repository in REPOSITORIES if repository.service}


def assert_read_to_their_end(*, commits: int) -> None:
    """Every stream was read, each record has its place, and pull requests hold the commits of the clones."""
    for provider in ("github", "jira", "jenkins", "pagerduty", "anthropic"):
        connection = Connection.objects.get(provider=provider)
        assert connection.paused_at is not None  # nobody serves it once the command has ended
        assert not connection.problem
    assert set(WorkItem.objects.values_list("connection__provider", flat=True)) == {"jira"}
    built = Deployment.objects.filter(connection__provider="jenkins")
    assert set(built.values_list("repository__name", flat=True)) == BUILT_APART
    assert not UnplacedRecord.objects.exists()
    assert not Stream.objects.filter(succeeded_at=None).exists()
    assert not Repository.objects.exclude(name__in=[repository.name for repository in REPOSITORIES]).exists()
    merged = PullRequest.objects.filter(state="merged")
    assert merged.count() > commits / 5
    assert not merged.exclude(merge_sha__in=Commit.objects.values("sha")).exists()
    commit_links = PullRequestCommit.objects.count()
    assert PullRequestCommit.objects.filter(sha__in=Commit.objects.values("sha")).count() == commit_links
    written = FileAttribution.objects.filter(commit__sha__in=PullRequestCommit.objects.values("sha"))
    in_pull_requests = written.values("commit").distinct().count()
    assert in_pull_requests > commits / 5  # what agents wrote is found in pull requests
    assert not WorkItemLink.objects.filter(work_item=None).exists()


def assert_mirrored() -> None:
    """One ticket is in step with its Jira issue, the other differs by its due date."""
    mirrors = list(TicketMirror.objects.select_related("ticket"))
    assert {mirror.ticket.title: mirror.status for mirror in mirrors} == {IN_STEP: "synced", DIFFERENT: "differs"}
    assert all(mirror.url == f"https://jira.example.com/browse/{mirror.key}" for mirror in mirrors)
    [differing] = [mirror for mirror in mirrors if mirror.status == "differs"]
    assert differing.remote_due_on == differing.ticket.due_on + THERE - HERE
