"""Imported usage files, stored unchanged."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models.sessions import AgentSession
from orgtree.models import Identity


class ImportedUsage(models.Model):
    """Tokens of one model in a session, day or block, from a usage reader such as ccusage.

    If telemetry has the same session or day, these rows stay but are not counted
    (integrations/telemetry/usage_files/counted.py).
    """

    class Form(models.TextChoices):
        SESSION = "session", "A session"
        BLOCK = "block", "A block of hours"
        DAY = "day", "A day"

    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+", db_index=False)
    agent = models.CharField(max_length=40)
    form = models.CharField(max_length=8, choices=Form.choices)
    key = models.CharField(max_length=200, help_text="The session's id, the block's start or the day.")
    model = models.CharField(max_length=120, blank=True)
    # Times as in the file: moments, whose days depend on the organisation's time zone, or else local days.
    day = models.DateField(help_text="The local day on which it counts.")
    first_day = models.DateField(
        null=True, help_text="The day of a session's first activity, if the file gives no time."
    )
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reported_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    session = models.ForeignKey(AgentSession, models.SET_NULL, null=True, related_name="+")
    to_settle = models.BooleanField(
        default=True, db_default=True, help_text="Headway has not decided yet whether it counts."
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["identity", "agent", "form", "key", "model"], name="imported_usage_is_unique"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["identity"], condition=models.Q(to_settle=True), name="imported_usage_to_settle")
        ]
