"""The places in which agents work, from their telemetry."""

from __future__ import annotations

from django.db import models

from integrations.models.connections import Repository
from integrations.models.sessions import AgentSession
from integrations.models.work_items import WorkItem


class TelemetryPlace(models.Model):
    """A place as named in telemetry, and its resolution: one row per repository and branch.

    A repository or an item that is unknown is looked up again when one is stored.
    """

    key = models.UUIDField(unique=True, help_text="Hash of the place as raw rows hold it.")
    named = models.CharField(max_length=500, blank=True, help_text="Host and path of the repository, or a name.")
    branch = models.CharField(max_length=250, blank=True)
    revision = models.CharField(max_length=64, blank=True, help_text="A commit, whole or shortened, in lower case.")
    item_key = models.CharField(max_length=200, blank=True, help_text="Of the work item that the branch names.")
    repository = models.ForeignKey(Repository, models.SET_NULL, null=True, related_name="+")
    work_item = models.ForeignKey(WorkItem, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["item_key"], condition=~models.Q(item_key=""), name="telemetry_place_by_item_key"),
            models.Index(fields=["revision"], condition=~models.Q(revision=""), name="telemetry_place_by_revision"),
        ]


class SessionPlace(models.Model):
    """A place named by records of a session."""

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="places", db_index=False)
    place = models.ForeignKey(TelemetryPlace, models.CASCADE, related_name="+")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True, help_text="Of the first tool call that names it; null: none did.")
    tokens = models.BigIntegerField(
        default=0, db_default=0, help_text="Tokens of the session's last requests there; 0 if it is the only place."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "place"], name="session_place_is_unique")]
        indexes = [
            models.Index(fields=["place"], condition=models.Q(called_at__isnull=False), name="session_place_called")
        ]
