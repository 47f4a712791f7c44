"""Outcomes of the work of sprints, for metrics."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.enums import SprintOutcome
from integrations.models.fields import TimeRangesField
from integrations.models.provider_fact import enum_field
from integrations.models.work_items import Sprint, WorkItem


class SprintFigures(models.Model):
    """One row per sprint that began and is not deleted.  Updated by integrations/delivery/sprints/figures.py."""

    sprint = models.OneToOneField(Sprint, models.CASCADE, primary_key=True, related_name="figures")
    grace_ends_at = models.DateTimeField(
        help_text="The end of the grace period. Items in the sprint at that time are committed."
    )
    closed_at = models.DateTimeField(null=True, help_text="Null while the sprint is open.")
    closed_on = models.DateField(null=True, help_text="The local day on which it was closed.")
    items = models.IntegerField(help_text="Number of committed and added items.")
    delivered_items = models.IntegerField()
    delivered_points = models.FloatField(null=True, help_text="Null if no item has an estimate.")

    class Meta:
        verbose_name_plural = "sprint figures"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["closed_on"], name="sprint_figures_by_end")]


class SprintItem(models.Model):
    """A work item that was in a sprint at the end of its grace period, or entered it later."""

    sprint = models.ForeignKey(Sprint, models.CASCADE, related_name="items", db_index=False)
    work_item = models.ForeignKey(WorkItem, models.CASCADE, related_name="sprints")
    is_committed = models.BooleanField(
        help_text="True if the item was in the sprint at the end of its grace period; false if it was added later."
    )
    inside = TimeRangesField(help_text="When it was in the sprint, until its close.")
    entered_at = models.DateTimeField(null=True, help_text="Null: before the item's known history.")
    left_at = models.DateTimeField(
        null=True, help_text="When it was removed for good; null: it was still in the sprint at its close."
    )
    has_churned = models.BooleanField(
        help_text="Whether it was removed after the grace period, even if it was added again later."
    )
    outcome = enum_field(SprintOutcome)
    ended_at = models.DateTimeField(null=True, help_text="When it was done, removed or dropped.")
    first_points = models.FloatField(
        null=True, help_text="Its estimate at the end of the grace period, or when it was added."
    )
    last_points = models.FloatField(null=True, help_text="Its estimate at the sprint's close, or when it was removed.")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["sprint", "work_item"], name="sprint_item_is_unique")
        ]
