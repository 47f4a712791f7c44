"""The push API: each record is answered in order, what is wrong names its field, and nothing is counted twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from integrations.models import (
    Commit,
    CommitInRepository,
    Connection,
    Deployment,
    Incident,
    IngestScope,
    PipelineRun,
    PullRequest,
    PullRequestCommit,
    PullRequestReview,
    PushedRecord,
    Repository,
    Sprint,
    WorkItem,
    WorkItemLink,
)
from integrations.push.drafts import KINDS
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token

pytestmark = pytest.mark.django_db

DEPLOYMENT: dict[str, Any] = {
    "id": "deploy-1",
    "repository": "acme/shop",
    "environment": "production",
    "status": "success",
    "finished_at": "2026-03-02T10:00:00+01:00",
    "sha": "a" * 40,
}
INCIDENT: dict[str, Any] = {"id": "INC-1", "started_at": "2026-03-02T10:30:00Z", "severity": "high", "service": "shop"}
RUN: dict[str, Any] = {
    "id": "run-1",
    "repository": "acme/shop",
    "name": "test",
    "status": "success",
    "queued_at": "2026-03-02T09:00:00Z",
    "started_at": "2026-03-02T09:01:00Z",
    "finished_at": "2026-03-02T09:11:00Z",
}
PULL_REQUEST: dict[str, Any] = {
    "id": "pr-7",
    "repository": "acme/shop",
    "number": 7,
    "author": "ada@example.com",
    "created_at": "2026-03-01T08:00:00Z",
    "state": "merged",
    "merged_at": "2026-03-02T08:00:00Z",
    "title": "SHOP-12 Let carts expire 🛒",
    "work_items": ["SHOP-12"],
    "reviews": [{"author": "grace@example.com", "state": "approved", "submitted_at": "2026-03-01T12:00:00Z"}],
    "commits": [{"sha": "b" * 40, "author_email": "ada@example.com", "authored_at": "2026-02-28T08:00:00Z"}],
}
COMMIT: dict[str, Any] = {
    "repository": "acme/shop",
    "sha": "c" * 40,
    "parents": ["b" * 40],
    "author_email": "ada@example.com",
    "committed_at": "2026-03-02T08:00:00Z",
    "message": "Let carts expire",
}
WORK_ITEM: dict[str, Any] = {
    "id": "SHOP-12",
    "project": "SHOP",
    "title": "Carts expire",
    "type": "Story",
    "status_category": "done",
    "created_at": "2026-02-20T08:00:00Z",
    "resolved_at": "2026-03-02T11:00:00Z",
    "transitions": [
        {"at": "2026-02-27T08:00:00Z", "from": "To do", "to": "Doing", "category": "in_progress"},
        {"at": "2026-03-02T11:00:00Z", "from": "Doing", "to": "Released", "category": "done"},
    ],
}


SPRINT: dict[str, Any] = {
    "id": "1",
    "board": "Web",
    "name": "Sprint 1",
    "state": "closed",
    "starts_at": "2026-03-02T09:00:00Z",
    "ends_at": "2026-03-13T16:00:00Z",
    "closed_at": "2026-03-13T16:00:00Z",
}


class Pusher:
    """Somebody's build machine."""

    def __init__(self, *, changes_all: bool = False) -> None:
        self.client = Client()
        self.secret = create_ingest_token("Build machine", scope=IngestScope.PUSH, changes_all=changes_all)[1]

    def post(self, kind: str, body: Any, *, secret: str | None = None) -> tuple[int, Any]:
        answer = self.client.post(
            f"/ingest/v1/{kind}/",
            body if isinstance(body, str | bytes) else json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.secret if secret is None else secret}"},
        )
        return answer.status_code, answer.json()

    def push(self, kind: str, *records: Any) -> list[tuple[str, str]]:
        """(status, error) of each record."""
        status, body = self.post(kind, {"records": records})
        assert status == 200, body
        return [(result["status"], result["error"] or "") for result in body["results"]]

    def delete(self, kind: str, record_id: str) -> int:
        headers = {"authorization": f"Bearer {self.secret}"}
        return self.client.delete(f"/ingest/v1/{kind}/{record_id}/", headers=headers).status_code


