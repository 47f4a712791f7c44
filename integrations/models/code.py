"""Commits, their files, the repositories that contain them, and unmerged branches.

A commit is identified by its object id; repositories link to it.  Neither code nor message bodies are stored, only the
subject line, trailers that name people and agents, and counts.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from integrations.models.connections import Repository, RepositorySource
from orgtree.models import Identity


class CommitExclusion(models.TextChoices):
    """Reasons why a commit is excluded; empty if it counts."""

    MERGE = "merge", "Merge: its lines are its parents'"
    DUPLICATE = "duplicate", "The same change as another commit (rebase, cherry-pick)"
    SQUASHED = "squashed", "Part of a squash on the default branch"
    BULK = "bulk", "Bulk: over the thresholds for lines or files"
    BOT = "bot", "By a bot that is no coding agent"
    GONE = "gone", "No branch contains it now"


class Commit(models.Model):
    """One commit object."""

    sha = models.CharField(max_length=64, unique=True)
    author = models.ForeignKey(Identity, models.PROTECT, related_name="+", db_index=False)
    committer = models.ForeignKey(Identity, models.PROTECT, related_name="+")
    # The author, or for a coding agent the person who asked for the commit; null: an autonomous agent without a
    # known person.
    credited = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+", db_index=False)
    authored_at = models.DateTimeField()
    committed_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    counted_on = models.DateField(
        help_text="Local day of the committer time, or of when it was first seen if that time lies in the future"
    )
    parents = ArrayField(models.CharField(max_length=64), default=list)
    subject = models.CharField(max_length=200, blank=True)
    # False if git could not read the objects (partial clone): lines are unknown then, not zero.
    lines_known = models.BooleanField(default=True)
    # Known only from a provider's API, until a clone is read.
    without_clone = models.BooleanField(default=False, db_default=False)
    file_count = models.IntegerField(default=0)
    by_bot = models.BooleanField(default=False, help_text="Written by a bot that is not a coding agent.")
    by_agent = models.CharField(max_length=40, blank=True, help_text="The coding agent that wrote it.")
    # Added and deleted lines of counted files.
    lines_added = models.IntegerField(default=0)
    lines_deleted = models.IntegerField(default=0)
    counts_key = models.UUIDField(help_text="Hash of the counts per file, which a squash shares with its branch.")
    change_key = models.UUIDField(help_text="Hash of author, author time and counts per file: identifies a change.")
    exclusion_reason = models.CharField(
        max_length=12, choices=CommitExclusion.choices, blank=True, db_column="set_apart"
    )
    # Part of a branch that was squashed onto the default branch.
    squashed = models.BooleanField(default=False, db_default=False)
    # The commit that represents it, for which its evidence counts.
    duplicate_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="duplicates", db_column="stands_in_id"
    )
    picked_from = ArrayField(
        models.CharField(max_length=64),
        default=list,
        db_default=[],
        help_text="The commits that it was cherry-picked from, according to its message.",
    )
    # The home, derived from the links, for figures by repository: integrations/code/commits/in_repositories.py.
    home = models.ForeignKey(
        Repository,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The repository it counts in: one with it on the default branch, otherwise the first connected.",
    )

    class Meta:
        indexes = [
            models.Index(fields=["counted_on"], name="commit_by_day"),
            # For the earliest commit of a clone: without it, a full scan if all commits come from a provider.
            models.Index(fields=["counted_on"], condition=models.Q(without_clone=False), name="commit_of_clone_by_day"),
            models.Index(fields=["change_key"], name="commit_by_change"),
            models.Index(fields=["counts_key"], name="commit_by_counts"),
            models.Index(fields=["author", "committed_at"], name="commit_by_author"),
            models.Index(fields=["credited", "authored_at"], name="commit_by_credited"),
            models.Index(fields=["credited", "counted_on"], name="commit_by_credited_day"),
            models.Index(
                fields=["home", "counted_on"], condition=models.Q(credited=None), name="commit_of_autonomous_agent"
            ),
            GinIndex(
                fields=["picked_from"], name="commit_by_pick", condition=~models.Q(picked_from=[]), fastupdate=False
            ),
        ]


class CommitFile(models.Model):
    """One file in one commit."""

    class ExclusionReason(models.TextChoices):
        GENERATED = "generated", "Generated"
        VENDORED = "vendored", "Vendored"
        MINIFIED = "minified", "Minified"
        LOCK = "lock", "Lock file"
        BINARY = "binary", "Binary"

    class Type(models.TextChoices):
        CODE = "code", "Code"
        DOCUMENTATION = "documentation", "Documentation"
        SCRIPT = "script", "Script"
        TEST = "test", "Test"
        CONFIGURATION = "configuration", "Configuration"
        MIGRATION = "migration", "Migration"
        OTHER = "other", "Other"

    commit = models.ForeignKey(Commit, models.CASCADE, related_name="files", db_index=False)
    path = models.TextField(help_text="As in git; bytes that are not UTF-8 are shown as \\xNN.")
    old_path = models.TextField(blank=True, help_text="Before a rename.")
    language = models.CharField(max_length=60, blank=True)
    file_type = models.CharField(max_length=16, choices=Type.choices)
    added = models.IntegerField(null=True)
    deleted = models.IntegerField(null=True)
    exclusion_reason = models.CharField(
        max_length=10, choices=ExclusionReason.choices, blank=True, db_column="set_apart"
    )

    class Meta:
        indexes = [models.Index(fields=["commit"], name="commit_file_of_commit")]


class CommitInRepository(models.Model):
    """A repository that contains a commit on some branch; deleted when no branch of any source contains the commit any
    more.
    """

    commit = models.ForeignKey(Commit, models.CASCADE, related_name="repositories", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    on_default_branch = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["commit", "repository"], name="commit_in_repository_is_unique")]


class CoAuthor(models.Model):
    """A person or agent named in a trailer of the commit."""

    commit = models.ForeignKey(Commit, models.CASCADE, related_name="co_authors")
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+")
    agent = models.CharField(max_length=40, blank=True, help_text="Slug, if the address is a known agent's.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["commit", "identity"], name="co_author_is_unique")]


class ContextFile(models.Model):
    """An agent context file on a repository's default branch, from the day of its first commit."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="context_files")
    path = models.TextField()
    agent = models.CharField(max_length=40, blank=True, help_text="Empty if any agent reads it (AGENTS.md).")
    present_from = models.DateField()
    present_to = models.DateField(null=True, help_text="First day without it; null while it is there.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "path", "present_from"], name="context_file_is_unique")
        ]


class AppliedThresholds(models.Model):
    """The bulk thresholds last applied to all commits: one row, written when done."""

    lines = models.PositiveIntegerField()
    files = models.PositiveIntegerField()

    class Meta:
        db_table = "integrations_followedthresholds"
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="followed_thresholds_are_one_row")]


LONGEST_BRANCH_NAME = 300


class UnmergedBranch(models.Model):
    """An unmerged branch at one tip, until the day on which the branch moved, was merged or was deleted."""

    source = models.ForeignKey(RepositorySource, models.CASCADE, related_name="unmerged_branches", db_index=False)
    name = models.CharField(max_length=LONGEST_BRANCH_NAME)
    tip = models.ForeignKey(Commit, models.CASCADE, related_name="+")
    gone_on = models.DateField(null=True, help_text="The first day without it.")

    class Meta:
        verbose_name_plural = "unmerged branches"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"], condition=Q(gone_on=None), name="unmerged_branch_stands_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
