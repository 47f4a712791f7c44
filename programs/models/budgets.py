"""Budgets of AI spend by unit, agent and month, and the alerts that were sent.  See docs/budgets.md.

Spend and its month-end forecast are not stored: they are computed when somebody looks.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Self

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.visibility import EVERYTHING, led_by

LARGEST_BUDGET = Decimal("999999999.99")
LONGEST_AGENT = 40
LEAST_PERCENT, GREATEST_PERCENT = 1, 1000


class BudgetQuerySet(models.QuerySet["Budget"]):
    def within(self, visibility: Visibility) -> Self:
        """Budgets of units whose figures the viewer may see; that of the whole organisation for those who may see its
        figures.
        """
        return self.filter(EVERYTHING if visibility.whole else Q(unit__in=visibility.slugs.values()))

    def led_by(self, visibility: Visibility) -> Self:
        """Budgets that the viewer may change."""
        return self.filter(led_by(visibility))

    def in_month(self, first: date) -> Self:
        """Budgets in force in the month that begins on `first`."""
        return self.filter(Q(last_month=None) | Q(last_month__gte=first), first_month__lte=first)


@pghistory.track(append_only=True)
class Budget(models.Model):
    """US dollars that a unit's people (without a unit: everybody) may spend a month on one agent, or on all of them.

    It applies to each month from the first to the last; months are stored as their first days.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="budgets")
    agent = models.CharField(max_length=LONGEST_AGENT, blank=True, help_text="Empty: all agents.")
    amount = models.DecimalField(
        "amount a month",
        max_digits=11,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(LARGEST_BUDGET)],
        help_text="In US dollars at list prices.",
    )
    first_month = models.DateField("first month")
    last_month = models.DateField("last month", null=True, blank=True, help_text="Empty: no end.")
    owner = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", help_text="Asked before the budget is gone."
    )
    forecast_percent = models.PositiveSmallIntegerField(
        "alert when the forecast reaches",
        null=True,
        blank=True,
        default=80,
        validators=[MinValueValidator(LEAST_PERCENT), MaxValueValidator(GREATEST_PERCENT)],
        help_text="Percent of the budget. Empty: no alert.",
    )
    spent_percent = models.PositiveSmallIntegerField(
        "alert when spend reaches",
        null=True,
        blank=True,
        default=100,
        validators=[MinValueValidator(LEAST_PERCENT), MaxValueValidator(GREATEST_PERCENT)],
        help_text="Percent of the budget. Empty: no alert.",
    )
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    # Grows with every change, so that an edit of an older version is shown as a conflict and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = (F("unit__name").asc(nulls_first=True), "agent", "first_month", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "agent", "first_month"], nulls_distinct=False, name="budget_begins_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_is_positive"),
            models.CheckConstraint(
                condition=Q(first_month__day=1) & (Q(last_month=None) | Q(last_month__day=1)),
                name="budget_is_of_whole_months",
            ),
            models.CheckConstraint(
                condition=Q(last_month=None) | Q(last_month__gte=F("first_month")), name="budget_ends_after_its_start"
            ),
        ]

    def __str__(self) -> str:
        return f"Budget of {self.unit.name if self.unit else 'the whole organisation'}"


class AlertKind(models.TextChoices):
    FORECAST = "forecast", "Forecast"
    SPENT = "spent", "Spent"


class BudgetAlert(models.Model):
    """An alert that a threshold was reached in a month, with the figures of that moment; sent once.

    `percent` is the threshold.  `forecast`, `low` and `high` are only set for an alert by forecast.
    """

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="alerts")
    month = models.DateField()
    kind = models.CharField(max_length=10, choices=AlertKind.choices)
    percent = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=11, decimal_places=2, help_text="The budget at that moment.")
    spent = models.FloatField()
    forecast = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-at", "-pk")
        constraints = [
            models.UniqueConstraint(fields=["budget", "month", "kind", "percent"], name="budget_alert_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} alert at {self.percent} %"
