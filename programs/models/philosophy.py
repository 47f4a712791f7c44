"""The statement of why and how the organisation measures: versioned, published to everybody, and acknowledged."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

LONGEST_REASON = 200


class PhilosophyVersion(models.Model):
    """A published version of the text.  The newest applies; the database refuses to change or delete any."""

    number = models.PositiveIntegerField(unique=True, editable=False)
    text = models.TextField(help_text="Markdown.")
    reason = models.CharField(max_length=LONGEST_REASON, help_text="What changed, and why.")
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    written_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-number",)
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="philosophy_says_something"),
            models.CheckConstraint(condition=~Q(reason=""), name="philosophy_change_has_a_reason"),
        ]
        triggers = [
            pgtrigger.Protect(name="philosophy_version_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"


class Acknowledgement(models.Model):
    """An acknowledgement of having read a version; number 0 is the text that ships with Headway."""

    number = models.PositiveIntegerField()
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "account"], name="acknowledged_once")]
