"""Line history of default branches: changed lines by commit, and the commit up to which each repository was read."""

from __future__ import annotations

from django.db import models

from integrations.models.code import Commit
from integrations.models.connections import Repository


class LineHistory(models.Model):
    """The commit up to which a repository's line history was read.

    `ages` holds when each line of each file was last changed, as of `tip`; it changes in the transaction that stores
    the changes of the commits up to there.
    """

    repository = models.OneToOneField(Repository, models.CASCADE, primary_key=True, related_name="line_history")
    tip = models.CharField(max_length=64, blank=True, default="", db_default="")
    ages = models.BinaryField(default=bytes, help_text="integrations/connectors/git/line_ages.py")
    # Queued when the branch moved, until the update completes.
    requested_at = models.DateTimeField(null=True, db_column="asked_at")
    problem = models.TextField(blank=True, default="", db_default="", help_text="Why it could not be updated.")

    def __str__(self) -> str:
        return str(self.repository)


class ChangedLines(models.Model):
    """Lines that one commit of the default branch's first-parent chain changed, in counted files.

    A merge is one change, like a squash of the same branch: its `author` is the author of most of it among the merged
    commits.
    """

    commit = models.OneToOneField(Commit, models.CASCADE, primary_key=True, related_name="changed_lines")
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    author = models.ForeignKey(
        Commit, models.CASCADE, related_name="+", help_text="The commit whose author is credited."
    )
    files = models.IntegerField(help_text="Counted files.")
    added = models.IntegerField(help_text="Lines that replaced no others.")
    reworked = models.IntegerField(help_text="Lines changed or deleted that were at most 21 days old.")
    refactored = models.IntegerField(help_text="Lines changed or deleted that were older.")
    written = models.IntegerField(
        null=True, help_text="All lines that it wrote; null: it was read before Headway counted them."
    )

    class Meta:
        verbose_name_plural = "changed lines"


class RewrittenLines(models.Model):
    """The number of lines of one change that another change of the same branch rewrote or deleted, at most 21 days
    later.

    The change that wrote a line is identified by its second: if several changes have the same one, as after a rebase,
    it is the first of them.
    """

    commit = models.ForeignKey(
        ChangedLines, models.CASCADE, related_name="+", help_text="The change that wrote the lines."
    )
    by = models.ForeignKey(ChangedLines, models.CASCADE, related_name="+")
    lines = models.IntegerField()

    class Meta:
        verbose_name_plural = "rewritten lines"
        constraints = [models.UniqueConstraint(fields=["commit", "by"], name="rewritten_lines_once")]
