"""Work items, deployments, runs, incidents and the rest: stored, derived from, gone and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.connectors.drafts import (
    AnyDraft,
    AssignmentDraft,
    DeploymentDraft,
    DeploymentStatusDraft,
    IncidentDraft,
    JobDraft,
    PipelineRunDraft,
    ProvidedParts,
    PullRequestDraft,
    ReleaseDraft,
    SprintChangeDraft,
    SprintDraft,
    TransitionDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
)
from integrations.enums import Kind, LinkMethod, PullRequestState, RunStatus, Severity, SprintState, StatusCategory
from integrations.facts.counts import count_facts
from integrations.intake.deleted_records import mark_gone
from integrations.intake.store_drafts import Outcome, store_drafts
from integrations.models import (
    Connection,
    Deployment,
    FactChange,
    Incident,
    PipelineJob,
    PipelineRun,
    Project,
    PullRequest,
    QuarantinedPayload,
    Release,
    Resource,
    Sprint,
    Stream,
    WorkItem,
)
from tests.intake.conftest import SHOP, Tell

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
ADA = Who(login="ada-k")


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def item(key: str = "acme/shop#1", hours: float = 1, **fields: Any) -> WorkItemDraft:
    return WorkItemDraft(
        external_id=f"I-{key}", project=SHOP, key=key, updated_at=at(hours), created_at=MONDAY, **fields
    )


def pull_request(*keys: str, **fields: Any) -> PullRequestDraft:
    references = ProvidedParts([WorkItemReference(key=key, method=LinkMethod.BRANCH) for key in keys])
    return PullRequestDraft(
        external_id="PR7",
        repository=SHOP,
        number=7,
        updated_at=at(1),
        created_at=MONDAY,
        state=PullRequestState.OPEN,
        author=ADA,
        references=references,
        **fields,
    )


def run(external_id: str = "1", name: str = "Deploy", status: RunStatus = RunStatus.SUCCESS, **fields: Any) -> AnyDraft:
    return PipelineRunDraft(
        external_id=external_id,
        repository=SHOP,
        run=external_id,
        name=name,
        status=status,
        updated_at=at(1),
        finished_at=at(1),
        **fields,
    )


def deployment(external_id: str = "D1", *, hours: int = 1, **fields: Any) -> DeploymentDraft:
    return DeploymentDraft(external_id=external_id, repository=SHOP, updated_at=at(hours), **fields)


def test_a_work_item_is_stored_with_its_history(tell: Tell) -> None:
    draft = item(
        native_status="closed",
        status_category=StatusCategory.DONE,
        assignee=ADA,
        transitions=ProvidedParts(
            [
                TransitionDraft(at=at(2), from_status="open", to_status="In review", by=ADA),
                TransitionDraft(
                    at=at(3), from_status="In review", to_status="closed", category=StatusCategory.DONE, by=None
                ),
            ]
        ),
        assignments=ProvidedParts([AssignmentDraft(at=at(1), assignee=ADA), AssignmentDraft(at=at(2), assignee=None)]),
        sprint_changes=ProvidedParts([SprintChangeDraft(at=at(1), sprint="S1", added=True)]),
    )
    assert tell(draft).added == 1
    stored = WorkItem.objects.get()
    assert stored.project.repository == Resource.objects.get().repository
    assert (stored.status_category, stored.first_category) == ("done", "todo")
    assert list(stored.transitions.order_by("at").values_list("category", flat=True)) == ["in_progress", "done"]
    assert stored.assignments.count() == 2
    assert tell(draft).unchanged == 1


def test_the_category_in_which_an_item_was_created_follows_from_its_first_move(tell: Tell) -> None:
    moved = ProvidedParts([TransitionDraft(at=at(2), from_status="Doing", to_status="Done")])
    tell(item("A-1", transitions=moved), item("A-2"), item("A-3", first_category=StatusCategory.DONE))
    assert list(WorkItem.objects.order_by("key").values_list("first_category", flat=True)) == [
        *("in_progress", "todo", "done")
    ]


@pytest.mark.parametrize("item_first", [True, False])
def test_a_pull_request_finds_the_item_that_it_names(tell: Tell, item_first: bool) -> None:
    drafts: list[AnyDraft] = [item("SHOP-1", labels=("bug",)), pull_request("SHOP-1")]
    for draft in drafts if item_first else reversed(drafts):
        tell(draft)
    stored = PullRequest.objects.get()
    assert stored.links.get().work_item == WorkItem.objects.get()
    assert stored.work_type == "bug"


@pytest.mark.parametrize("named_first", [True, False])
def test_a_pull_request_keeps_its_item_under_the_key_that_it_had_in_another_project(
    tell: Tell, named_first: bool
) -> None:
    moved = replace(item("SHOP-1", hours=2), key="WEB-7", former_keys=("SHOP-1",))
    for draft in (item("SHOP-1"), pull_request("SHOP-1"), moved) if named_first else (moved, pull_request("SHOP-1")):
        tell(draft)
    linked = PullRequest.objects.get().links.get().work_item
    assert linked is not None
    assert (linked, linked.key) == (WorkItem.objects.get(), "WEB-7")


def test_a_key_that_two_other_connections_have_means_neither(tell: Tell, github: Connection) -> None:
    tell(pull_request("SHOP-1"))
    for name in ("One", "Other"):
        tracker = Connection.objects.create(provider="jira", name=name)
        Project.objects.create(connection=tracker, external_id=SHOP, key="SHOP", name="Shop")
        with transaction.atomic():
            store_drafts(tracker, [item("SHOP-1")])
        linked = PullRequest.objects.get().links.get().work_item
        assert (linked is not None) == (name == "One")
    tell(item("SHOP-1"))
    linked = PullRequest.objects.get().links.get().work_item
    assert linked is not None
    assert linked.connection == github


def test_a_deleted_item_is_linked_no_more(tell: Tell) -> None:
    tell(item("SHOP-1", labels=("bug",)), pull_request("SHOP-1"))
    tell(item("SHOP-1", hours=2, deleted=True))
    stored = PullRequest.objects.get()
    assert stored.links.get().work_item is None
    assert stored.work_type == "other"


def test_an_environment_is_known_by_its_name(tell: Tell) -> None:
    tell(*(deployment(name, native_environment=name) for name in ("prod-eu", "pre-prod", "review/7")))
    stored = dict(Deployment.objects.values_list("external_id", "environment"))
    assert stored == {"prod-eu": "production", "pre-prod": "staging", "review/7": "other"}


def test_a_run_of_a_pipeline_that_deploys_is_a_deployment(tell: Tell) -> None:
    tell(run("1"), run("2", name="Tests"), run("3", trigger="pull_request"))
    stored = Deployment.objects.get()
    assert (stored.external_id, stored.environment, stored.status) == ("run:1", "production", "success")
    assert stored.pipeline_run == PipelineRun.objects.get(external_id="1")


def test_deployments_replace_those_guessed_from_runs_to_the_same_environment(tell: Tell) -> None:
    tell(run())
    tell(deployment(native_environment="github-pages"))
    assert Deployment.objects.filter(environment="production").get().external_id == "run:1"
    tell(deployment(native_environment="production", status=RunStatus.SUCCESS, hours=2))
    assert Deployment.objects.get().external_id == "D1"
    tell(deployment(deleted=True, hours=3))
    assert Deployment.objects.get(deleted_at=None).external_id == "run:1"


def test_a_deployment_of_a_service_replaces_the_guess_from_the_run_that_it_names(tell: Tell) -> None:
    tell(run("1"), run("2"))
    named: dict[str, Any] = {"native_environment": "production", "service": "cart", "run": "1"}
    tell(deployment(status=RunStatus.SUCCESS, **named))
    assert set(Deployment.objects.values_list("external_id", flat=True)) == {"D1", "run:2"}
    tell(deployment(deleted=True, hours=3))
    assert set(Deployment.objects.filter(deleted_at=None).values_list("external_id", flat=True)) == {"run:1", "run:2"}


def test_a_job_that_ended_does_not_queue_again(tell: Tell) -> None:
    for status in (RunStatus.SUCCESS, RunStatus.QUEUED):
        job = JobDraft(external_id="J", name="build", status=status, native_status=status)
        tell(
            PipelineRunDraft(
                external_id="1", repository=SHOP, run="1", name="CI", jobs=ProvidedParts([job], whole=False)
            )
        )
    assert PipelineJob.objects.get().status == "success"


def test_a_run_that_ended_in_the_same_second_has_ended(tell: Tell) -> None:
    tell(run(), run(status=RunStatus.RUNNING))
    assert PipelineRun.objects.get().status == "success"


def test_deployments_keep_their_statuses(tell: Tell) -> None:
    status = DeploymentStatusDraft(external_id="S", at=at(1), status=RunStatus.SUCCESS, native_status="success")
    tell(deployment(statuses=ProvidedParts([status], whole=False)))
    assert Deployment.objects.get().statuses.get().at == at(1)


@pytest.mark.parametrize("in_order", [True, False])
def test_a_deployment_whose_statuses_are_gone_waits_whatever_else_was_provided(tell: Tell, in_order: bool) -> None:
    status = DeploymentStatusDraft(external_id="S", at=at(1), status=RunStatus.SUCCESS, native_status="success")
    drafts = [
        deployment(hours=1, statuses=ProvidedParts([status])),
        deployment(hours=2, status=RunStatus.FAILURE, native_status="broken", finished_at=at(2)),
        deployment(hours=3, statuses=ProvidedParts([])),
    ]
    for draft in drafts if in_order else reversed(drafts):
        tell(draft)
    stored = Deployment.objects.get()
    assert (stored.status, stored.native_status, stored.finished_at) == ("queued", "", None)
    assert tell(*drafts).unchanged == 3


def test_that_there_are_no_statuses_outweighs_what_was_provided_later(tell: Tell) -> None:
    tell(deployment(hours=2, status=RunStatus.FAILURE, native_status="broken", finished_at=at(2)))
    assert Deployment.objects.get().status == "failure"
    tell(deployment(hours=1, statuses=ProvidedParts([])))
    assert Deployment.objects.get().status == "queued"


def test_an_incident_needs_no_repository(tell: Tell) -> None:
    tell(
        IncidentDraft(external_id="1", started_at=MONDAY, native_severity="SEV2", service="shop"),
        IncidentDraft(external_id="2", started_at=MONDAY, native_severity="SEV2", severity=Severity.CRITICAL),
        IncidentDraft(external_id="3", repository=SHOP, started_at=MONDAY),
    )
    stored = Incident.objects.order_by("external_id").values_list("severity", "repository__name")
    assert list(stored) == [("high", None), ("critical", None), ("unknown", "acme/shop")]


def test_sprints_and_releases_are_stored(tell: Tell) -> None:
    sprint = SprintDraft(external_id="S1", board="B", name="One", state=SprintState.ACTIVE, native_state="active")
    release = ReleaseDraft(external_id="V1", repository=SHOP, tag="v1", published_at=MONDAY)
    assert tell(sprint, release).added == 2
    assert tell(sprint, release).unchanged == 2
    assert (Sprint.objects.get().board, Release.objects.get().tag) == ("B", "v1")


def test_what_a_whole_listing_leaves_out_is_gone(tell: Tell, github: Connection) -> None:
    tell(item("A-1"), item("A-2"))
    stream = Stream.objects.create(resource=Resource.objects.get(), kind=Kind.WORK_ITEM)
    with transaction.atomic():
        assert mark_gone(stream, frozenset({"I-A-1"})) == 1
        assert mark_gone(stream, frozenset({"I-A-1"})) == 0
    assert WorkItem.objects.get(deleted_at=None).key == "A-1"
    assert tell(item("A-2")).outcomes == (Outcome.CHANGED,)


def test_what_came_while_it_was_listed_is_not_gone(tell: Tell) -> None:
    stream = Stream.objects.create(resource=Resource.objects.get(), kind=Kind.WORK_ITEM, reading_since=MONDAY)
    tell(item("A-1"))
    with transaction.atomic():
        assert mark_gone(stream, frozenset()) == 0


def test_what_was_first_seen_while_the_clock_ran_ahead_can_be_gone(tell: Tell) -> None:
    tell(item("A-1"))
    WorkItem.objects.update(first_seen_at=timezone.now() + timedelta(days=30))
    stream = Stream.objects.create(resource=Resource.objects.get(), kind=Kind.WORK_ITEM, reading_since=timezone.now())
    with transaction.atomic():
        assert mark_gone(stream, frozenset()) == 1


def test_the_days_before_and_after_a_change_are_announced(tell: Tell) -> None:
    tell(run(started_by=ADA, started_at=at(1)))
    FactChange.objects.all().delete()
    later = PipelineRunDraft(
        external_id="1",
        repository=SHOP,
        run="1",
        name="Deploy",
        updated_at=at(99),
        started_at=at(72),
        finished_at=at(72),
    )
    tell(later)
    changes = FactChange.objects.filter(family="pipeline").order_by("day_from").values_list("day_from", "day_to")
    assert [(start.day, end.day) for start, end in changes] == [(2, 3), (5, 6)]


def test_facts_are_counted_by_kind_and_state(tell: Tell, github: Connection) -> None:
    tell(
        pull_request(),
        item(native_status="Done"),
        item("A-2", deleted=True),
        run(),
        IncidentDraft(external_id="1", started_at=MONDAY),
        ReleaseDraft(external_id="V1", repository=SHOP, tag="v1"),
        deployment(native_environment="prod", status=RunStatus.SUCCESS),
    )
    QuarantinedPayload.objects.create(connection=github, kind=Kind.WORK_ITEM, payload={}, problem="is missing")
    facts = count_facts(github)
    expected = {
        "pull_request": {"open": 1},
        "work_item": {"done": 1},
        "pipeline_run": {"success": 1},
        "deployment": {"success": 1},
        "incident": {"open": 1},
        "release": {"published": 1},
    }
    for kind, by_state in expected.items():
        assert (facts[kind]["total"], facts[kind]["by_state"]) == (1, by_state), kind
    assert facts["deployment"]["by_environment"] == {"production": 1}
    assert (facts["repository"]["total"], facts["quarantined"]) == (1, 1)
    assert count_facts() == {**facts, "session": {"total": 0, "by_agent": {}}}
    other = count_facts(Connection.objects.create(provider="github", name="Other"))
    assert {counts["total"] for counts in other.values() if isinstance(counts, dict)} == {0}
