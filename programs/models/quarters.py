"""Fiscal quarters, and the documents in which they are frozen."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from insights.query.query import Window
from insights.query.windows import quarter_name
from programs.models.closed_quarters import QUARTER_STAYS


class FrozenDocument(models.Model):
    """One canonical JSON document with every figure, label, series and text that was shown on a day.

    Pages and print are made from it alone.  People stand in it as ids.  The database refuses to change or delete a row.
    """

    class Kind(models.TextChoices):
        QUARTER = "quarter", "Closed quarter"
        QBR = "qbr", "Business review"

    kind = models.CharField(max_length=20, choices=Kind.choices, editable=False)
    schema_version = models.PositiveSmallIntegerField(editable=False)
    body = models.TextField(editable=False, help_text="Canonical JSON: sorted keys, no spaces, UTF-8.")
    sha256 = models.CharField(max_length=64, editable=False)
    frozen_at = models.DateTimeField(db_default=Now(), editable=False)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+", editable=False
    )

    class Meta:
        triggers = [
            pgtrigger.Protect(name="frozen_document_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.sha256[:12]}"


class Quarter(models.Model):
    """A fiscal quarter of the organisation, on [start, end).  It keeps its days when the fiscal calendar changes."""

    start = models.DateField(unique=True)
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    document = models.OneToOneField(FrozenDocument, models.PROTECT, null=True, editable=False)
    retrospective = models.TextField(blank=True, help_text="Markdown: what the organisation learned.")

    class Meta:
        ordering = ("start",)
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="quarter_has_days"),
            models.CheckConstraint(
                condition=Q(closed_at=None, document=None) | Q(closed_at__isnull=False, document__isnull=False),
                name="closed_quarter_has_its_document",
            ),
        ]
        triggers = [QUARTER_STAYS]

    def __str__(self) -> str:
        return quarter_name(self.start)

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None
