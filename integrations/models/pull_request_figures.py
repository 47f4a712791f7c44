"""Figures of pull requests for metrics: stages, sizes and reviews.

Derived: updated by integrations/delivery/pull_requests/figures.py in the transaction that changes the inputs.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.db import models

from integrations.enums import WorkType
from integrations.models.connections import Repository
from integrations.models.fields import DayRangesField
from integrations.models.provider_fact import enum_field
from integrations.models.pull_requests import PullRequest, PullRequestReview
from orgtree.models import Identity


class PullRequestExclusion(models.TextChoices):
    """Reasons why a pull request is excluded; empty if it counts."""

    BOT = "bot", "By a bot that is no coding agent"
    DELETED = "deleted", "Deleted"
    LABEL = "label", "By a label that its unit’s working agreement ignores"


class SizeClass(models.TextChoices):
    """Size by lines added and deleted: up to 100, 400, 800, or more, or the limits of the unit's working agreement."""

    SMALL = "S", "Small"
    MEDIUM = "M", "Medium"
    LARGE = "L", "Large"
    EXTRA_LARGE = "XL", "Extra large"


class RevertMethod(models.TextChoices):
    """Ways to determine that a pull request reverts another, most reliable first."""

    BRANCH_NUMBER = "branch_number", "The number in the name of its branch"
    BRANCH_COMMIT = "branch_commit", "The commit in the name of its branch"
    TITLE_NUMBER = "title_number", "The number in the title that it quotes"
    NAMED_COMMIT = "named_commit", "The commit that its title or one of its commits names"
    QUOTED_TITLE = "quoted_title", "The title that it quotes"


class PullRequestFigures(models.Model):
    """One row per pull request in any state.  Seconds are null if a stage is missing or would be negative."""

    pull_request = models.OneToOneField(PullRequest, models.CASCADE, primary_key=True, related_name="figures")
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    credited = models.ForeignKey(
        Identity,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The person it counts for: the author or, for a coding agent, the requester.",
    )
    is_autonomous = models.BooleanField(
        default=False,
        db_default=False,
        help_text="By a coding agent without a known requester: it counts for the repository’s owner.",
    )
    exclusion_reason = models.CharField(
        max_length=8, choices=PullRequestExclusion.choices, blank=True, db_column="set_apart"
    )
    opened_at = models.DateTimeField(null=True, help_text="When it was first ready for review.")
    opened_on = models.DateField(null=True)
    merged_at = models.DateTimeField(null=True)
    merged_on = models.DateField(null=True)
    first_commit_at = models.DateTimeField(null=True, help_text="Earliest author time of its own commits.")
    first_review_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True, help_text="Last approval before the merge.")
    coding_seconds = models.FloatField(null=True)
    pickup_seconds = models.FloatField(null=True)
    review_seconds = models.FloatField(null=True)
    merge_seconds = models.FloatField(null=True)
    cycle_seconds = models.FloatField(null=True)
    ci_wait_seconds = models.FloatField(
        null=True, help_text="Time during which pipelines ran for it while it was open."
    )
    failed_run_count = models.IntegerField(
        null=True, help_text="Failed pipeline runs on its commits before the merge; null: none ran."
    )
    review_count = models.IntegerField(default=0)
    reviewer_count = models.IntegerField(default=0)
    is_self_merged = models.BooleanField(null=True, help_text="Null: it is not known who merged it.")
    size = models.IntegerField(null=True, help_text="Lines added and deleted, without generated and vendored ones.")
    size_class = models.CharField(max_length=2, choices=SizeClass.choices, blank=True)
    agreed_lines = models.IntegerField(null=True, help_text="The largest size by the working agreement.")
    agreed_review_hours = models.IntegerField(null=True, help_text="Until the first review, by the working agreement.")
    agreed_item = models.BooleanField(
        null=True, help_text="Whether it has to name a work item, by the working agreement."
    )
    agreed_marks = models.BooleanField(
        null=True, help_text="Whether it gets labels for what it breaks, by the working agreement."
    )
    comment_count = models.IntegerField(null=True)
    file_count = models.IntegerField(null=True)
    directory_count = models.IntegerField(null=True, help_text="Null: there is no clone.")
    language_count = models.IntegerField(null=True)
    reviewed_path_count = models.IntegerField(null=True, help_text="Changed paths; null: no clone, or no review.")
    new_path_count = models.IntegerField(
        null=True, help_text="Changed paths that none of its reviewers had changed before."
    )
    written_line_count = models.IntegerField(
        null=True, help_text="Lines that it wrote on the default branch; null: not merged, or no clone."
    )
    rewritten_line_count = models.IntegerField(null=True, help_text="Written lines that were rewritten within 21 days.")
    is_linked = models.BooleanField(default=False, help_text="Linked to a known work item.")
    work_type = enum_field(WorkType, default=WorkType.OTHER)
    agents = ArrayField(
        models.CharField(max_length=40), default=list, help_text="Agents that contributed to any of its commits."
    )
    open_days = DayRangesField(null=True, help_text="Days on which it was open, from the first day ready for review.")
    stale_days = DayRangesField(null=True, help_text="Open days after two weeks without activity.")
    is_revert = models.BooleanField(default=False, help_text="According to its title or branch.")
    # Without a constraint: deleting thousands of rows would need an index for each reference.
    reverts = models.ForeignKey(
        PullRequest,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The pull request that it reverts.",
    )
    revert_method = models.CharField(max_length=13, choices=RevertMethod.choices, blank=True, default="", db_default="")
    reverted_by = models.ForeignKey(
        PullRequest,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The first merged pull request that reverts it.",
    )

    class Meta:
        verbose_name_plural = "pull request figures"
        indexes = [
            models.Index(fields=["merged_on"], name="pull_request_figures_by_merge"),
            models.Index(fields=["opened_on"], name="pull_request_figures_by_start"),
            # For queries of a few people in a window.
            models.Index(fields=["credited", "merged_on", "opened_on"], name="pull_request_figures_by_whom"),
            models.Index(
                fields=["repository", "merged_on"],
                condition=models.Q(is_autonomous=True),
                name="pull_request_autonomous",
            ),
            models.Index(fields=["repository"], condition=models.Q(is_revert=True), name="pull_request_reverts"),
            GistIndex(
                fields=["stale_days"], condition=~models.Q(stale_days=None), name="pull_request_figures_by_stale"
            ),
        ]


class CountedReview(models.Model):
    """A counted review: submitted before the merge by a person other than the author, not by a bot."""

    review = models.OneToOneField(PullRequestReview, models.CASCADE, primary_key=True, related_name="+")
    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    submitted_on = models.DateField()

    class Meta:
        indexes = [
            models.Index(fields=["submitted_on"], name="counted_review_by_day"),
            models.Index(fields=["reviewer", "submitted_on"], name="counted_review_by_reviewer"),
        ]


class PullRequestWork(models.Model):
    """Queue of pull requests whose figures must be recomputed because something else changed.

    May contain duplicates.
    """

    pull_request = models.ForeignKey(PullRequest, models.CASCADE, related_name="+", db_index=False)
