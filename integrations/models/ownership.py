"""Ownership of repositories, services, projects and boards by units.

Deployments, incidents, pipelines and sprints count for the unit that owned their object on that day, and for the units
above it (orgtree's `UnitPlacement`).
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.connections import Connection, Repository
from integrations.models.work_items import Project
from orgtree.models import OrgTree, Unit
from orgtree.models.exclusion import OneAtATime, not_empty


class OwnedKind(models.TextChoices):
    """Kinds of objects that can have an owner."""

    REPOSITORY = "repository", "Repository"
    SERVICE = "service", "Service"
    PROJECT = "project", "Project"
    BOARD = "board", "Board"


class Owned(models.Model):
    """An object that can have an owner.  A service is identified by its name, a board by its connection and id.

    Created as soon as a record names the object (integrations/delivery/ownership/seen.py).
    """

    kind = models.CharField(max_length=20, choices=OwnedKind.choices)
    repository = models.OneToOneField(Repository, models.CASCADE, null=True, related_name="owned")
    project = models.OneToOneField(Project, models.CASCADE, null=True, related_name="owned")
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="+", help_text="Connection of a board."
    )
    name = models.CharField(max_length=200, blank=True, default="", help_text="Name of a service, or id of a board.")
    follows = models.ForeignKey(
        Repository,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=(
            "The repository that the service is deployed from, or whose issues the project holds. "
            "Its owner applies unless another is set."
        ),
    )
    parts_alone = models.BooleanField(
        "sub-tasks count alone",
        default=False,
        db_default=False,
        help_text="In the sprints of this board, each sub-task is an item of its own. Otherwise it counts with its "
        "parent, if that is in the same sprint. Sprints are computed again within a minute.",
    )

    class Meta:
        verbose_name = "owned resource"
        verbose_name_plural = "ownership"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["connection", "name"],
                condition=Q(kind__in=["service", "board"]),
                name="owned_name_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind="repository", repository__isnull=False, project=None, connection=None, name="")
                    | Q(kind="project", project__isnull=False, repository=None, connection=None, name="")
                    | (Q(kind="service", repository=None, project=None, connection=None) & ~Q(name=""))
                    | (Q(kind="board", repository=None, project=None, connection__isnull=False) & ~Q(name=""))
                ),
                name="owned_is_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(follows=None) | Q(kind__in=["service", "project"]), name="no_repository_follows"
            ),
            models.CheckConstraint(condition=Q(parts_alone=False) | Q(kind="board"), name="only_boards_have_parts"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.repository or (self.project and self.project.key))


class Ownership(models.Model):
    """A unit's ownership of an object on these days; at most one unit per tree owns it at a time."""

    owned = models.ForeignKey(Owned, models.CASCADE, related_name="ownerships")
    tree = models.ForeignKey(OrgTree, models.CASCADE, related_name="+")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="ownerships")
    during = DateRangeField(help_text="Without a start: since the beginning.  Without an end: until further notice.")
    noted_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            OneAtATime(of=("tree_id", "owned_id"), name="owned_by_one_unit_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="ownership_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.owned} · {self.unit}"


class OwnershipChange(models.Model):
    """Audit log of ownership changes.  Append-only, enforced by the database.

    Names are those at the time of the change, without foreign keys, because the log outlives its objects.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        editable=False,
        help_text="Null: a command.",
    )
    owned_id = models.BigIntegerField(editable=False)
    kind = models.CharField(max_length=20, choices=OwnedKind.choices, editable=False)
    name = models.CharField(max_length=300, editable=False)
    tree = models.CharField(max_length=200, editable=False)
    unit = models.CharField(max_length=200, blank=True, editable=False, help_text="Empty: nobody.")
    day_from = models.DateField(null=True, editable=False, help_text="Null: no start.")
    day_to = models.DateField(
        null=True, editable=False, help_text="The first day after it; null: until further notice."
    )

    class Meta:
        indexes = [models.Index(fields=["owned_id", "-at"], name="ownership_change_by_owned")]

    def __str__(self) -> str:
        return f"{self.name} · {self.unit or 'nobody'}"
