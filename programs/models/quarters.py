"""Fiscal quarters, and the documents in which they are frozen.

The database refuses changes to records that a closed quarter's document covers.  References to deleted accounts and
people may still be set to null.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from insights.query.query import Window
from insights.query.windows import quarter_name

_REFUSE = """
    IF EXISTS (SELECT FROM programs_quarter WHERE id = {quarter} AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'The quarter is closed: %% is not changed any more.', TG_TABLE_NAME USING ERRCODE = '23514';
    END IF;
    RETURN {row};
"""
_OF_OBJECTIVE = "(SELECT quarter_id FROM programs_objective WHERE id = {row}.objective_id)"
QUARTER_STAYS = pgtrigger.Protect(
    name="closed_quarter_stays",
    operation=pgtrigger.UpdateOf("start", "end", "closed_at", "document_id", "retrospective"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Q(old__closed_at__isnull=False),
)


class FrozenDocument(models.Model):
    """One canonical JSON document with every figure, label, series and text that was shown on a day.

    Pages and print are rendered from it alone.  People are stored as ids.  The database refuses to change or delete a
    row.
    """

    class Kind(models.TextChoices):
        QUARTER = "quarter", "Closed quarter"
        QBR = "qbr", "Business review"
        CAPITALISATION = "capitalisation", "Capitalisation period"
        REPORT = "report", "Executive report"

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
    """A fiscal quarter of the organisation, on [start, end).  It keeps its days if the fiscal calendar changes."""

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


def _refused(name: str, operation: pgtrigger.Operation, quarter: str, row: str) -> pgtrigger.Trigger:
    func = _REFUSE.replace("%%", "%").format(quarter=quarter, row=row)
    return pgtrigger.Trigger(name=name, operation=operation, when=pgtrigger.Before, func=func)


def objectives_stay(*fields: str) -> list[pgtrigger.Trigger]:
    """Triggers that forbid adding or removing objectives, or changing these fields of them."""
    return [
        _refused(
            "closed_quarter_takes_no_objective",
            pgtrigger.Insert | pgtrigger.UpdateOf("quarter_id"),  # type: ignore[no-untyped-call]
            "NEW.quarter_id",
            "NEW",
        ),
        _refused("closed_objective_stays", pgtrigger.UpdateOf(*fields), "OLD.quarter_id", "NEW"),  # type: ignore[no-untyped-call]
        _refused("closed_objective_is_kept", pgtrigger.Delete, "OLD.quarter_id", "OLD"),
    ]


def parts_stay(*fields: str) -> list[pgtrigger.Trigger]:
    """Triggers like `objectives_stay`, for the records that belong to an objective."""
    new, old = _OF_OBJECTIVE.format(row="NEW"), _OF_OBJECTIVE.format(row="OLD")
    return [
        _refused("closed_objective_takes_no_more", pgtrigger.Insert, new, "NEW"),
        _refused("part_of_closed_objective_stays", pgtrigger.UpdateOf(*fields), old, "NEW"),  # type: ignore[no-untyped-call]
        _refused("part_of_closed_objective_is_kept", pgtrigger.Delete, old, "OLD"),
    ]