@pytest.fixture
def pusher() -> Pusher:
    return Pusher()


@pytest.mark.parametrize(
    ("kind", "record", "model"),
    [
        ("deployments", DEPLOYMENT, Deployment),
        ("incidents", INCIDENT, Incident),
        ("pipeline-runs", RUN, PipelineRun),
        ("pull-requests", PULL_REQUEST, PullRequest),
        ("commits", COMMIT, Commit),
        ("work-items", WORK_ITEM, WorkItem),
        ("sprints", SPRINT, Sprint),
    ],
)
def test_a_record_is_stored_once_however_often_it_is_pushed(
    pusher: Pusher, kind: str, record: dict[str, Any], model: Any
) -> None:
    assert pusher.push(kind, record) == [("created", "")]
    assert pusher.push(kind, record) == [("unchanged", "")]
    assert model.objects.count() == 1


def test_the_parts_of_a_pull_request_are_stored_with_it(pusher: Pusher) -> None:
    pusher.push("work-items", WORK_ITEM)
    pusher.push("pull-requests", PULL_REQUEST)
    pull_request = PullRequest.objects.get()
    assert pull_request.author is not None
    assert pull_request.author.value == "ada@example.com"
    assert pull_request.ready_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert PullRequestReview.objects.get().state == "approved"
    assert PullRequestCommit.objects.get().sha == "b" * 40
    assert WorkItemLink.objects.get().work_item == WorkItem.objects.get()


def test_one_that_was_created_as_a_draft_opens_when_it_is_ready(pusher: Pusher) -> None:
    pusher.push("pull-requests", PULL_REQUEST | {"ready_at": "2026-03-01T10:00:00Z"})
    assert PullRequest.objects.get().ready_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_record_replaces_the_stored_one_entirely(pusher: Pusher) -> None:
    pusher.push("pull-requests", PULL_REQUEST)
    assert pusher.push("pull-requests", PULL_REQUEST | {"reviews": [], "title": ""}) == [("updated", "")]
    assert PullRequest.objects.get().title == ""
    assert not PullRequestReview.objects.exists()


def test_branches_are_stored_by_their_names(pusher: Pusher) -> None:
    pusher.push(
        "pull-requests", PULL_REQUEST | {"source_branch": "refs/heads/carts", "target_branch": "refs/heads/main"}
    )
    assert PullRequest.objects.values_list("source_branch", "target_branch").get() == ("carts", "main")


def test_in_a_batch_the_last_of_one_id_stands(pusher: Pusher) -> None:
    statuses = pusher.push("deployments", DEPLOYMENT, DEPLOYMENT | {"status": "failure"})
    assert [status for status, _ in statuses] == ["created", "updated"]
    assert Deployment.objects.get().status == "failure"


def test_an_older_record_changes_nothing(pusher: Pusher) -> None:
    pusher.push("deployments", DEPLOYMENT | {"updated_at": "2026-03-02T12:00:00Z"})
    older = DEPLOYMENT | {"updated_at": "2026-03-02T11:00:00Z", "status": "failure"}
    assert pusher.push("deployments", older) == [("unchanged", "")]
    assert Deployment.objects.get().status == "success"


def test_what_was_deleted_comes_back_on_its_row(pusher: Pusher) -> None:
    pusher.push("deployments", DEPLOYMENT)
    (key,) = Deployment.objects.values_list("pk", flat=True)
    assert pusher.delete("deployments", "deploy-1") == 200
    assert Deployment.objects.get().deleted_at is not None
    assert pusher.delete("deployments", "deploy-1") == 404
    assert pusher.push("deployments", DEPLOYMENT) == [("updated", "")]
    assert Deployment.objects.values_list("pk", "deleted_at").get() == (key, None)


