"""Subscription seats: monthly prices and assignments."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pghistory
from django.contrib.postgres.fields import DateRangeField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from orgtree.models import Identity
from orgtree.models.exclusion import OneAtATime, not_empty

HIGHEST_SEAT_PRICE = Decimal(100_000)


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    append_only=True,
)
class SeatPlan(models.Model):
    """A number of seats of an agent at one price, on these days.  The price is in US dollars per seat per month.

    A price change starts a new plan.  Earlier values stay in the history.
    """

    agent = models.CharField(max_length=40, help_text="The agent's name in its sessions, such as claude_code.")
    name = models.CharField(max_length=80, help_text="For example Team or Business.")
    monthly_price = models.DecimalField(
        "price per seat and month",
        max_digits=10,
        decimal_places=2,
        help_text="US dollars per seat and month, spread over the days of the month: each day in May costs "
        "a thirty-first of it.",
        validators=[
            MinValueValidator(Decimal(0), "A price can’t be negative."),
            MaxValueValidator(HIGHEST_SEAT_PRICE, "That is no price of a seat: at most 100,000 dollars."),
        ],
    )
    seats = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Number of paid seats. Empty: the number of assigned seats.",
        validators=[MaxValueValidator(10_000_000)],
    )
    during = DateRangeField("days", help_text="The first paid day, and the day after the last paid day.")

    class Meta:
        ordering: ClassVar[list[str]] = ["agent", "name", "during"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            OneAtATime(of=("agent", "name"), name="one_seat_plan_of_a_name_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="seat_plan_has_days"),
            models.CheckConstraint(condition=Q(monthly_price__gte=0), name="seat_price_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.name}"


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    append_only=True,
)
class SeatAssignment(models.Model):
    """Assignment of a seat on these days."""

    plan = models.ForeignKey(SeatPlan, models.CASCADE, related_name="assignments")
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+")
    during = DateRangeField("days")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            OneAtATime(of=("plan_id", "identity_id"), name="one_seat_of_a_plan_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="seat_assignment_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} · {self.identity}"
