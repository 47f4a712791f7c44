"""Days of raw telemetry, and what remains of them after retention."""

from __future__ import annotations

from django.db import models


class RawDay(models.Model):
    """A UTC day for which raw rows were received.

    Closed: its raw rows were dropped.  Metric points for it are rejected, because their series are gone; events still
    merge by key.
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
