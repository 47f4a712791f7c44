"""Webhook deliveries, and quarantined records of providers."""

from __future__ import annotations

from django.db import models

from integrations.enums import Kind
from integrations.models.connections import Connection
from integrations.models.provider_fact import choices_of, text_field
from integrations.models.resources import Resource


class WebhookDelivery(models.Model):
    """One delivery, stored before the response.  Its body is kept until it is processed.

    The signature covers only the body: an equal body under another delivery id is the same delivery, sent again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        IGNORED = "ignored", "Ignored"  # an event that Headway does not use
        QUARANTINED = "quarantined", "Quarantined"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="deliveries", db_index=False)
    delivery_id = models.CharField(max_length=200)
    event = models.CharField(max_length=100)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    received_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    fields_left_out = models.JSONField(
        default=list, db_default=[], help_text="Parts of the records that Headway could not interpret."
    )
    body = models.BinaryField(null=True)
    body_digest = models.BinaryField(null=True, max_length=32)  # SHA-256; null for deliveries of earlier versions

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["connection", "delivery_id"], name="delivery_is_unique"),
            models.UniqueConstraint(fields=["connection", "body_digest"], name="delivered_body_is_unique"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["connection", "received_at"], name="delivery_by_time"),
        ]


class QuarantinedPayload(models.Model):
    """A provider record that could not be parsed, kept until a replay succeeds."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="quarantined")
    resource = models.ForeignKey(Resource, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=24, choices=choices_of(Kind))
    external_id = text_field()
    source = models.CharField(max_length=60, help_text="A stream's kind of page, or a webhook's event.")
    payload = models.JSONField()
    path = models.CharField(max_length=300, help_text="The field that did not match the documentation.")
    problem = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "source", "external_id"],
                condition=models.Q(replayed_at=None) & ~models.Q(external_id=""),
                name="payload_quarantined_once",
            )
        ]
