"""Annotations on charts: events on certain days, in a unit or a repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q
from django.db.models.functions import Coalesce, Now

from insights.query.query import Scope, Window
from integrations.models import Repository
from orgtree.models import Placement, Unit, UnitPlacement
from orgtree.models.visibility import Visibility

LONGEST_TEXT = 200  # for a flag on a chart and a sentence below it; anything longer belongs in a document


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def within(self, visibility: Visibility) -> Self:
        """Annotations on charts that may be seen: of these units, of their ancestors, and of the whole organisation."""
        if visibility.unit_ids is None:
            return self.all()
        return self.filter(_OF_EVERYBODY | _stands_on(UnitPlacement.objects.filter(unit__in=visibility.unit_ids)))

    def on_charts_of(self, scope: Scope, repositories: Sequence[str] = ()) -> Self:
        """Annotations of the scope's unit and its ancestors at that time; for a person, of all their units.

        Those of a repository are on the charts of its owner, and on all charts that are filtered by it; `repositories`
        names the filter's values.
        """
        shown = _OF_EVERYBODY
        if scope.unit is not None:
            shown |= _stands_on(UnitPlacement.objects.filter(unit__slug=scope.unit))
        if scope.person_id is not None:
            shown |= _stands_on(Placement.objects.filter(person=scope.person_id))
        if not repositories:
            return self.filter(shown)
        named = Q(repository__name__in=repositories) | Q(repository__joined_into__name__in=repositories)
        return self.filter(named | Q(shown, repository=None))

    def in_window(self, window: Window) -> Self:
        return self.filter(start__lt=window.end, end__gt=window.start)

    def excusing(self) -> Self:
        """Events that explain changes in their days."""
        return self.filter(excuses=True)

    def about_metric(self, key: str) -> Self:
        """Annotations of all charts, of the metric's family and of the metric itself."""
        return self.filter(about__in=["", family_of(key), key])


_OF_EVERYBODY = Q(unit=None, repository=None)


def _stands_on(placed: models.QuerySet[UnitPlacement] | models.QuerySet[Placement]) -> Q:
    """Whether any of the placements was in the annotation's unit or in the repository's owner, or below it, on one of
    the annotation's days.
    """
    days = Func(OuterRef("start"), OuterRef("end"), function="daterange", output_field=DateRangeField())
    counted = Coalesce(OuterRef("repository__joined_into"), OuterRef("repository"))
    of_owner = placed.filter(
        ancestor__ownerships__owned__repository=counted, ancestor__ownerships__during__overlap=days
    )
    return Q(Exists(placed.filter(ancestor=OuterRef("unit"), during__overlap=days))) | Q(
        Exists(of_owner.filter(during__overlap=days))
    )


def family_of(key: str) -> str:
    """The metric's family, the part of its key before the dot: dora.lead_time → dora."""
    return key.partition(".")[0]


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    exclude=["written_by"],  # it changes by itself when the account is deleted
    append_only=True,
)
class Annotation(models.Model):
    """An event from `start` on that explains a chart.

    It is shown on the charts of its unit, or of the owner of its repository, and of every unit below; without either on
    all charts.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+")
    repository = models.ForeignKey(Repository, models.CASCADE, null=True, related_name="+")
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    text = models.CharField(max_length=LONGEST_TEXT)
    about = models.CharField(
        max_length=80,
        blank=True,
        default="",
        help_text="A metric's key, or what a family's keys share before the dot. Empty: all charts.",
    )
    excuses = models.BooleanField(
        default=False, db_default=False, help_text="It explains what changes in its days: findings leave them out."
    )
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="annotation_has_days"),
            models.CheckConstraint(condition=Q(unit=None) | Q(repository=None), name="annotation_of_one_place"),
            models.CheckConstraint(condition=~Q(text=""), name="annotation_says_something"),
        ]
        indexes = [models.Index(fields=["start"], name="annotation_by_start")]

    def __str__(self) -> str:
        return self.text
