"""What the changes of a default branch do to lines that are there already, and how far a repository was followed."""

from __future__ import annotations

from django.db import models

from integrations.models.code import Commit
from integrations.models.connections import Repository


class LineHistory(models.Model):
    """How far the lines of a repository's default branch were followed.

    `ages` holds when each line of each file was last changed, as of `tip`; it moves in the transaction that stores
    what the commits up to there changed.
    """

    repository = models.OneToOneField(Repository, models.CASCADE, primary_key=True, related_name="line_history")
    tip = models.CharField(max_length=64, blank=True, default="", db_default="")
    ages = models.BinaryField(default=bytes, help_text="integrations/connectors/git/line_ages.py")
    # Work to do is a row: asked for when the branch moved, and not yet done since.
    asked_at = models.DateTimeField(null=True)
    followed_at = models.DateTimeField(null=True, help_text="When it was last followed to the tip.")
    problem = models.TextField(blank=True, default="", db_default="", help_text="Why it could not be, in words.")

    def __str__(self) -> str:
        return str(self.repository)


class ChangedLines(models.Model):
    """What one commit of the default branch's first-parent chain changed, in the files that count.

    A merge is one change, as a squash of the same branch is: `author` is then the commit, among those that it brought,
    whose author wrote most of it.
    """

    commit = models.OneToOneField(Commit, models.CASCADE, primary_key=True, related_name="changed_lines")
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    author = models.ForeignKey(Commit, models.CASCADE, related_name="+", help_text="The commit whose author it is of.")
    files = models.IntegerField(help_text="That count.")
    added = models.IntegerField(help_text="Lines for which none gave way.")
    reworked = models.IntegerField(help_text="Lines changed or deleted that were at most 21 days old.")
    refactored = models.IntegerField(help_text="Lines changed or deleted that were older.")

    class Meta:
        verbose_name_plural = "changed lines"