@pytest.mark.parametrize(
    ("branch", "known", "on_default"),
    [
        ("", "", True),
        ("main", "", True),
        ("feature/x", "", False),
        ("main", "develop", False),
        ("develop", "develop", True),
    ],
)
def test_a_commit_is_on_the_default_branch_as_far_as_is_known(
    pusher: Pusher, branch: str, known: str, on_default: bool
) -> None:
    Repository.objects.create(name="acme/shop", default_branch=known)
    pusher.push("commits", COMMIT | {"branch": branch})
    assert CommitInRepository.objects.get().on_default_branch is on_default


def test_a_commit_can_be_taken_away(pusher: Pusher) -> None:
    pusher.push("commits", COMMIT)
    assert pusher.delete("commits", COMMIT["sha"]) == 200
    assert not CommitInRepository.objects.exists()


def test_a_name_that_another_connection_has_is_left_to_it(pusher: Pusher) -> None:
    other = Connection.objects.create(provider="github", name="Push API")
    pusher.push("deployments", DEPLOYMENT)
    assert Deployment.objects.get().connection != other


def test_after_its_removal_with_facts_kept_the_connection_goes_on(pusher: Pusher) -> None:
    pusher.push("deployments", DEPLOYMENT)
    Connection.objects.update(removed_at=datetime.now(UTC))
    assert pusher.push("deployments", DEPLOYMENT | {"id": "deploy-2"}) == [("created", "")]
    assert Connection.objects.get().removed_at is None


@pytest.mark.parametrize(
    ("kind", "record", "error"),
    [
        ("deployments", DEPLOYMENT | {"enviroment": "x"}, "enviroment: There is no such field."),
        (
            "deployments",
            {k: v for k, v in DEPLOYMENT.items() if k != "environment"},
            "environment: This",
        ),
        ("deployments", DEPLOYMENT | {"finished_at": "1969-12-31T00:00:00Z"}, "finished_at: The time lies before"),
        ("deployments", DEPLOYMENT | {"finished_at": "2026-03-02T10:00:00"}, "finished_at: The time lacks its offset"),
        ("deployments", DEPLOYMENT | {"finished_at": 17}, "finished_at: This is not a time."),
        ("deployments", DEPLOYMENT | {"finished_at": None}, "finished_at: A deployment that is not running"),
        ("deployments", DEPLOYMENT | {"started_at": "2026-03-03T10:00:00Z"}, "finished_at: It lies before started_at."),
        ("deployments", "not an object", "record: A record is an object"),
        ("deployments", None, "record: A record is an object"),
        ("deployments", DEPLOYMENT | {"id": "x" * 201}, "id: Ensure this field has no more than 200 characters."),
        ("pull-requests", PULL_REQUEST | {"merged_at": None}, "merged_at: A merged pull request needs merged_at."),
        ("pull-requests", PULL_REQUEST | {"state": "closed"}, "closed_at: A closed pull request needs closed_at."),
        ("pull-requests", PULL_REQUEST | {"author": "\ud800"}, "author: "),
        ("commits", {k: v for k, v in COMMIT.items() if k != "committed_at"}, "committed_at: A commit counts"),
    ],
)
def test_what_is_wrong_names_its_field_and_the_rest_is_stored(
    pusher: Pusher, kind: str, record: Any, error: str
) -> None:
    good = {"deployments": DEPLOYMENT, "pull-requests": PULL_REQUEST, "work-items": WORK_ITEM, "commits": COMMIT}[kind]
    (status, message), (other, _) = pusher.push(kind, record, good)
    assert status == "rejected"
    assert message.startswith(error)
    assert other == "created"


def test_a_time_that_has_not_come_is_refused(pusher: Pusher) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    [(status, message)] = pusher.push("deployments", DEPLOYMENT | {"finished_at": tomorrow})
    assert (status, message.partition(".")[0]) == ("rejected", "finished_at: The time lies in the future")
    assert not Deployment.objects.exists()


def test_words_that_are_none_of_ours_are_kept(pusher: Pusher) -> None:
    pusher.push("deployments", DEPLOYMENT | {"status": "Half done", "environment": "Moon base"})
    deployment = Deployment.objects.get()
    assert (deployment.status, deployment.native_status) == ("other", "Half done")
    assert (deployment.environment, deployment.native_environment) == ("other", "Moon base")


