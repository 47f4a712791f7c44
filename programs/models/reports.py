"""Frozen executive reports, their rewording by a language model, that model's settings, and teams' releases."""

from __future__ import annotations

from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from integrations.models.fields import EncryptedField
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models.qbr import QbrPeriod, period_name
from programs.models.quarters import FrozenDocument

API_KEY = "api_key"


class ReportQuerySet(models.QuerySet["Report"]):
    def within(self, visibility: Visibility) -> Self:
        """Reports of units that the viewer may see, and of the organisation for those who may see all of it."""
        seen = self if visibility.unit_ids is None else self.filter(Q(unit__in=visibility.unit_ids) | Q(unit=None))
        return seen if visibility.whole else seen.exclude(unit=None)

    def of(self, unit: Unit | None, start: Any) -> Self:
        """The revisions of a unit's report of a quarter, newest first."""
        return self.filter(unit=unit, start=start).select_related("unit", "document").order_by("-revision")


class Report(models.Model):
    """A frozen report of a unit (null: the whole organisation) and a quarter, on [start, end).

    It never changes; if the quarter is frozen again, that is another revision.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    revision = models.PositiveSmallIntegerField()
    document = models.OneToOneField(FrozenDocument, models.PROTECT, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ("-start", "-revision", "pk")
        verbose_name = "executive report"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "start", "revision"], nulls_distinct=False, name="one_report_per_revision"
            ),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="report_has_days"),
        ]
        triggers = [pgtrigger.Protect(name="report_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        name = f"{self.unit.name if self.unit else 'Whole organisation'}, {self.period_name}"
        return name if self.revision == 1 else f"{name}, revision {self.revision}"

    @property
    def period_name(self) -> str:
        return period_name(QbrPeriod.QUARTER, self.start)


class ReportRewrite(models.Model):
    """A language model's rewording of a frozen report: `texts` by point and field, if it was accepted.

    Otherwise `reason` says why the built-in texts stay.  Until it is answered, it waits for a worker.
    """

    report = models.OneToOneField(Report, models.CASCADE, related_name="rewrite")
    model = models.CharField(max_length=200)
    base_url = models.CharField(max_length=300, blank=True, help_text="The address that was shown with the request.")
    texts = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.model}: {self.report}"

    @property
    def is_waiting(self) -> bool:
        return self.answered_at is None

    @property
    def is_accepted(self) -> bool:
        return not self.is_waiting and not self.reason


@pghistory.track(append_only=True, exclude=["secrets"])
class LanguageModel(models.Model):
    """The model that may reword reports: a single row.  Off until an admin turns it on."""

    is_on = models.BooleanField("on", default=False, help_text="Off: reports keep their built-in texts.")
    base_url = models.CharField("address", max_length=300, blank=True)
    model = models.CharField(max_length=200, blank=True, help_text="The name by which the API knows it.")
    secrets = EncryptedField(default=dict, blank=True)

    def __str__(self) -> str:
        return "Language model"

    @classmethod
    def current(cls) -> Self:
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @property
    def is_usable(self) -> bool:
        return self.is_on and bool(self.base_url) and bool(self.model)


class TeamReleases(models.Model):
    """The changes and releases of a team in the 13 weeks before `until`, as visible to those who see only aggregates.

    They are replaced every night, because judging hundreds of small teams next to one another takes too long for a
    page.  Rows judged by a minimum group size other than the current one are not read.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="+")
    until = models.DateField(help_text="The first day that no longer belongs to them.")
    changes = models.FloatField()
    releases = models.FloatField()
    minimum_people = models.PositiveSmallIntegerField(
        default=0, help_text="Figures of fewer people were hidden; 1: of no number of people."
    )

    class Meta:
        verbose_name_plural = "team releases"
        constraints = [models.UniqueConstraint(fields=["unit", "until"], name="one_count_of_releases_a_team")]

    def __str__(self) -> str:
        return f"{self.releases:g} releases of {self.unit} until {self.until}"
