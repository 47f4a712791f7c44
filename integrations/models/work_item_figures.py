"""Figures of work items for metrics."""

from __future__ import annotations

from django.contrib.postgres.indexes import GistIndex
from django.db import models

from integrations.enums import WorkType
from integrations.models.connections import Repository
from integrations.models.fields import DayRangesField, TimeRangesField
from integrations.models.provider_fact import enum_field
from integrations.models.work_items import WorkItem
from orgtree.models import Identity


class WorkItemFigures(models.Model):
    """One row per work item that is not deleted.  Days are local; seconds are null if the item lacks their inputs.

    Updated by integrations/delivery/work_items/figures.py in the transaction that changes the inputs.
    """

    work_item = models.OneToOneField(WorkItem, models.CASCADE, primary_key=True, related_name="figures")
    credited = models.ForeignKey(
        Identity,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The assignee when it was done, otherwise the last one.",
    )
    repository = models.ForeignKey(
        Repository,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The repository that the project's issues belong to.",
    )
    work_type = enum_field(WorkType, default=WorkType.OTHER, db_default=WorkType.OTHER)
    created_on = models.DateField(null=True)
    done_at = models.DateTimeField(null=True, help_text="When it last moved to done; null while it is not done.")
    done_on = models.DateField(null=True)
    first_in_progress_at = models.DateTimeField(null=True)
    started_on = models.DateField(null=True, help_text="The day of first_in_progress_at.")
    lead_seconds = models.FloatField(null=True, help_text="Time from creation to done.")
    cycle_seconds = models.FloatField(null=True, help_text="Time from first being in progress to done.")
    active_seconds = models.FloatField(
        null=True, help_text="Time in progress, excluding statuses that count as waiting."
    )
    done_during = TimeRangesField(db_default=models.Value("{}"), help_text="The periods in which it was done.")
    dropped_during = TimeRangesField(
        db_default=models.Value("{}"), help_text="The periods in which it was closed without being done."
    )
    reopened = models.IntegerField(default=0, db_default=0, help_text="How often it was moved out of done.")
    found_in_production = models.BooleanField(default=False, db_default=False)
    found_by_customer = models.BooleanField(default=False, db_default=False)
    todo_days = DayRangesField(help_text="Days at the end of which it was still to do.")
    in_progress_days = DayRangesField(help_text="Days at the end of which it was in progress.")
    healthy_days = DayRangesField(
        help_text="To-do days on which it had an estimate, an assignee, a description and a recent change."
    )

    class Meta:
        verbose_name_plural = "work item figures"
        indexes = [
            models.Index(fields=["created_on"], name="item_figures_by_creation"),
            models.Index(fields=["done_on"], name="item_figures_by_end"),
            models.Index(fields=["credited", "done_on"], name="item_figures_by_whom"),
            GistIndex(fields=["todo_days"], name="item_figures_by_todo"),
            GistIndex(fields=["in_progress_days"], name="item_figures_by_progress"),
        ]
