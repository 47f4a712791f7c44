"""The records of the push API: the fields of each kind.  docs/push.md documents them for senders."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from rest_framework import serializers

from integrations.push.fields import (
    LONGEST_NAME,
    LONGEST_URL,
    Count,
    PartTime,
    StrictSerializer,
    Text,
    Texts,
    Time,
    Title,
)


def in_order(record: dict[str, Any], *names: str) -> None:
    """Refuse a record whose times run backwards; missing ones are skipped."""
    given = [(name, record[name]) for name in names if record.get(name) is not None]
    for (earlier, before), (later, after) in pairwise(given):
        if after < before:
            raise serializers.ValidationError({later: [f"It lies before {earlier}."]})


class Record(StrictSerializer):
    updated_at = Time(required=False)


class DeploymentRecord(Record):
    id = Text()
    repository = Text(longest=LONGEST_NAME)
    environment = Text()
    status = Text()
    finished_at = Time(required=False)
    sha = Text(required=False, longest=64)
    service = Text(required=False)
    started_at = Time(required=False)
    url = Text(required=False, longest=LONGEST_URL)
    deployed_by = Text(required=False, longest=320)
    rollback_of = Text(required=False)
    fixes = Texts()
    unplanned = serializers.BooleanField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["status"].lower() != "running" and attrs["finished_at"] is None:
            raise serializers.ValidationError({"finished_at": ["A deployment that is not running needs finished_at."]})
        in_order(attrs, "started_at", "finished_at")
        return attrs


class IncidentRecord(Record):
    id = Text()
    started_at = Time()
    title = Title(required=False)
    severity = Text(required=False)
    service = Text(required=False)
    repository = Text(required=False, longest=LONGEST_NAME)
    acknowledged_at = Time(required=False)
    resolved_at = Time(required=False)
    caused_by = Text(required=False)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        in_order(attrs, "started_at", "resolved_at")
        in_order(attrs, "started_at", "acknowledged_at")
        return attrs


class PipelineRunRecord(Record):
    id = Text()
    repository = Text(longest=LONGEST_NAME)
    name = Text()
    status = Text()
    sha = Text(required=False, longest=64)
    branch = Text(required=False, longest=LONGEST_NAME)
    queued_at = Time(required=False)
    started_at = Time(required=False)
    finished_at = Time(required=False)
    attempt = serializers.IntegerField(min_value=1, max_value=10_000, required=False, default=1)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        in_order(attrs, "queued_at", "started_at", "finished_at")
        return attrs


class ReviewRecord(StrictSerializer):
    author = Text(longest=320)
    state = Text()
    submitted_at = PartTime()


class PullRequestCommitRecord(StrictSerializer):
    sha = Text(longest=64)
    author_email = Text(required=False, longest=320)
    authored_at = PartTime(required=False)
    committed_at = PartTime(required=False)
    message = Title(required=False)
    parents = Texts()


class PullRequestRecord(Record):
    id = Text()
    repository = Text(longest=LONGEST_NAME)
    number = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    author = Text(longest=320)
    created_at = Time()
    state = Text()
    title = Title(required=False)
    draft = serializers.BooleanField(required=False, default=False)
    ready_at = Time(required=False)
    merged_at = Time(required=False)
    closed_at = Time(required=False)
    merged_by = Text(required=False, longest=320)
    requested_by = Text(required=False, longest=320)
    merge_sha = Text(required=False, longest=64)
    source_branch = Text(required=False, longest=LONGEST_NAME)
    target_branch = Text(required=False, longest=LONGEST_NAME)
    additions = Count()
    deletions = Count()
    labels = Texts()
    work_items = Texts()
    reviews = serializers.ListField(child=ReviewRecord(), required=False, default=list, max_length=5000)
    commits = serializers.ListField(child=PullRequestCommitRecord(), required=False, default=list, max_length=5000)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["state"].lower() == "merged" and attrs["merged_at"] is None:
            raise serializers.ValidationError({"merged_at": ["A merged pull request needs merged_at."]})
        if attrs["state"].lower() == "closed" and attrs["closed_at"] is None:
            raise serializers.ValidationError({"closed_at": ["A closed pull request needs closed_at."]})
        in_order(attrs, "created_at", "merged_at")
        in_order(attrs, "created_at", "closed_at")
        in_order(attrs, "created_at", "ready_at")
        return attrs


class CommitRecord(Record):
    repository = Text(longest=LONGEST_NAME)
    sha = Text(longest=64)
    parents = serializers.ListField(child=Text(longest=64), max_length=100)
    branch = Text(required=False, longest=LONGEST_NAME)
    author_email = Text(required=False, longest=320)
    authored_at = Time(required=False)
    committed_at = Time(required=False)
    message = Title(required=False)
    additions = Count()
    deletions = Count()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["committed_at"] is None and attrs["authored_at"] is None:
            raise serializers.ValidationError({"committed_at": ["A commit counts at its time. Send committed_at."]})
        return attrs


class TransitionRecord(StrictSerializer):
    at = PartTime()
    category = Text()
    to = Text(required=False)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, and cannot be declared above.
        return super().get_fields() | {"from": Text(required=False)}


class AssigneeRecord(StrictSerializer):
    at = PartTime()
    assignee = Text(required=False, longest=320)


class WorkItemRecord(Record):
    id = Text()
    project = Text()
    title = Title()
    type = Text()
    status_category = Text()
    created_at = Time()
    priority = Text(required=False)
    assignee = Text(required=False, longest=320)
    assignees = serializers.ListField(child=AssigneeRecord(), required=False, default=list, max_length=5000)
    estimate = serializers.FloatField(required=False, allow_null=True, default=None, min_value=0, max_value=1e9)
    parent = Text(required=False)  # type: ignore[assignment]  # the framework takes fields off the class again
    labels = Texts()
    resolved_at = Time(required=False)
    transitions = serializers.ListField(child=TransitionRecord(), required=False, default=list, max_length=5000)
    first_category = Text(required=False)
    url = Text(required=False, longest=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        in_order(attrs, "created_at", "resolved_at")
        return attrs
