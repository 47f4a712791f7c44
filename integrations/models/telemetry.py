"""Data of the receiver besides facts: batches to fold, quarantined records, counts of dropped attributes, and the part
of raw telemetry that outlasts retention.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from integrations.models.ingest import IngestToken


class ReceivedBatch(models.Model):
    """Queue of stored requests that are not folded into sessions yet."""

    received_at = models.DateTimeField(auto_now_add=True)
    # The times of its rows lie in [at_from, at_to], so that the fold only reads those days' partitions.
    at_from = models.DateTimeField(null=True)
    at_to = models.DateTimeField(null=True)
    problem = models.CharField(
        max_length=300, default="", db_default="", help_text="Why it was set aside; it is retried every night."
    )


class QuarantinedRecord(models.Model):
    """An invalid record without its content attributes, until it is replayed."""

    received_at = models.DateTimeField(auto_now_add=True)
    token = models.ForeignKey(IngestToken, models.SET_NULL, null=True)
    signal = models.CharField(max_length=10)
    digest = models.UUIDField(
        unique=True, help_text="Hash of the record as sent, so that a repeated record is stored once."
    )
    reason = models.CharField(max_length=300)
    encoding = models.CharField(max_length=10, help_text="Encoding of the payload: protobuf or json.")
    payload = models.BinaryField(help_text="An OTLP export request with only this record, without content attributes.")
    replayed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.signal}: {self.reason}"


class DroppedAttribute(models.Model):
    """The number of times a content attribute was dropped on receipt."""

    agent = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "name"], name="dropped_attribute_is_unique")]

    def __str__(self) -> str:
        return f"{self.agent}: {self.name}"


class UnreadEvent(models.Model):
    """Unread events, metrics and spans by name, and unknown attributes; each is stored once per agent."""

    agent = models.CharField(max_length=60)
    signal = models.CharField(max_length=10)
    name = models.CharField(max_length=200, help_text="Name of the event, metric or span.")
    attribute = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        default="",
        help_text="Empty: the whole event, metric or span is unknown.",
    )
    known = models.BooleanField(default=False, help_text="Known in the agent's vocabulary but not used.")
    count = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    means = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        default="",
        help_text="An administrator's mapping to a name of the agent's vocabulary.",
    )
    tried_with = models.CharField(
        max_length=40,
        blank=True,
        db_default="",
        default="",
        help_text="The vocabulary that it was last read again with.",
    )

    class Meta:
        verbose_name = "unrecognised event"
        constraints = [
            models.UniqueConstraint(fields=["agent", "signal", "name", "attribute"], name="unread_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.attribute or self.name}"


class ReceivedTally(models.Model):
    """Counts of one stored request for DroppedAttribute and UnreadEvent.

    Appended with the request and aggregated later (integrations/telemetry/otlp/store_tallies.py), because concurrent
    requests would contend for the few rows of the sums.
    """

    counted = models.CharField(max_length=10)
    agent = models.CharField(max_length=60)
    signal = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=200)
    attribute = models.CharField(max_length=200, blank=True, db_default="", default="")
    count = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())


class RawDay(models.Model):
    """A UTC day for which raw rows were received.

    If it is closed, its raw rows were dropped: metric points for it are rejected because their series are gone, but
    events still merge by key.
    """

    day = models.DateField(primary_key=True)
    last_received_at = models.DateTimeField(help_text="Accurate to the hour.")
    closed_at = models.DateTimeField(null=True)


class SeriesBase(models.Model):
    """The last value of a cumulative series that was dropped; later points count as differences from it."""

    series = models.UUIDField()
    start = models.DateTimeField()
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "start"], name="series_base_is_unique")]
