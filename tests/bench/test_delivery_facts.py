"""The bench's delivery entries measure the product's own code, and the baselines compute the same results."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bench.delivery_facts import DeliverySize, generate_delivery
from bench.organisation import OrganisationSize, plan_organisation
from bench.organisation_rows import write_organisation
from bench.timing import rolled_back
from insights.engine.read import read_series
from insights.query.query import Query, Window
from integrations.delivery.mappings.effective import value_mappings_of
from integrations.delivery.mappings.mapped_columns import ENVIRONMENT, SEVERITY, recompute_mapped_column
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.pull_requests.ready_and_work_type import recompute_ready_and_work_type
from integrations.delivery.pull_requests.work_item_links import recompute_work_item_links
from integrations.delivery.sprints.figures import recompute_sprints
from integrations.delivery.work_items.work_type_and_status import recompute_work_type_and_status
from integrations.models import (
    CommitPlace,
    Connection,
    DeployedPullRequest,
    Deployment,
    DeploymentFailure,
    FactChange,
    Incident,
    Ownership,
    PipelineRun,
    PullRequest,
    PullRequestCommit,
    PullRequestFigures,
    Sprint,
    SprintItem,
    WorkItem,
    WorkItemTransition,
)

pytestmark = pytest.mark.soak  # benches are run there, too

SIZE = DeliverySize(people=80, units=12, weeks=16)


@pytest.fixture
def organisation(db: None) -> None:
    size = OrganisationSize(SIZE.people, SIZE.units, SIZE.weeks)
    write_organisation(plan_organisation(size, today=timezone.localdate()))


@pytest.fixture
def delivery(organisation: None) -> Connection:
    generate_delivery(SIZE)
    return Connection.objects.get(name="bench delivery")


def test_everything_is_there_in_proportion(delivery: Connection) -> None:
    """As in a year of 1.5 million pull requests: 5 commits of 1.5, half as many items, 5 runs, and so on."""
    pull_requests = PullRequest.objects.count()
    assert 0.75 * SIZE.pull_requests < pull_requests <= SIZE.pull_requests
    for counted, per_pull_request in (
        (PullRequestCommit.objects.count(), 5 / 1.5),
        (WorkItem.objects.count(), 0.75 / 1.5),
        (WorkItemTransition.objects.count(), 5 / 1.5),
        (PipelineRun.objects.count(), 5 / 1.5),
        (Deployment.objects.count(), 0.2 / 1.5),
        (Incident.objects.count(), 0.02 / 1.5),
    ):
        assert 0.5 * per_pull_request < counted / pull_requests < 1.5 * per_pull_request


def test_words_and_links_are_as_the_intake_leaves_them(delivery: Connection) -> None:
    meanings = value_mappings_of(delivery)
    pull_requests = list(PullRequest.objects.values_list("pk", flat=True))
    assert recompute_work_item_links(pull_requests=pull_requests) == set()
    assert recompute_ready_and_work_type(pull_requests) == set()
    assert recompute_figures(pull_requests) == set()
    assert recompute_work_type_and_status(meanings, WorkItem.objects.values_list("pk", flat=True)) == set()
    assert recompute_mapped_column(ENVIRONMENT, meanings, Deployment.objects.values_list("pk", flat=True)) == set()
    assert recompute_mapped_column(SEVERITY, meanings, Incident.objects.values_list("pk", flat=True)) == set()


def test_nothing_lies_ahead_and_stages_follow_one_another(delivery: Connection) -> None:
    now = timezone.now()
    figures = PullRequestFigures.objects.filter(merged_at__isnull=False)
    assert not figures.filter(merged_at__gt=now).exists()
    assert not figures.filter(cycle_seconds=None).exists()
    assert not figures.filter(coding_seconds=None).exists()
    reviewed = figures.filter(review_count__gt=0).count()
    assert 0.8 < reviewed / figures.count() < 0.99
    assert figures.filter(is_revert=True).exclude(reverts=None).exists()
    assert 0.1 < figures.exclude(agents=[]).count() / figures.count() < 0.5
    assert not WorkItemTransition.objects.filter(at__gt=now).exists()
    assert not PipelineRun.objects.filter(finished_at__gt=now).exists()
    assert not Incident.objects.filter(resolved_at__gt=now).exists()


def test_merges_stand_on_one_chain_and_are_deployed(delivery: Connection) -> None:
    merged = PullRequest.objects.filter(state="merged").count()
    assert CommitPlace.objects.filter(on_chain=True).count() == merged
    assert DeployedPullRequest.objects.filter(method="chain").count() > 0.8 * merged
    assert set(DeploymentFailure.objects.values_list("method", flat=True)) >= {"explicit", "rollback", "hotfix"}


def test_sprints_have_a_plan_that_changes(delivery: Connection) -> None:
    assert Sprint.objects.filter(state="active").count() == SIZE.repositories
    closed = Sprint.objects.filter(state="closed")
    assert closed.count() > SIZE.repositories * (SIZE.weeks // 2 - 2)
    assert set(SprintItem.objects.filter(sprint__in=closed).values_list("outcome", flat=True)) >= {
        *("delivered", "carried_over")
    }
    assert SprintItem.objects.filter(is_committed=False).exists()
    assert SprintItem.objects.filter(has_churned=True).exists()
    assert recompute_sprints(Sprint.objects.values_list("pk", flat=True)) == set()
    epics = WorkItem.objects.filter(native_type="Epic")
    assert epics.filter(status_category="done").exists()
    assert epics.filter(status_category="in_progress").exists()
    parents = set(WorkItem.objects.exclude(parent_key="").values_list("parent_key", flat=True))
    assert parents == set(epics.values_list("key", flat=True))


def test_teams_own_what_they_write(delivery: Connection) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    window = Window(tomorrow - timedelta(weeks=SIZE.weeks), tomorrow)
    assert Ownership.objects.count() == 2 * SIZE.repositories, "repositories and boards"
    (merged,) = read_series([Query("pr.throughput", window)])
    assert merged.total[0].value == pytest.approx(PullRequest.objects.filter(state="merged").count(), rel=0.02)


def test_the_worker_has_nothing_to_do_beside(delivery: Connection) -> None:
    assert not FactChange.objects.exists()


@pytest.mark.usefixtures("organisation")
def test_the_same_size_gives_the_same_records() -> None:
    def drawn() -> list[tuple[object, ...]]:
        generate_delivery(SIZE)
        columns = ("external_id", "created_at", "merge_sha", "source_branch", "additions", "work_type")
        return list(PullRequest.objects.order_by("external_id").values_list(*columns))

    with rolled_back():
        first = drawn()
    assert drawn() == first
