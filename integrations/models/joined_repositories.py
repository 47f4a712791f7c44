"""Repositories that an admin joined, and the origin of their records, so that a join can be undone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.code import Commit
from integrations.models.connections import Repository


class RepositoryJoin(models.Model):
    """A join: `joined` counts as `repository` until it is undone.  Joins are never deleted: they are the log."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="joins")
    joined = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    joined_at = models.DateTimeField(db_default=Now(), editable=False)
    joined_by = models.CharField(max_length=200)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "joined repository"
        verbose_name_plural = "joined repositories"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["joined"], condition=Q(undone_at=None), name="repository_joined_once")
        ]

    def __str__(self) -> str:
        return f"{self.joined} → {self.repository}"


class OwnRecord(models.Model):
    """A row of `table` that came from a joined repository and returns to it when the join is undone."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    table = models.CharField(max_length=40)
    record_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["table", "record_id"], name="record_is_of_one_repository")
        ]


class OwnCommit(models.Model):
    """A commit that the sources of one of several joined repositories hold; together these rows make up
    CommitInRepository.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    commit = models.ForeignKey(Commit, models.CASCADE, related_name="+")
    on_default_branch = models.BooleanField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["repository", "commit"], name="own_commit_is_unique")
        ]
