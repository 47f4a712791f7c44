"""How key results and objectives go, as it was last measured.

Measured figures are everybody's: what of them one viewer may see is decided when they are read
(programs/objectives/queries/objectives.py).
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from programs.models.objectives import KeyResult, Objective, ObjectiveStatus


class KeyResultMeasure(models.Model):
    """One key result's value over its quarter so far, and what follows from it.  Measured anew every hour.

    `points` are whole weeks, [Monday as ISO 8601, value or null, people], those of the quarter and the 13 before it;
    where values are entered by hand, the days of check-ins.  `people` are the fewest behind the value: those of its
    numerator, where these are fewer.
    """

    key_result = models.OneToOneField(KeyResult, models.CASCADE, primary_key=True, related_name="measure")
    measured_at = models.DateTimeField(db_default=Now())
    metric_version = models.PositiveIntegerField(null=True)
    value = models.FloatField(null=True)
    reason = models.TextField(blank=True, help_text="Why there is no value.")
    sample_size = models.PositiveBigIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    points = models.JSONField(default=list)
    pace = models.FloatField(null=True, help_text="What a count comes to by the quarter's end at its rate so far.")
    progress = models.FloatField(null=True, help_text="Share of the way from baseline to target.")
    holds = models.BooleanField(null=True, help_text="Of a guardrail: whether it is not worse than its target.")
    forecast = models.FloatField(null=True)
    forecast_low = models.FloatField(null=True)
    forecast_high = models.FloatField(null=True)
    reached_on = models.DateField(null=True)
    no_forecast = models.TextField(blank=True)
    standing = models.CharField(max_length=10, choices=ObjectiveStatus.choices, default=ObjectiveStatus.UNKNOWN)
    why = models.TextField(blank=True)


class ObjectiveMeasure(models.Model):
    """What an objective's key results come to together."""

    objective = models.OneToOneField(Objective, models.CASCADE, primary_key=True, related_name="measure")
    measured_at = models.DateTimeField(db_default=Now())
    progress = models.FloatField(null=True)
    standing = models.CharField(max_length=10, choices=ObjectiveStatus.choices, default=ObjectiveStatus.UNKNOWN)
    why = models.TextField(blank=True)
