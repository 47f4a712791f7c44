"""Evidence that lines of a commit came from an agent, and the attribution derived from it."""

from __future__ import annotations

from django.db import models

from integrations.models.code import Commit, CommitFile
from integrations.models.connections import Repository
from integrations.models.pull_requests import PullRequest
from integrations.models.sessions import AgentSession


class Method(models.TextChoices):
    """Methods of obtaining evidence, strongest first."""

    LINE_CHECKPOINT = "line_checkpoint", "Line checkpoints of the collector"
    NOTE = "note", "git-ai note"
    RECORD = "record", "Record of a tool in the repository"
    VENDOR = "vendor", "Vendor's commit API"
    NAMED = "named", "Named by the agent with a tool call"
    TRAILER = "trailer", "Trailer or identity of a known agent"
    LABEL = "label", "Label of a pull request"
    OVERLAP = "overlap", "A session of the author at that time"


class EvidenceLevel(models.TextChoices):
    LINE = "line", "Line level: its lines"
    COMMIT = "commit", "Commit level: all added lines, as an upper bound"


class CommitEvidence(models.Model):
    """One piece of evidence.  Append-only; a changed notes ref withdraws its earlier evidence."""

    commit = models.ForeignKey(Commit, models.CASCADE, related_name="evidence")
    method = models.CharField(max_length=16, choices=Method.choices)
    level = models.CharField(max_length=8, choices=EvidenceLevel.choices)
    agent = models.CharField(max_length=40, help_text="Empty: the note or record says that no agent was used.")
    model = models.CharField(max_length=120, blank=True)
    session = models.ForeignKey(AgentSession, models.SET_NULL, null=True, related_name="+")
    external_session = models.CharField(max_length=200, blank=True, help_text="The session id in the note.")
    repository = models.ForeignKey(
        Repository,
        models.CASCADE,
        null=True,
        related_name="+",
        help_text="The repository of the note or record; null for other evidence.",
    )
    lines_by_path = models.JSONField(null=True, help_text="Lines by path; only for evidence at line level.")
    confidence = models.FloatField(help_text="From 0 to 1.")
    said = models.CharField(max_length=500, blank=True, help_text="The trailer or other evidence, shortened.")
    bound = models.FloatField(
        null=True,
        help_text="The agent's share of the lines, from 0 to 1: as counted by a record or, for a squash "
        "whose message lists its parts, by the parts that the agent signed.",
    )
    digest = models.UUIDField(help_text="Hash of all the fields above, so that repeated evidence is stored once.")
    seen_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["commit", "digest"], name="commit_evidence_is_unique")]
        indexes = [
            models.Index(
                fields=["external_session"],
                condition=~models.Q(external_session=""),
                name="commit_evidence_by_session",
            )
        ]


class FileAttribution(models.Model):
    """Derived: AI lines of one counted file by agent, from the strongest evidence."""

    file = models.ForeignKey(CommitFile, models.CASCADE, related_name="attributions", db_index=False)
    commit = models.ForeignKey(Commit, models.CASCADE, related_name="+")
    agent = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True)
    session = models.ForeignKey(AgentSession, models.SET_NULL, null=True, related_name="+")
    method = models.CharField(max_length=16, choices=Method.choices)
    level = models.CharField(max_length=8, choices=EvidenceLevel.choices)
    ai_lines = models.IntegerField(help_text="Summed over all agents, never more than the lines added to the file.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file", "agent", "session", "method"],
                nulls_distinct=False,
                name="file_attribution_is_unique",
            )
        ]


class SessionShare(models.Model):
    """Derived: a session's AI lines in counted commits of one repository and work type, and its share of the spend.

    Spend is split by lines, or by `weight` if telemetry names the session's repositories, which may hold none of its
    lines; other repositories with lines then have no weight.  The shares of a session are ordered: `lines_before` (or
    `weight_before`) is the sum of the preceding ones, so that splitting leaves no remainder.
    """

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="+", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    work_type = models.CharField(
        max_length=20,
        blank=True,
        db_default="",
        help_text="The work type of the pull request with the commits; empty: there is none.",
    )
    lines = models.BigIntegerField()
    lines_before = models.BigIntegerField()
    lines_of_session = models.BigIntegerField(help_text="The session's AI lines in all repositories and work types.")
    weight = models.BigIntegerField(null=True)
    weight_before = models.BigIntegerField(null=True)
    weight_of_session = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "repository", "work_type"], name="session_share_is_unique"),
        ]


class PullRequestShare(models.Model):
    """Derived: a session's share of one pull request, by which its spend is split.

    The shares of a session cover all of it and are ordered: `lines_before` is the sum of the preceding ones, so that
    splitting leaves no remainder.  A session without any known outcome has none.
    """

    class Via(models.TextChoices):
        """The method by which a session is assigned to a pull request."""

        COMMITS = "commits", "Its lines in counted commits"
        BRANCH = "branch", "The branch that its telemetry names"
        LOST = "lost", "Its commits that no branch holds any more"
        PLACE = "place", "The repository that its telemetry names, and nothing else"

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="+", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, null=True, related_name="+")
    pull_request = models.ForeignKey(
        PullRequest,
        models.CASCADE,
        null=True,
        related_name="+",
        help_text="Null: this part belongs to no pull request.",
    )
    via = models.CharField(max_length=8, choices=Via.choices)
    lines = models.BigIntegerField(help_text="AI lines; 1 if the whole session belongs to one branch.")
    lines_before = models.BigIntegerField()
    lines_of_session = models.BigIntegerField(help_text="The session's total over all its shares.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "repository", "pull_request"],
                nulls_distinct=False,
                name="pull_request_share_is_unique",
            ),
        ]


class AttributionWork(models.Model):
    """Queue of commits and sessions whose attribution must be recomputed.

    May contain duplicates: a worker may already have claimed an existing row, so a new change needs a row of its own.
    """

    commit = models.ForeignKey(Commit, models.CASCADE, null=True, related_name="+", db_index=False)
    session = models.ForeignKey(AgentSession, models.CASCADE, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(commit=None) ^ models.Q(session=None), name="attribution_work_is_of_one"
            )
        ]


class UnusedNote(models.Model):
    """A repository's note on a commit that is not stored because it is in no branch and no pull request names it."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    sha = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "sha"], name="unused_note_is_unique")]


class UnreadableNote(models.Model):
    """A note that violates the note standard; listed until it is rewritten."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    commit = models.ForeignKey(Commit, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300)

    class Meta:
        verbose_name = "invalid note"
        constraints = [models.UniqueConstraint(fields=["repository", "commit"], name="unreadable_note_is_unique")]
