"""Tickets to begin from."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models

from programs.models.objectives import LONGEST_TITLE
from programs.models.tickets import BottleneckKind, Nature


class TicketTemplate(models.Model):
    """What is often found, and what has helped: a ticket without unit, owner and days."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField("opportunity or challenge", max_length=LONGEST_TITLE)
    nature = models.CharField("what it is", max_length=12, choices=Nature.choices, default=Nature.CHALLENGE)
    resolution = models.TextField(help_text="What has helped. Markdown.")
    kind = models.CharField("where the cause lies", max_length=10, choices=BottleneckKind.choices)
    metric = models.CharField(max_length=80, blank=True, help_text="The key of the metric that it is to move.")
    days = models.PositiveSmallIntegerField(
        "days to do it in", default=28, validators=[MinValueValidator(1)], help_text="From its start to its due day."
    )
    position = models.PositiveSmallIntegerField(default=100, help_text="Small numbers stand first.")
    is_offered = models.BooleanField("offered", default=True)

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.title
