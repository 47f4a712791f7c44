"""What is known of raw telemetry's days, and what stays of them when they are dropped."""

from __future__ import annotations

from django.db import models


class RawDay(models.Model):
    """A UTC day for which raw rows were received.

    Closed: its raw rows were dropped.  Metric points for it can no longer be put into their series and are refused;
    events still can, because their keys make them safe to merge.
    """

    day = models.DateField(primary_key=True)
    last_received_at = models.DateTimeField(help_text="To the hour.")
    closed_at = models.DateTimeField(null=True)


class SeriesBase(models.Model):
    """The last value of a cumulative series that was dropped: later points are differences from it."""

    series = models.UUIDField()
    start = models.DateTimeField()
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "start"], name="series_base_is_unique")]