def test_text_of_any_length_and_script_is_taken(pusher: Pusher) -> None:
    pusher.push("pull-requests", PULL_REQUEST | {"title": "א🙂\0" * 30_000, "labels": ["דחוף", "🔥"]})
    pull_request = PullRequest.objects.get()
    assert pull_request.title.startswith("א🙂א🙂")
    assert len(pull_request.title) == 1000
    assert pull_request.labels == ["דחוף", "🔥"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("{", 400, "The body is not JSON."),
        ("[]", 400, "Send one object"),
        ('{"records": [], "more": 1}', 400, "Send one object"),
        ({"records": [DEPLOYMENT] * 1001}, 413, "A request may have 1,000 records, and this one has 1,001."),
        ("[" * 100_000, 400, "The body is not JSON."),
    ],
)
def test_a_batch_that_is_wrong_changes_nothing(pusher: Pusher, body: Any, status: int, error: str) -> None:
    answered, answer = pusher.post("deployments", body)
    assert (answered, answer["error"].startswith(error)) == (status, True)
    assert not Deployment.objects.exists()


def test_an_empty_batch_is_answered_empty(pusher: Pusher) -> None:
    assert pusher.push("deployments") == []


def test_without_a_valid_token_nothing_is_taken(pusher: Pusher) -> None:
    status, answer = pusher.post("deployments", {"records": [DEPLOYMENT]}, secret="hwi_wrong")
    assert status == 401
    assert "ingest token" in answer["error"]
    assert not Deployment.objects.exists()


def test_a_kind_that_there_is_not_is_named(pusher: Pusher) -> None:
    status, answer = pusher.post("deploys", {"records": []})
    assert status == 404
    assert "deployments" in answer["error"]


def _not_counted(pusher: Pusher, **incident: Any) -> list[str]:
    [result] = pusher.post("incidents", {"records": [{**INCIDENT, **incident}]})[1]["results"]
    return list(result.get("not_counted", []))


@pytest.mark.parametrize(
    ("deployment", "why"),
    [
        ({}, ""),
        ({"status": "failure"}, ""),
        ({"environment": "staging-eu"}, "went to staging-eu, which is not production"),
        ({"status": "cancelled"}, "neither succeeded nor failed: its status is cancelled"),
        ({"status": "running", "finished_at": None}, "has not finished"),
        ({"started_at": "2026-06-30T10:00:00Z", "finished_at": "2026-06-30T10:10:00Z"}, "began after the incident"),
        ({"started_at": None, "finished_at": "2026-06-30T10:10:00Z"}, ""),
        ({"id": "another"}, "No deployment with the id 'deploy-1' is known yet"),
    ],
)
def test_a_named_cause_that_cannot_count_is_answered(pusher: Pusher, deployment: dict[str, Any], why: str) -> None:
    record = {name: value for name, value in {**DEPLOYMENT, **deployment}.items() if value is not None}
    pusher.push("deployments", record)
    said = _not_counted(pusher, caused_by="deploy-1")
    assert bool(said) == bool(why)
    assert all(text.startswith("caused_by: ") and why in text for text in said)


def test_a_named_cause_that_was_deleted_is_answered_until_it_is_back(pusher: Pusher) -> None:
    pusher.push("deployments", DEPLOYMENT)
    pusher.delete("deployments", "deploy-1")
    assert _not_counted(pusher, caused_by="deploy-1") == ["caused_by: Deployment 'deploy-1' was deleted."]
    pusher.push("deployments", DEPLOYMENT)
    assert _not_counted(pusher, caused_by="deploy-1") == []
    assert _not_counted(pusher) == [], "an incident that names none"


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("deployments", DEPLOYMENT),
        ("incidents", INCIDENT),
        ("pipeline-runs", RUN),
        ("pull-requests", PULL_REQUEST),
        ("work-items", WORK_ITEM),
        ("sprints", SPRINT),
        ("commits", COMMIT),
    ],
)
def test_one_odd_field_throws_out_no_record(pusher: Pusher, kind: str, record: dict[str, Any]) -> None:
    """Whatever need not be there is left out where it is not understood, in parts as well, and the answer says so."""
    has_to_be_there = {"finished_at", "committed_at", "merged_at", "closed_at", "starts_at"}  # by the status
    fields = KINDS[kind].record().fields
    optional = [name for name, field in fields.items() if not field.required and name not in has_to_be_there]
    parts = [(name, part) for name in optional for part in record.get(name, ()) if isinstance(part, dict)]
    for value in (None, "odd", 7, [1], {"odd": 1}, "\ud800"):
        odd = [record | {name: value} for name in optional]
        odd += [record | {name: [part | {field: value}]} for name, part in parts for field in part]
        answers = pusher.push(kind, *odd)
        assert {status for status, _ in answers} <= {"created", "updated", "unchanged"}
        assert value != {"odd": 1} or all(message for _, message in answers)


