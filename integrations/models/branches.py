"""Unmerged branches."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.models.code import Commit
from integrations.models.connections import RepositorySource

LONGEST_BRANCH_NAME = 300


class UnmergedBranch(models.Model):
    """A branch at an unmerged tip, until the day on which it moved, was merged or deleted."""

    source = models.ForeignKey(RepositorySource, models.CASCADE, related_name="unmerged_branches", db_index=False)
    name = models.CharField(max_length=LONGEST_BRANCH_NAME)
    tip = models.ForeignKey(Commit, models.CASCADE, related_name="+")
    gone_on = models.DateField(null=True, help_text="The first day on which it was no longer there.")

    class Meta:
        verbose_name_plural = "unmerged branches"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"], condition=Q(gone_on=None), name="unmerged_branch_stands_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
