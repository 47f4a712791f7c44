"""Stored forecasts of epics and versions: what was forecast when, and what became of it."""

from __future__ import annotations

from django.db import models

from orgtree.models import Unit


class ForecastRecord(models.Model):
    """A forecast of an initiative as of the end of a day, from what was known then.

    Back-tests compare `likely_on` with `finished_on`; for an open initiative the records say since when its planned day
    has been missed.  Dates beyond the horizon are null.
    """

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=520, help_text="Of the initiative, as in its address.")
    team = models.ForeignKey(
        Unit, models.SET_NULL, null=True, related_name="+", help_text="The unit that most of its people are in."
    )
    made_on = models.DateField()
    even_on = models.DateField(null=True)
    likely_on = models.DateField(null=True)
    safe_on = models.DateField(null=True)
    remaining = models.PositiveIntegerField()
    added = models.IntegerField(help_text="Items added since work began, less those dropped.")
    weekly = models.FloatField(help_text="Items finished a week, in the history that was replayed.")
    finished_on = models.DateField(null=True, help_text="When nothing was left; null while something is.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key", "made_on"], name="one_forecast_a_day")]
        indexes = [models.Index(fields=["team", "made_on"], name="forecast_by_team")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} as of {self.made_on}"


class PlannedDay(models.Model):
    """The day for which an initiative was planned at the end of a day; valid until its next row.  Trackers keep no
    history of it for versions.
    """

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=520, help_text="Of the initiative, as in its address.")
    since = models.DateField()
    planned_on = models.DateField(null=True, help_text="None: it was planned for no day.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key", "since"], name="one_planned_day_a_day")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} planned for {self.planned_on} since {self.since}"