def test_a_part_that_is_left_out_is_named_with_the_reason(pusher: Pusher) -> None:
    review = {"author": "a@example.com", "state": "approved", "submitted_at": "2026-03-02T10:00:00Z"}
    odd = PULL_REQUEST | {"additions": -1, "reviews": [{"author": "a"}, review, "yes"]}
    [(status, message)] = pusher.push("pull-requests", odd)
    assert (status, "additions: " in message, "reviews[0].state: " in message, "reviews[2]" in message) == (
        "created",
        *[True] * 3,
    )
    assert PullRequestReview.objects.count() == 1


def statuses(answer: tuple[int, Any]) -> list[str]:
    return [result["status"] for result in answer[1]["results"]]


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("deployments", DEPLOYMENT),
        ("incidents", INCIDENT),
        ("pipeline-runs", RUN),
        ("pull-requests", PULL_REQUEST),
        ("commits", COMMIT),
        ("work-items", WORK_ITEM),
        ("sprints", SPRINT),
    ],
)
def test_a_token_changes_only_what_it_wrote(kind: str, record: dict[str, Any]) -> None:
    """Whatever another token wrote, before or after writers were noted, deleted or not, it cannot change or delete."""
    ours, theirs = Pusher(), Pusher()
    id_ = record.get("id", record.get("sha"))
    mine = {**record, "sha" if kind == "commits" else "id": "d" * 40}
    assert statuses(ours.post(kind, {"records": [record]})) in (["created"], ["waiting"])
    status, answer = theirs.post(kind, {"records": [record, mine]})
    assert status == 200
    refused, stored = answer["results"]
    assert (refused["status"], "its own records only" in refused["error"]) == ("rejected", True)
    assert stored["status"] in ("created", "waiting")
    assert delete(theirs, kind, id_)[0] == 403
    assert delete(ours, kind, id_)[0] == 200
    assert statuses(theirs.post(kind, {"records": [record]})) == ["rejected"], "a deleted one comes back for its writer"
    assert statuses(ours.post(kind, {"records": [record]}))[0] != "rejected"
    PushedRecord.objects.all().delete()  # as of before writers were noted
    assert statuses(ours.post(kind, {"records": [record]})) == ["rejected"]
    assert delete(ours, kind, id_)[0] == 403
    everything = Pusher(changes_all=True)
    assert statuses(everything.post(kind, {"records": [record]}))[0] != "rejected"
    assert delete(everything, kind, id_)[0] == 200


def test_a_token_of_one_s_own_cannot_claim_a_record_by_deleting_or_naming_it_twice() -> None:
    ours, theirs = Pusher(changes_all=True), Pusher()
    assert delete(theirs, "deployments", "deploy-1")[0] == 404
    ours.post("deployments", {"records": [DEPLOYMENT]})
    failed = {**DEPLOYMENT, "status": "failure"}
    assert statuses(theirs.post("deployments", {"records": [failed, failed]})) == ["rejected"] * 2
    assert Deployment.objects.get().status == "success"


def delete(pusher: Pusher, kind: str, id_: Any) -> tuple[int, Any]:
    answer = pusher.client.delete(f"/ingest/v1/{kind}/{id_}/", headers={"authorization": f"Bearer {pusher.secret}"})
    return answer.status_code, answer.json()
