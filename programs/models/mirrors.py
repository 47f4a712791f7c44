"""Mirrors of action tickets in issue trackers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.enums import MirrorState
from integrations.models import Resource
from programs.models.tickets import Ticket

STATES = [(state.value, state.value.capitalize()) for state in MirrorState]


class TicketMirror(models.Model):
    """An action ticket's issue at a provider.  Texts and the owner go there, the state and the due day go both ways.

    `agreed_state` and `agreed_due_on` are the last ones that both sides had: whichever side differs from them has
    changed since.  Issues of trackers without due days have none.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to be sent"
        SYNCED = "synced", "In step"
        DIFFERS = "differs", "Differs"
        FAILED = "failed", "Failed"

    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="mirror")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=200, blank=True, editable=False)
    key = models.CharField(max_length=200, blank=True, editable=False)
    url = models.URLField(max_length=500, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    agreed_state = models.CharField(max_length=10, choices=STATES, blank=True, editable=False)
    remote_state = models.CharField(max_length=10, choices=STATES, blank=True, editable=False)
    agreed_due_on = models.DateField(null=True, editable=False)
    remote_due_on = models.DateField(null=True, editable=False)
    remote_updated_at = models.DateTimeField(null=True, editable=False, help_text="The provider's own time.")
    sent_version = models.PositiveIntegerField(default=0, editable=False, help_text="The ticket's, as last sent.")
    problem = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0, editable=False)
    next_try_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=("synced", "differs")) | ~Q(external_id=""), name="mirror_in_step_has_its_issue"
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status="waiting"), name="mirror_waiting"),
            models.Index(fields=["external_id"], name="mirror_by_issue"),
        ]

    def __str__(self) -> str:
        return f"{self.resource.name}#{self.key}" if self.key.isdecimal() else self.key or self.resource.name
