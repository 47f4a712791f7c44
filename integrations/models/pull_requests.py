"""Pull requests (merge requests), with their commits, reviews and events."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from integrations.enums import LinkMethod, PullRequestEventKind, PullRequestState, ReviewState, WorkType
from integrations.models.connections import Repository
from integrations.models.provider_fact import ProviderFact, enum_field, native_field, text_field
from integrations.models.work_items import WorkItem
from orgtree.models import Identity


class PullRequest(ProviderFact):
    """One pull request.  Sizes and counts are null if the provider does not send them."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="pull_requests", db_index=False)
    number = models.IntegerField()
    title = models.TextField(blank=True, default="", db_default="")
    author = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    requested_by = models.ForeignKey(
        Identity,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The person who requested it from an agent.",
    )
    state = enum_field(PullRequestState, default=PullRequestState.OPEN, db_default=PullRequestState.OPEN)
    native_state = native_field()
    is_draft = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(
        null=True, help_text="When it was first ready for review; null before that. Derived from its events."
    )
    merged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    merged_by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    merge_sha = text_field(64)
    head_sha = text_field(64)
    source_branch = text_field(500)
    target_branch = text_field(500)
    additions = models.IntegerField(null=True)
    deletions = models.IntegerField(null=True)
    changed_files = models.IntegerField(null=True)
    commit_count = models.IntegerField(
        null=True, help_text="The provider's own count, even if it lists fewer commits; null if unknown."
    )
    comment_count = models.IntegerField(null=True)
    review_comment_count = models.IntegerField(null=True)
    labels = ArrayField(models.TextField(), default=list, db_default=[])
    work_type = enum_field(
        WorkType,
        default=WorkType.OTHER,
        db_default=WorkType.OTHER,
        help_text="Derived from label, linked item or title.",
    )

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(fields=["repository", "number"], name="pull_request_by_number"),
            models.Index(fields=["merged_at"], name="pull_request_by_merge"),
            models.Index(
                fields=["repository", "source_branch"],
                condition=~models.Q(source_branch=""),
                name="pull_request_by_branch",
            ),
            models.Index(fields=["created_at"], name="pull_request_by_creation"),  # for the earliest one
            models.Index(fields=["author", "created_at"], name="pull_request_by_author"),
            models.Index(fields=["requested_by"], condition=~models.Q(requested_by=None), name="pull_request_by_asker"),
            models.Index(fields=["merge_sha"], condition=~models.Q(merge_sha=""), name="pull_request_by_merge_commit"),
        ]


class PullRequestCommit(models.Model):
    """A commit of the pull request, which may not be stored as a Commit."""

    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="commits", db_index=False)
    sha = models.CharField(max_length=64)
    position = models.IntegerField(default=0, db_default=0)
    author = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    authored_at = models.DateTimeField(null=True)
    committed_at = models.DateTimeField(null=True)
    subject = text_field()
    parents = ArrayField(models.TextField(), default=list, db_default=[], help_text="Empty if no source sent them.")
    agents = ArrayField(
        models.TextField(), default=list, db_default=[], help_text="Coding agents named in its message."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pull_request", "sha"], name="pull_request_commit_is_unique"),
        ]
        indexes = [models.Index(fields=["sha"], name="pull_request_commit_by_sha")]


class PullRequestReview(models.Model):
    """A submitted review, with the provider's own state."""

    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="reviews", db_index=False)
    external_id = models.CharField(max_length=200)
    author = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+")
    state = enum_field(ReviewState)
    native_state = native_field()
    submitted_at = models.DateTimeField()
    commit_sha = text_field(64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pull_request", "external_id"], name="pull_request_review_is_unique")
        ]
        indexes = [models.Index(fields=["submitted_at"], name="review_by_time")]


class PullRequestEvent(models.Model):
    """An event: draft, ready, closed, reopened, review requested."""

    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="events", db_index=False)
    kind = enum_field(PullRequestEventKind)
    at = models.DateTimeField()
    by = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    of = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    team = text_field()
    position = models.IntegerField(default=0, db_default=0, help_text="Order among events at the same moment.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pull_request", "kind", "at", "of", "team"],
                name="pull_request_event_is_unique",
                nulls_distinct=False,
            )
        ]


class WorkItemLink(models.Model):
    """A reference by key from a pull request to a work item, and where it was found.  The item may not exist yet."""

    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="links", db_index=False)
    key = models.CharField(max_length=200)
    method = enum_field(LinkMethod)
    work_item = models.ForeignKey(WorkItem, models.SET_NULL, null=True, related_name="links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pull_request", "key", "method"], name="work_item_link_is_unique")
        ]
        indexes = [models.Index(fields=["key"], name="work_item_link_by_key")]
