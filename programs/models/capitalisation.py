"""Software capitalisation: evidence on initiatives, and the periods that finance reports.  See docs/capitalisation.md.

Time and spend are not stored here: they are read when somebody looks, until a period is frozen.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Self, TypeVar

import pghistory
import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from insights.query.query import Window
from integrations.delivery.records.initiatives import InitiativeKind
from orgtree.models.visibility import Visibility
from programs.models.quarters import FrozenDocument

LONGEST_REASON = 1000
LONGEST_NAME = 300
HOURS_A_DAY = Decimal(8)
LARGEST_RATE = Decimal("99999.99")
KINDS = [(kind.value, kind.value.capitalize()) for kind in InitiativeKind]
Record = TypeVar("Record", bound=models.Model)


class Uncertainty(models.TextChoices):
    """Significant development uncertainty: novel or unproven functions, or requirements that are not settled."""

    NOT_ASSESSED = "not_assessed", "Not assessed"
    NONE = "none", "None"
    OPEN = "open", "Open"
    RESOLVED = "resolved", "Resolved"


class Standard(models.TextChoices):
    ASU_2025_06 = "asu_2025_06", "ASU 2025-06"
    IAS_38 = "ias_38", "IAS 38"


class ForFinanceQuerySet(models.QuerySet[Record]):
    def within(self, visibility: Visibility) -> Self:
        """All records, for finance, executives and admins."""
        return self if visibility.reads_capitalisation else self.none()


class EvidenceQuerySet(ForFinanceQuerySet["InitiativeEvidence"]):
    pass


class PeriodQuerySet(ForFinanceQuerySet["CapitalisationPeriod"]):
    pass


@pghistory.track(append_only=True)
class InitiativeEvidence(models.Model):
    """The dated evidence that decides from when to when an initiative's work is eligible."""

    kind = models.CharField(max_length=7, choices=KINDS)
    key = models.CharField(max_length=400, editable=False, help_text="As initiatives of planning are named.")
    name = models.CharField(max_length=LONGEST_NAME, editable=False, help_text="Its name when this was written.")
    authorised_on = models.DateField(
        "authorised on", null=True, blank=True, help_text="Management with the authority approved it."
    )
    authorised_by = models.CharField("authorised by", max_length=LONGEST_NAME, blank=True)
    funded_on = models.DateField("funded on", null=True, blank=True, help_text="Management committed to fund it.")
    probable_since = models.DateField(
        "probable since",
        null=True,
        blank=True,
        help_text="It is probable that it will be completed and used as intended.",
    )
    probable_by = models.CharField(
        "judged by", max_length=LONGEST_NAME, blank=True, help_text="The person or board that judged so."
    )
    probable_because = models.TextField("why", max_length=LONGEST_REASON, blank=True, help_text="The evidence for it.")
    uncertainty = models.CharField(
        "significant uncertainty",
        max_length=12,
        choices=Uncertainty.choices,
        default=Uncertainty.NOT_ASSESSED,
        help_text="Novel or unproven functions, or requirements that are not settled.",
    )
    uncertainty_resolved_on = models.DateField("resolved on", null=True, blank=True)
    ready_on = models.DateField(
        "ready for use on", null=True, blank=True, help_text="Work from this day on is not eligible."
    )
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        verbose_name = "initiative"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="evidence_once_an_initiative")]

    def __str__(self) -> str:
        return self.name


class PeriodState(models.TextChoices):
    DRAFT = "draft", "Draft"
    APPROVED = "approved", "Approved"
    FROZEN = "frozen", "Frozen"


@pghistory.track(append_only=True)
class CapitalisationPeriod(models.Model):
    """The whole months [start, end) that are reported together; no two periods share a month.

    The figures with `approved_sha256` are the approved ones.  A frozen period keeps its document.
    """

    start = models.DateField("first month")
    end = models.DateField("end", help_text="The first day that no longer belongs to it.")
    standard = models.CharField(max_length=12, choices=Standard.choices, default=Standard.ASU_2025_06)
    hours_a_day = models.DecimalField(
        "hours a day",
        max_digits=4,
        decimal_places=2,
        default=HOURS_A_DAY,
        validators=[MinValueValidator(Decimal("0.25")), MaxValueValidator(Decimal(24))],
        help_text="Hours of a day at work.",
    )
    currency = models.CharField(
        max_length=3, blank=True, help_text="Three letters, such as EUR. Empty: hours and AI spend alone."
    )
    hourly_rate = models.DecimalField(
        "cost of an hour",
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(LARGEST_RATE)],
        help_text="One rate for everybody.",
    )
    dollar_rate = models.DecimalField(
        "one US dollar in this currency",
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="For AI spend, which is in US dollars.",
    )
    state = models.CharField(max_length=8, choices=PeriodState.choices, default=PeriodState.DRAFT, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    approved_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    document = models.OneToOneField(FrozenDocument, models.PROTECT, null=True, editable=False)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        ordering = ("-start",)
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="capitalisation_period_has_months"),
            models.CheckConstraint(
                condition=Q(state=PeriodState.FROZEN, document__isnull=False)
                | ~Q(state=PeriodState.FROZEN) & Q(document=None),
                name="frozen_period_has_its_document",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="frozen_period_stays",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    *("start", "end", "standard", "hours_a_day", "currency", "hourly_rate", "dollar_rate"),
                    *("state", "approved_at", "approved_sha256", "document_id"),
                ),
                condition=pgtrigger.Q(old__document__isnull=False),
            ),
            pgtrigger.Protect(
                name="frozen_period_is_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__document__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        first, last = f"{self.start:%b %Y}", f"{self.last_month:%b %Y}"
        return first if first == last else f"{first} to {last}"

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    @property
    def last_month(self) -> date:
        """The first day of the last month."""
        return (self.end - timedelta(days=1)).replace(day=1)

    @property
    def is_frozen(self) -> bool:
        return self.document_id is not None
